"""What a plan may not do: every violation found at once, each with its evidence and its remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import yaml

from delivery.cost.estimate import Estimate
from delivery.errors import BadInput
from delivery.review import rules
from delivery.review.rules import RULES, Facts
from delivery.terraform.plan_document import PlanDocument, ResourceChange

CATALOGUE_FILE = Path(__file__).with_name("policies.yaml")
COST, DATA = "cost-above-limit", "data-destroyed"


@dataclass(frozen=True)
class Policy:
    """One thing that a plan may not do; `id` never changes, so that exceptions can name it."""

    id: str
    what: str
    why: str
    remedy: str


@dataclass(frozen=True)
class Finding:
    """A policy that a plan violates: at which address, and what was seen there."""

    policy: Policy
    address: str
    evidence: str

    def __str__(self) -> str:
        policy = self.policy
        return (
            f"{policy.id}: {self.address}: {self.evidence}"
            f"\n    why:  {policy.why}\n    next: {policy.remedy}"
        )

    def as_json(self) -> dict[str, str]:
        """Flat, for `--json`."""
        policy = self.policy
        return {
            "policy": policy.id,
            "address": self.address,
            "evidence": self.evidence,
            "why": policy.why,
            "remedy": policy.remedy,
        }


@dataclass(frozen=True)
class Exempted:
    """A finding that the configuration accepts until a day, and why."""

    finding: Finding
    reason: str
    until: date


@dataclass(frozen=True)
class Verdict:
    """What the policies say to a plan.

    `unseen` are the addresses whose policy documents are known only after the apply; `expired`
    are the exceptions of the configuration that hold no more.
    """

    findings: tuple[Finding, ...] = ()
    exempted: tuple[Exempted, ...] = ()
    unseen: tuple[str, ...] = ()
    expired: tuple[str, ...] = ()


@cache
def policies() -> Mapping[str, Policy]:
    """Every policy by its id."""
    entries = yaml.safe_load(CATALOGUE_FILE.read_text("utf-8"))
    return {name: Policy(name, **texts) for name, texts in entries.items()}


def check(
    document: PlanDocument,
    estimate: Estimate | None,
    *,
    held: Callable[[ResourceChange], str],
    tags: Mapping[str, str],
    max_monthly_usd: float,
    exceptions: Sequence[str] = (),
    today: date | None = None,
) -> Verdict:
    """Hold a plan against every policy; what stands already is looked at like what is new.

    Args:
        estimate: what it would cost; None where that does not matter.
        held: see `rules.Facts`; asked only of what would be destroyed.
        exceptions: each ``policy address yyyy-mm-dd reason``; an address covers what is in it.

    Raises:
        BadInput: an exception names a policy that there is not, or a day that there is not.
    """
    gone = [each for each in document.changes if each.type == "aws_s3_bucket"]
    names = frozenset(str(each.before.get("bucket")) for each in gone if each.action == "delete")
    found = [
        *_violations(document, Facts(held, tags, names)),
        *(_too_dear(estimate, max_monthly_usd) if estimate else ()),
    ]
    accepted = [_Exception.read(each) for each in exceptions]
    now = today or datetime.now(UTC).date()
    valid = [each for each in accepted if each.until >= now]
    pairs = [(each, next((one for one in valid if one.covers(each)), None)) for each in found]
    return Verdict(
        findings=tuple(each for each, accepting in pairs if accepting is None),
        exempted=tuple(Exempted(each, one.reason, one.until) for each, one in pairs if one),
        unseen=tuple(each.address for each in document.resources if any(rules.unseen(each))),
        expired=tuple(each.text for each in accepted if each.until < now),
    )


def _violations(document: PlanDocument, facts: Facts) -> Iterator[Finding]:
    for name, rule in RULES.items():
        for change in document.resources:
            for evidence in rule(change, facts):
                yield Finding(policies()[name], change.address, evidence)


def _too_dear(estimate: Estimate, max_monthly_usd: float) -> Iterator[Finding]:
    if estimate.monthly_usd > max_monthly_usd:
        dearest = max(estimate.lines, key=lambda line: line.monthly_usd)
        yield Finding(
            policies()[COST],
            "the whole environment",
            f"{estimate.monthly_usd:.2f} US dollars a month, {max_monthly_usd:.2f} are allowed;"
            f" most of it is {dearest.item}, {dearest.monthly_usd:.2f}",
        )


@dataclass(frozen=True)
class _Exception:
    text: str
    policy: str
    address: str
    until: date
    reason: str

    @classmethod
    def read(cls, text: str) -> _Exception:
        policy, address, until, reason = text.split(" ", 3)
        if policy not in policies():
            raise _bad_exception(f'there is no policy "{policy}"', ", ".join(policies()))
        try:
            day = date.fromisoformat(until)
        except ValueError as error:
            raise _bad_exception(f'"{until}" is no day', "write it as 2027-01-31") from error
        return cls(text, policy, address, day, reason)

    def covers(self, finding: Finding) -> bool:
        """Whether the finding is at this address or in the module of that name."""
        inside = finding.address.startswith((f"{self.address}.", f"{self.address}["))
        return finding.policy.id == self.policy and (inside or finding.address == self.address)


def _bad_exception(problem: str, remedy: str) -> BadInput:
    return BadInput(problem, where="deploy.exceptions in config/airbrew.yaml", remedy=remedy)
