"""How a sync ended: `syncs/<id>/report.json`, and the same as a page, `report.html`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from mirror import keys, lease, pages, reckoning, report_page, telemetry
from mirror.bucket import Bucket
from mirror.errors import BucketRefused
from mirror.plans import Plan
from mirror.telemetry import Metric

PUBLISHED, FAILED = "published", "failed"

# How every error of the mirror reads (errors.MirrorError).
_WORDS = re.compile(
    r"(?P<problem>.*?)\n {2}where: (?P<where>.*?)\n {2}next: {1,2}(?P<remedy>.*)", re.S
)
_REMEDY = "mend what the problem names, then run `inv mirror.sync`; what was published stands"


def published(bucket: Bucket, sync: str) -> dict[str, Any] | None:
    """What publishing answered, if this sync was published; None otherwise."""
    body = bucket.find(keys.report(sync))
    report = json.loads(body) if body else {}
    return dict(report["answer"]) if report.get("outcome") == PUBLISHED else None


def write_published(
    bucket: Bucket,
    plan: Plan,
    answer: Mapping[str, Any],
    *,
    seconds: Mapping[str, float],
    changes: Mapping[str, Any],
    now: datetime,
) -> None:
    """Record a publish: how much, how long, what is left out, what differs from before.

    Args:
        seconds: of plan, copy, publish, and total.
        changes: as `changes.between` has them, with ``against``, the earlier snapshot or None.
    """
    document = {
        "sync": plan.sync,
        "outcome": PUBLISHED,
        "ended_at": _text(now),
        "answer": answer,
        "seconds": seconds,
        "changes": changes,
        **reckoning.of(bucket, plan).as_json(),
    }
    _write(bucket, plan.sync, document)


def report_failure(
    bucket: Bucket, execution: str, error: str, cause: str, *, now: datetime
) -> dict[str, Any]:
    """Record why an execution failed, and give back its lease if it holds one.

    Args:
        error: the name of the exception's class, as Step Functions has it.
        cause: what it had to say.

    Returns:
        ``{"sync", "error", "cause"}``; `sync` is null when the execution had none.
    """
    sync = lease.release(bucket, execution, now)
    words = _in_words(error, cause)
    if sync is not None:
        telemetry.about(sync)
        if published(bucket, sync) is None:
            head = {"sync": sync, "outcome": FAILED, "ended_at": _text(now)}
            _write(bucket, sync, {**head, **words, "cause": cause, **_done(bucket, sync)})
    telemetry.measure(
        "sync_failed",
        {Metric.SYNCS_FAILED: 1},
        failures={words["error"]: 1},
        level="ERROR",
        execution=execution,
        cause=cause,
        **words,
    )
    return {"sync": sync, "error": error, "cause": cause}


def _write(bucket: Bucket, sync: str, document: Mapping[str, Any]) -> None:
    # The page first: a report.json that says "published" ends all further tries.
    pages.write(bucket, keys.report_page(sync), report_page.page(document))
    bucket.write_json(keys.report(sync), document)


def _done(bucket: Bucket, sync: str) -> dict[str, Any]:
    """How far a failed sync came, if it came as far as a plan."""
    try:
        return reckoning.of(bucket, Plan.read(bucket, sync)).as_json()
    except BucketRefused:
        return {}


def _in_words(error: str, cause: str) -> dict[str, str]:
    """``error``, ``problem``, ``where`` and ``remedy`` of what Step Functions knows of a failure.

    A Lambda's failure is JSON with ``errorType`` and ``errorMessage``; other causes are text.
    """
    try:
        told = json.loads(cause)
    except ValueError:
        told = None
    if isinstance(told, dict) and "errorMessage" in told:
        error, cause = str(told.get("errorType") or error), str(told["errorMessage"])
    found = _WORDS.fullmatch(cause)
    words = found.groupdict() if found else {"problem": cause, "where": "", "remedy": _REMEDY}
    return {"error": error, **words}


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
