"""All controls against one deployed environment, with what its people have accepted for a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from delivery import standing, state_bucket
from delivery.cloud import Cloud
from delivery.environment import Environment
from delivery.security import access, buckets, roles, watching
from delivery.security.findings import SEVERITIES, Control, Finding, Place
from delivery.terraform import state

CONTROLS: tuple[Control, ...] = (
    *buckets.CONTROLS,
    *roles.CONTROLS,
    *access.CONTROLS,
    *watching.CONTROLS,
)
MUTES = "security.mutes in config/airbrew.yaml"


@dataclass(frozen=True)
class Report:
    """What was looked at and found; `controls` maps each control's id to what it wants."""

    environment: str
    cloud: str
    at: str
    controls: Mapping[str, str]
    findings: tuple[Finding, ...]

    @property
    def not_accepted(self) -> tuple[Finding, ...]:
        """What nobody has accepted."""
        return tuple(each for each in self.findings if not each.muted_by)


def make(environment: Environment, cloud: Cloud, *, today: date | None = None) -> Report:
    """Put every control to the deployed environment; nothing is changed.

    Raises:
        BadInput: nothing is deployed there.
    """
    place = _place(environment, cloud)
    found = [finding for control in CONTROLS for finding in control.findings(place)]
    muted = list(_muted(environment, found, today or datetime.now(UTC).date()))
    return Report(
        environment=environment.name,
        cloud=cloud.describe(),
        at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        controls={each.id: each.wants for each in CONTROLS},
        findings=tuple(sorted(muted, key=_worst_first)),
    )


def _worst_first(finding: Finding) -> tuple[int, str, str]:
    return SEVERITIES.index(finding.severity), finding.id, finding.resource


def _place(environment: Environment, cloud: Cloud) -> Place:
    outputs = standing.deployed(environment, cloud)
    kept = state_bucket.name(environment.project, environment.name, cloud.account_id)
    names = {"mirror": outputs["mirror_bucket"], "state": kept}
    if environment.settings["security"]["monitoring"]:
        name = environment.trail_bucket_name(cloud.account_id)
        if state_bucket.exists(cloud, name):
            names["trail"] = name
    standing_there = state.read(cloud, kept, environment.name)
    lets_in = state.read_access(cloud, kept, environment.name)
    return Place(environment, cloud, names, _by_type(standing_there), _by_type(lets_in))


def _by_type(found: Mapping[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    """What Terraform last put there: type → the attributes of each."""
    declared: dict[str, list[Mapping[str, Any]]] = {}
    for each in state.resources(found):
        declared.setdefault(each.type, []).append(each.attributes)
    return declared


def _muted(environment: Environment, found: Sequence[Finding], today: date) -> Iterator[Finding]:
    """The findings, muted where they are accepted; and each mute that is void, or of nothing."""
    mutes: list[Mapping[str, Any]] = environment.settings["security"]["mutes"]
    valid = [each for each in mutes if each["until"] >= today.isoformat()]
    for finding in found:
        owner = next((each["owner"] for each in valid if _covers(each, finding)), "")
        yield replace(finding, muted_by=owner)
    for each in mutes:
        what = f"{each['id']} {each.get('resource', '')}".strip()
        if each not in valid:
            told = f"{each['owner']} accepted it until {each['until']}"
            yield Finding("mute-expired", "medium", what, told, f"mend it, or renew it: {MUTES}")
        elif not any(_covers(each, finding) for finding in found):
            yield Finding("mute-unused", "low", what, "it covers nothing", f"take it out: {MUTES}")


def _covers(mute: Mapping[str, Any], finding: Finding) -> bool:
    same_place = mute.get("resource", finding.resource) == finding.resource
    return bool(mute["id"] == finding.id and same_place)
