"""Trying out, where it costs nothing, how one would go back: forward, back, and forward again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from delivery import aliases, provisioning, retreat, service
from delivery.attempt import Attempt
from delivery.errors import CannotRollBack
from delivery.releases.history import Record


def rehearse(attempt: Attempt, earlier: Record) -> Mapping[str, Any]:
    """Go back to `earlier` as `inv rollback` would, then forward again.

    Returns:
        ``{"alias_seconds", "seconds"}`` of going back; or ``{"refused"}``, why it cannot.

    Raises:
        DeliveryError: going back or forward broke; the deploy has failed then.
    """
    site, versions, outputs = attempt.site, dict(attempt.versions), dict(attempt.outputs)
    plan = dict(attempt.plan)
    with site.steps.phase("rehearsal"):
        try:
            found: Mapping[str, Any] = retreat.go_back(attempt, earlier).as_json()
        except CannotRollBack as error:
            found = {"refused": error.problem}
        attempt.outputs = outputs
    with site.steps.phase("forward again"):
        provisioning.provision(attempt)
        service.move(attempt, versions, aliases.FORWARD)
    attempt.plan = plan
    site.steps.detail(_told(found))
    return found


def _told(found: Mapping[str, Any]) -> str:
    if "refused" in found:
        return f"a rollback would be refused: {found['refused']}"
    return (
        f"a rollback takes {found['seconds']:.1f} s,"
        f" until the old release answers {found['alias_seconds']:.1f} s"
    )
