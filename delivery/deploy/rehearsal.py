"""Trying out, where it costs nothing, how one would go back: forward, back, and forward again."""

from __future__ import annotations

from delivery.deploy import aliases, provisioning, retreat, service
from delivery.deploy.attempt import Attempt
from delivery.errors import CannotRollBack
from delivery.releases import history, recall, ways_back
from delivery.releases.history import Record
from delivery.review import reversals


def rehearse(attempt: Attempt, earlier: Record) -> None:
    """Go back to `earlier` as `inv rollback` would, then forward again; note how long it took.

    Where there is no way back that is noted, and nothing is moved: better known now.

    Raises:
        DeliveryError: going back or forward broke; the deploy has failed then.
    """
    with attempt.site.steps.phase("rehearsal"):
        refused = _refusal(attempt, earlier)
        if refused:
            attempt.rehearsal = {"refused": refused}
            attempt.site.steps.detail(f"a rollback would be refused: {refused}")
            return
        _there_and_back(attempt, earlier)


def _refusal(attempt: Attempt, earlier: Record) -> str:
    site = attempt.site
    with site.steps.step("choose"):
        try:
            records = history.newest_first(site.cloud, site.bucket, site.environment.name)
            ways_back.require_layout(site, list(records), earlier, by=site.release)
            recall.require(site.cloud, site.bucket, earlier)
            reversals.require(site, earlier)
            aliases.require(site.cloud, earlier.versions)
        except CannotRollBack as error:
            return error.problem
    return ""


def _there_and_back(attempt: Attempt, earlier: Record) -> None:
    versions, outputs, plan = dict(attempt.versions), dict(attempt.outputs), dict(attempt.plan)
    found = retreat.go_back(attempt, earlier)
    attempt.outputs = outputs
    with attempt.site.steps.phase("forward again"):
        service.move(attempt, versions, aliases.FORWARD)
        provisioning.provision(attempt)
    attempt.plan = plan
    attempt.rehearsal = found.as_json()
    attempt.site.steps.detail(
        f"a rollback takes {found.seconds:.1f} s;"
        f" the old release answers after {found.alias_seconds:.1f} s"
    )
