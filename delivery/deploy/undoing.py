"""After a deploy that failed: back to the last good release, and a word on how things stand."""

from __future__ import annotations

import time

from botocore.exceptions import BotoCoreError, ClientError

from delivery.deploy import retreat
from delivery.deploy.attempt import Aftermath, Attempt
from delivery.errors import CannotRollBack, DeliveryError, LeaseLost, PolicyViolated, in_words
from delivery.mirror.content import DEFAULT_CHANNEL
from delivery.mirror.contents import Contents
from delivery.releases import history
from delivery.releases.history import Record


def undo(attempt: Attempt, error: BaseException) -> Aftermath:
    """Bring the environment back to its last good release, if it was changed at all.

    Never raises what goes wrong here: the first error is the one to tell, and `standing`
    then names what is left and the one command that mends it.
    """
    name = attempt.site.environment.name
    if isinstance(error, LeaseLost):
        return Aftermath(f"{name} is in the hands of the lease's present holder")
    if not attempt.touched:
        return Aftermath(_untouched(attempt), is_settled=True)
    try:
        good = _last_good(attempt)
        if good is None:
            return Aftermath(
                f"{name} had no release to go back to; the same command goes on from here:"
                f" inv deploy --env {name}"
            )
        return _twice(attempt, good)
    # A second Ctrl-C ends going back, too; then, more than ever, one must know what is left.
    except (DeliveryError, BotoCoreError, ClientError, OSError, KeyboardInterrupt) as second:
        return _stuck(attempt, second)


def _twice(attempt: Attempt, good: Record) -> Aftermath:
    """Going back, and once more where it broke: what broke the deploy may have passed by then."""
    try:
        return _back_to(attempt, good)
    except (DeliveryError, BotoCoreError, ClientError, OSError) as error:
        if isinstance(error, LeaseLost | CannotRollBack | PolicyViolated):
            raise
        attempt.site.steps.detail(f"once more, because {in_words(error)}")
        return _back_to(attempt, good)


def _back_to(attempt: Attempt, good: Record) -> Aftermath:
    since = time.monotonic()
    with attempt.site.steps.phase("undo"):
        found = retreat.go_back(attempt, good)
        _content_back(attempt)
    seconds = round(time.monotonic() - since, 3)
    return Aftermath(
        f"{attempt.site.environment.name} is back on deploy {good.number}{_release(good)};"
        f" it answered after {found.alias_seconds:.1f} s, all done after {seconds:.1f} s",
        {
            "to": good.release.get("id", ""),
            "number": good.number,
            "outcome": "succeeded",
            "alias_seconds": round(found.alias_seconds, 3),
            "seconds": seconds,
        },
        is_settled=True,
    )


def _content_back(attempt: Attempt) -> None:
    """What the failed release published is not served on either; it stays, to be looked at."""
    published = attempt.sync.get("snapshot")
    if not published or not attempt.served or published == attempt.served:
        return
    with attempt.site.steps.step("content"):
        Contents(attempt.site.cloud, attempt.outputs).rollback(
            attempt.served, DEFAULT_CHANNEL, dry_run=False
        )


def _stuck(attempt: Attempt, error: BaseException) -> Aftermath:
    name, step = attempt.site.environment.name, attempt.site.steps.current
    serving = ", ".join(f"{each} {version}" for each, version in attempt.versions.items())
    return Aftermath(
        f"{name} could not be brought back ({step}: {in_words(error)});"
        f" in service: {serving or 'what was before'}; mend it: inv rollback --env {name}",
        {"to": "", "outcome": "failed", "error": f"{step}: {in_words(error)}"},
    )


def _untouched(attempt: Attempt) -> str:
    name, previous = attempt.site.environment.name, attempt.site.previous
    if previous is None:
        return f"nothing of {name} exists yet, but its state bucket"
    return f"{name} is as it was: nothing of it was changed"


def _last_good(attempt: Attempt) -> Record | None:
    site = attempt.site
    records = history.newest_first(site.cloud, site.bucket, site.environment.name)
    return next((record for record in history.good(records) if record.versions), None)


def _release(record: Record) -> str:
    version = record.release.get("version")
    return f" ({version})" if version else ""
