"""How going back reads on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from delivery.deploy.site import Outcome
from verbs import console


def rollback(outcome: Outcome) -> None:
    """Where it went, or would go, what serves, and how long that took."""
    to = f"deploy {outcome.rollback['number']}{_version(outcome.release)}"
    counts = outcome.changes
    plan = f"{counts['create']} created, {counts['update']} changed, {counts['delete']} destroyed"
    if outcome.action == "planned":
        for text in outcome.change_lines:
            console.line(f"  {text}")
        console.line(f"would go back to {to}: {plan} by Terraform; nothing was done")
    else:
        console.line(f"rollback {outcome.number}: back on {to}; {plan}")
    console.facts([*_versions(outcome.versions), *_seconds(outcome.rollback)])
    if outcome.action != "planned":
        console.line("next:")
        console.line(f"  inv status --env {outcome.environment}")


def _versions(versions: Mapping[str, str]) -> list[tuple[str, str]]:
    served = ", ".join(f"{function} {version}" for function, version in versions.items())
    return [("versions", served)]


def _seconds(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    if "seconds" not in found:
        return []
    return [
        (
            "answered",
            f"after {found['alias_seconds']:.1f} s; all of it took {found['seconds']:.1f} s",
        )
    ]


def _version(release: Mapping[str, Any]) -> str:
    return f" ({release['version']})" if release.get("version") else ""
