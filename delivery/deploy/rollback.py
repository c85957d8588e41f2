"""Bringing an environment back: the old versions serve at once, Terraform follows."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from delivery.checkout import Checkout
from delivery.cloud import Cloud
from delivery.deploy import aliases, custody, lock
from delivery.deploy.attempt import Aftermath, Attempt
from delivery.deploy.site import Outcome, Site
from delivery.environment import Environment
from delivery.errors import in_words
from delivery.progress import Steps
from delivery.releases import history, recall, ways_back
from delivery.releases.history import Record
from delivery.review import reversals


def roll_back(
    environment: Environment,
    cloud: Cloud,
    steps: Steps,
    *,
    to: str = "",
    dry_run: bool = False,
    patience_seconds: float = 0,
    checkout: Checkout | None = None,
) -> Outcome:
    """Let the versions of an earlier deploy serve, then bring everything else back to it.

    Args:
        to: the number of a deploy, or the beginning of its release's id; by default the last
            good deploy before what stands now.
        dry_run: only say where it would go, and what Terraform would do.
        patience_seconds: how long to wait for somebody else's deploy to end.

    Raises:
        CannotRollBack: there is no such way back; the message says why. Nothing was changed.
        DeployUnderWay: somebody else changes the environment.
        TerraformFailed, SmokeTestFailed: the old versions serve already, the rest is not done.
    """
    checkout = checkout or Checkout()
    with lock.held(checkout.state_dir, environment.name, patience_seconds=patience_seconds) as turn:
        site = Site.as_deployed(checkout, environment, cloud, steps)
        if dry_run:
            return _plan(site, to)
        with custody.leased(site, turn, "rollback", patience_seconds) as (newest, held):
            target = _target(newest, to)
            attempt = Attempt.of(newest, held, "rollback")
            with custody.recorded(attempt, partial(_left, target)):
                return _carry_out(attempt, target)


def _target(site: Site, to: str) -> Record:
    """Where to go, once it is certain that one can get there."""
    with site.steps.step("choose"):
        records = list(history.newest_first(site.cloud, site.bucket, site.environment.name))
        target = ways_back.choose(site, records, to)
        ways_back.require_layout(site, records, target)
        recall.require(site.cloud, site.bucket, target)
        reversals.require(site, target)
        aliases.require(site.cloud, target.versions)
        site.steps.detail(f"deploy {target.number}{ways_back.named(target)}")
    return target


def _carry_out(attempt: Attempt, target: Record) -> Outcome:
    from delivery.deploy import retreat  # noqa: PLC0415 - what follows the aliases loads Terraform

    since = time.monotonic()
    alias_seconds = retreat.aliases_back(attempt, target)
    with attempt.site.steps.step("recall"):
        attempt.site = recall.site_of(attempt.site, target)
    retreat.terraform_back(attempt, attempt.site)
    _check(attempt)
    found = {
        "to": target.release.get("id", ""),
        "number": target.number,
        "outcome": "succeeded",
        "alias_seconds": round(alias_seconds, 3),
        "seconds": round(time.monotonic() - since, 3),
    }
    custody.record_success(attempt, rollback=found)
    return attempt.outcome("rolled back", rollback=found)


def _check(attempt: Attempt) -> None:
    """Prove what is served; a rollback publishes nothing, so there is no sync."""
    from delivery.deploy import health  # noqa: PLC0415 - cryptography, after the aliases

    health.check_served(attempt)


def _plan(site: Site, to: str) -> Outcome:
    from delivery.deploy import provisioning  # noqa: PLC0415 - Terraform

    target = _target(site, to)
    wanted = replace(recall.site_of(site, target), steps=site.steps)
    found = provisioning.planned(wanted)
    return wanted.outcome(
        "planned",
        number=site.number,
        changes=found.counts,
        change_lines=found.lines,
        versions=target.versions,
        rollback={"to": target.release.get("id", ""), "number": target.number},
    )


def _left(target: Record, attempt: Attempt, error: BaseException) -> Aftermath:
    """A rollback that broke stays where it got to: what it left was not wanted any more."""
    name = attempt.site.environment.name
    if not attempt.touched:
        return Aftermath(f"{name} is as it was: nothing of it was changed", is_settled=True)
    serving: Sequence[str] = [f"{each} {version}" for each, version in attempt.versions.items()]
    return Aftermath(
        f"in service: {', '.join(serving) or 'what was before'}; the rest of {name} is not back;"
        f" go on: inv rollback --env {name} --to {target.number}",
        {
            "to": target.release.get("id", ""),
            "number": target.number,
            "outcome": "failed",
            "error": in_words(error),
        },
    )
