"""What a plan of exactly what was deployed still finds different."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from delivery.terraform import values
from delivery.terraform.plan_document import AttributeChange, PlanDocument, ResourceChange

KNOWN_FILE = Path(__file__).with_name("known.yaml")
SANDBOX = "sandbox"
WHOLE = "(the resource)"
THERE, GONE = "there", "gone"
# A deploy puts it back, or only a person can: Terraform does not manage it.
BY_DEPLOY, BY_HAND = "deploy", "hand"


@dataclass(frozen=True)
class Drift:
    """One attribute that is not as declared; None is "not there".

    `mended_by` is ``deploy`` or ``hand``; `who`, `when` and `event` are the last change of the
    resource that CloudTrail knows, empty where it knows none; `gap` says why it is no drift in
    the sandbox. `names` are what the resource is called in AWS, `type` is Terraform's.
    """

    address: str
    attribute: str
    declared: Any
    found: Any
    mended_by: str = BY_DEPLOY
    who: str = ""
    when: str = ""
    event: str = ""
    gap: str = ""
    names: tuple[str, ...] = ()
    type: str = ""

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        kept = asdict(self)
        del kept["names"], kept["type"]
        return kept


@dataclass(frozen=True)
class Known:
    """An attribute that differs without anybody having changed it."""

    type: str
    attribute: str
    because: str
    only_in: str = ""

    def covers(self, kind: str, path: str) -> bool:
        """Whether it speaks of this attribute of this type of resource."""
        inside = path == self.attribute or path.startswith(f"{self.attribute}.")
        return self.type in {kind, "*"} and inside


@cache
def known() -> tuple[Known, ...]:
    """known.yaml."""
    return tuple(Known(**each) for each in yaml.safe_load(KNOWN_FILE.read_text("utf-8")))


def of(document: PlanDocument, *, is_sandbox: bool) -> list[Drift]:
    """Every attribute that is not as it was deployed, by address.

    Args:
        document: a plan, refreshed, of the very settings and tree that were deployed: what it
            would change is drift that a deploy mends; what the refresh alone found changed is
            drift that only a person can mend.
    """
    planned = [drift for each in document.changes for drift in _planned(each)]
    seen = {(each.address, each.attribute) for each in planned}
    refreshed = [
        drift
        for each in document.drift
        for drift in _refreshed(each)
        if (drift.address, drift.attribute) not in seen
    ]
    kinds = {each.address: each.type for each in (*document.resources, *document.drift)}
    judged = _judged([*planned, *refreshed], kinds, is_sandbox=is_sandbox)
    return sorted(judged, key=lambda each: (each.address, each.attribute))


def names_of(change: ResourceChange) -> tuple[str, ...]:
    """What AWS and CloudTrail call the resource."""
    found = change.before or change.after
    keys = ("id", "name", "arn", "bucket", "function_name", "role")
    return tuple(dict.fromkeys(str(found[key]) for key in keys if found.get(key)))


def _planned(change: ResourceChange) -> Iterator[Drift]:
    names = names_of(change)
    if change.action == "create":
        yield Drift(change.address, WHOLE, THERE, GONE, names=names)
    elif change.action == "delete":
        yield Drift(change.address, WHOLE, GONE, THERE, names=names)
    else:
        for each in change.attributes:
            if each.after != values.UNKNOWN and not _is_nothing(each):
                yield Drift(change.address, each.path, each.after, each.before, names=names)


def _refreshed(change: ResourceChange) -> Iterator[Drift]:
    if change.action == "delete":
        return  # The plan would create it again, or it is no longer declared.
    for each in change.attributes:
        if not _is_nothing(each):
            yield Drift(
                change.address,
                each.path,
                each.before,
                each.after,
                mended_by=BY_HAND,
                names=names_of(change),
            )


def _is_nothing(each: AttributeChange) -> bool:
    """Providers answer "not set" with false as well."""
    return each.before in (None, False) and each.after in (None, False)


def _judged(found: Iterable[Drift], kinds: dict[str, str], *, is_sandbox: bool) -> Iterator[Drift]:
    for drift in found:
        reasons = [each for each in known() if each.covers(kinds[drift.address], drift.attribute)]
        if any(not each.only_in for each in reasons) and drift.mended_by == BY_HAND:
            continue
        gap = next((each.because for each in reasons if is_sandbox and each.only_in == SANDBOX), "")
        yield replace(drift, gap=gap, type=kinds[drift.address])
