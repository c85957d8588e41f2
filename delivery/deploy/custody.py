"""Changing an environment in good order: under its lease, marked, and recorded however it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from delivery.deploy import lease
from delivery.deploy.attempt import Aftermath, Attempt
from delivery.deploy.lease import Asked, Lease
from delivery.deploy.lock import Turn
from delivery.deploy.site import Site
from delivery.errors import DeliveryError, LeaseLost, in_words
from delivery.releases import history, under_way

CleanUp = Callable[[Attempt, BaseException], Aftermath]


@contextmanager
def leased(
    site: Site, turn: Turn, reason: str, patience_seconds: float
) -> Iterator[tuple[Site, Lease]]:
    """Hold the environment's lease; the site then knows the newest record for certain.

    Raises:
        DeployUnderWay: somebody else holds it.
    """
    asked = Asked(site.environment.name, reason, turn.token, turn.before, patience_seconds)
    with lease.held(site.cloud, site.bucket, asked, site.steps) as held:
        previous = history.latest(site.cloud, site.bucket, site.environment.name)
        yield replace(site, previous=previous), held


@contextmanager
def recorded(attempt: Attempt, clean_up: CleanUp) -> Iterator[None]:
    """Mark that the environment is being changed; clean up and record where the body fails.

    Args:
        clean_up: brings the environment into a state that it can be left in, and says in which;
            it never raises.
    """
    try:
        _mark(attempt)
        yield
    # Whatever it is, Ctrl-C included, the next deploy and `inv status` have to know.
    except BaseException as error:
        if not attempt.recorded:
            failed = f"{attempt.site.steps.current}: {in_words(error)}"
            aftermath = clean_up(attempt, error)
            error.add_note(aftermath.standing)
            if not isinstance(error, LeaseLost):
                _record_failure(attempt, failed, aftermath)
        raise


def record_success(attempt: Attempt, **more: Any) -> None:
    """Write the record, then take the mark away; from the record on nothing is undone."""
    site = attempt.site
    with site.steps.step("record"):
        attempt.lease.check()
        history.append(site.cloud, site.bucket, attempt.record("succeeded", **more))
        attempt.recorded = True
        under_way.clear(site.cloud, site.bucket, site.environment.name)


def _mark(attempt: Attempt) -> None:
    site, name = attempt.site, attempt.site.environment.name
    with site.steps.step("mark"):
        attempt.found_marked = under_way.is_marked(site.cloud, site.bucket, name)
        attempt.lease.check()
        under_way.mark(site.cloud, site.bucket, name, kind=attempt.kind, lease=attempt.lease.number)


def _record_failure(attempt: Attempt, failed: str, aftermath: Aftermath) -> None:
    site = attempt.site
    record = attempt.record("failed", error=failed, rollback=aftermath.rollback)
    try:
        history.append(site.cloud, site.bucket, record)
        if aftermath.is_settled and not attempt.found_marked:
            under_way.clear(site.cloud, site.bucket, site.environment.name)
    except (DeliveryError, BotoCoreError, ClientError) as second:
        # The first error is what the user must see; the mark still tells the next deploy.
        site.steps.detail(f"the failure could not be recorded: {second}")
