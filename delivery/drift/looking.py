"""Holding an environment against its last good deploy, and putting back what drifted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from delivery import state_bucket
from delivery.checkout import Checkout
from delivery.cloud import Cloud
from delivery.deploy import lock, provisioning, rollout
from delivery.deploy.lock import Turn
from delivery.deploy.provisioning import SETTINGS
from delivery.deploy.site import Outcome, Site
from delivery.drift import culprits, differences, owned, roles
from delivery.drift.differences import BY_DEPLOY, Drift
from delivery.environment import Environment
from delivery.errors import BadInput, DeployUnderWay
from delivery.progress import Steps
from delivery.releases import history, last_drift, recall, under_way
from delivery.releases.history import Record
from delivery.review import admission, approval
from delivery.terraform.running import ROOT_OUTPUT


@dataclass(frozen=True)
class DriftReport:
    """What is not as the last good deploy left it.

    Args:
        deploy: the number of that deploy.
        resources: how many resources were looked at.
        drift: what somebody changed.
        gaps: what only looks changed in the sandbox, and why.
        review: the plan that would put it back, as `Review.as_json` tells it.
    """

    environment: str
    account_id: str
    deploy: int
    resources: int
    drift: tuple[Drift, ...]
    gaps: tuple[Drift, ...]
    review: Mapping[str, Any]

    @property
    def mendable(self) -> tuple[Drift, ...]:
        """What a deploy of the same puts back; the rest is for a person."""
        return tuple(each for each in self.drift if each.mended_by == BY_DEPLOY)

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "environment": self.environment,
            "account_id": self.account_id,
            "deploy": self.deploy,
            "resources": self.resources,
            "drift": [each.as_json() for each in self.drift],
            "gaps": [each.as_json() for each in self.gaps],
            "review": dict(self.review),
        }


@dataclass(frozen=True)
class Mended:
    """What was found, the deploy that put it back, and what is left for a person."""

    report: DriftReport
    outcome: Outcome
    left: tuple[Drift, ...]


def look(
    environment: Environment,
    cloud: Cloud,
    steps: Steps,
    checkout: Checkout | None = None,
    *,
    patience_seconds: float = 0,
) -> DriftReport:
    """Compare what is there with what the last good deploy declared; none of it is changed.

    That there was a look, and how much had drifted, is noted for `inv status`.

    Args:
        patience_seconds: how long to wait for a deploy of it from this checkout to end.

    Raises:
        BadInput: nothing is deployed there.
        DeployUnderWay: it is being changed, or such a change never came to its end.
        CannotRollBack: what that deploy declared is no longer kept.
    """
    checkout = checkout or Checkout()
    with _standing(environment, cloud, steps, checkout, patience_seconds) as (site, record, _):
        found = _report(site, record)
        last_drift.note(cloud, site.bucket, environment.name, len(found.drift))
    return found


def mend(
    found: DriftReport,
    environment: Environment,
    cloud: Cloud,
    steps: Steps,
    *,
    approved: str = "",
    checkout: Checkout | None = None,
) -> Mended:
    """Deploy the last good deploy once more, under the same lease, policies and approval.

    Args:
        found: what `look` saw just now.

    Raises:
        PolicyViolated, NotApproved: as a deploy; nothing was changed.
    """
    with _standing(environment, cloud, steps, checkout or Checkout()) as (standing, record, turn):
        site = replace(standing, approved=approved)
        approval.check_form(approved)
        if admission.is_required(site) and not approved:
            raise approval.nothing_approved(environment.name, str(found.review["digest"]))
        _put_settings_back(site, record, found)
        outcome = rollout.carry_out(site, rollout.Order(turn, force=True), lambda _: False)
        assert outcome is not None  # noqa: S101 - it is None only for what is unchanged
    left = tuple(each for each in found.drift if each.mended_by != BY_DEPLOY)
    last_drift.note(cloud, site.bucket, environment.name, len(left))
    return Mended(found, outcome, left)


def _put_settings_back(site: Site, record: Record, found: DriftReport) -> None:
    """A deploy would leave what lies under their key alone: it is there already."""
    bucket = str(record.outputs["mirror_bucket"])
    if any(each.address.startswith(f"s3://{bucket}/") for each in found.drift):
        with site.steps.step("settings"):
            terraform = provisioning.workspace(
                site.checkout, site.environment, site.cloud, site.bucket
            )
            owned.put_back(site.cloud, bucket, terraform.output()[ROOT_OUTPUT][SETTINGS])


@contextmanager
def _standing(
    environment: Environment,
    cloud: Cloud,
    steps: Steps,
    checkout: Checkout,
    patience_seconds: float = 0,
) -> Iterator[tuple[Site, Record, Turn]]:
    """The site of the last good deploy: its settings, its Terraform tree, its artifacts."""
    bucket = state_bucket.name(environment.project, environment.name, cloud.account_id)
    with lock.held(checkout.state_dir, environment.name, patience_seconds=patience_seconds) as turn:
        with steps.step("recall"):
            records = history.good(history.newest_first(cloud, bucket, environment.name))
            if not records:
                raise _nothing_there(environment, cloud)
            if under_way.is_marked(cloud, bucket, environment.name):
                raise _changing(environment, bucket)
            now = Site.as_deployed(checkout, environment, cloud, steps)
            site = recall.site_of(now, records[0])
        yield site, records[0], turn


def _report(site: Site, record: Record) -> DriftReport:
    review = admission.look(site, provisioning.planned(site))
    document, cloud = review.document, site.cloud
    with site.steps.step("look"):
        found = [
            *differences.of(document, is_sandbox=cloud.is_sandbox),
            *roles.of(document),
            *owned.of(cloud, record),
        ]
        named = culprits.named(cloud, found, since=record.at)
        site.steps.detail(f"{len(document.resources)} resources, {len(named)} differences")
    return DriftReport(
        environment=site.environment.name,
        account_id=cloud.account_id,
        deploy=record.number,
        resources=len(document.resources),
        drift=tuple(each for each in named if not each.gap),
        gaps=tuple(each for each in named if each.gap),
        review={**review.as_json(), "kept": admission.plans_of(site).keep(review.effects)},
    )


def _nothing_there(environment: Environment, cloud: Cloud) -> BadInput:
    return BadInput(
        f'nothing is deployed in "{environment.name}" that could have drifted',
        where=cloud.describe(),
        remedy=f"inv deploy --env {environment.name}",
    )


def _changing(environment: Environment, bucket: str) -> DeployUnderWay:
    return DeployUnderWay(
        f'"{environment.name}" is being changed, or a change of it never came to its end:'
        " what differs now is no drift",
        where=f"s3://{bucket}/under-way/{environment.name}.json",
        remedy=f"wait for it; or end it: inv deploy --env {environment.name}",
    )
