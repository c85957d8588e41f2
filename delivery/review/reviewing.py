"""The look at a plan between planning and applying: effects, policies, cost, approval."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from delivery.cloud import Cloud
from delivery.cost import estimate as costs
from delivery.cost.estimate import Estimate
from delivery.environment import Environment
from delivery.errors import PolicyViolated
from delivery.review import holdings, policies
from delivery.review.effects import Effects
from delivery.review.policies import Verdict
from delivery.terraform import state
from delivery.terraform.plan_document import PlanDocument


@dataclass(frozen=True)
class Review:
    """A plan with everything that is to be known before it is applied."""

    document: PlanDocument
    estimate: Estimate
    verdict: Verdict
    effects: Effects

    @property
    def digest(self) -> str:
        """What an approval names."""
        return self.effects.digest

    def admit(self, made: Collection[str] = (), altered: Collection[str] = ()) -> None:
        """Return when no policy is violated.

        Args:
            made: addresses that the same attempt has made: to take them away again is no loss.
            altered: those that it has changed in place: to change them back is none either, as
                long as no data goes.

        Raises:
            PolicyViolated: with every violation, each with its evidence and its remedy.
        """
        own = set(made) | set(altered)
        found = [
            each
            for each in self.verdict.findings
            if each.address not in (made if each.policy.id == policies.DATA else own)
        ]
        if not found:
            return
        count = "a policy is" if len(found) == 1 else f"{len(found)} policies are"
        told = "".join(f"\n  {each}" for each in found)
        raise PolicyViolated(
            f"{count} violated by what would be applied:{told}",
            where="the plan, which was not applied",
            remedy="do what stands beside each, or accept it in deploy.exceptions with a reason",
        )

    def as_json(self) -> dict[str, Any]:
        """The whole of it, for `--json`."""
        verdict = self.verdict
        return {
            "digest": self.digest,
            "plan": self.document.as_json(),
            "findings": [each.as_json() for each in verdict.findings],
            "exempted": [
                {**each.finding.as_json(), "reason": each.reason, "until": str(each.until)}
                for each in verdict.exempted
            ],
            "unseen": list(verdict.unseen),
            "expired_exceptions": list(verdict.expired),
            "cost": {**asdict(self.estimate), "monthly_usd": self.estimate.monthly_usd},
            "state": dict(self.effects.state),
            "release": dict(self.effects.release),
        }


def review(
    document: PlanDocument,
    environment: Environment,
    cloud: Cloud,
    *,
    settings: Mapping[str, Any],
    release: Mapping[str, str],
    bucket: str,
) -> Review:
    """Hold a plan against the policies, reckon its cost, and say what an approval covers.

    Args:
        settings: what Terraform is handed.
        release: each component's SHA-256.
        bucket: the state bucket; its state's lineage and serial are part of the effects.
    """
    estimate = costs.estimate(document, environment.settings, environment.region)
    said = verdict(document, environment, cloud, estimate)
    effects = Effects(
        place={
            "environment": environment.name,
            "cloud": cloud.kind,
            "account_id": cloud.account_id,
            "region": cloud.region,
        },
        release=release,
        settings=settings,
        state=_serial(cloud, bucket, environment.name),
        changes=tuple(each.as_json() for each in document.changes),
        outputs=document.outputs,
        exempted=tuple(
            f"{each.finding.policy.id} {each.finding.address}" for each in said.exempted
        ),
        monthly_usd=estimate.monthly_usd,
    )
    return Review(document, estimate, said, effects)


def verdict(
    document: PlanDocument,
    environment: Environment,
    cloud: Cloud,
    estimate: Estimate | None = None,
) -> Verdict:
    """What the policies say to a plan, with the environment's exceptions.

    Args:
        estimate: what it would cost; None where that does not matter.
    """
    return policies.check(
        document,
        estimate,
        held=partial(holdings.held, cloud),
        tags={"Project": environment.project, "Environment": environment.name},
        max_monthly_usd=float(environment.settings["cost"]["max_monthly_usd"]),
        exceptions=environment.settings["deploy"]["exceptions"],
    )


def _serial(cloud: Cloud, bucket: str, environment: str) -> dict[str, Any]:
    """The lineage and serial of Terraform's state; empty and 0 where nothing was applied."""
    found = state.read(cloud, bucket, environment)
    return {"lineage": found.get("lineage", ""), "serial": found.get("serial", 0)}
