"""How a sync ended: `syncs/<id>/report.json`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from mirror import keys, lease, telemetry
from mirror.bucket import Bucket
from mirror.plans import Plan

PUBLISHED, FAILED = "published", "failed"


def published(bucket: Bucket, sync: str) -> dict[str, Any] | None:
    """What publishing answered, if this sync was published; None otherwise."""
    body = bucket.find(keys.report(sync))
    report = json.loads(body) if body else {}
    return dict(report["answer"]) if report.get("outcome") == PUBLISHED else None


def write_published(bucket: Bucket, plan: Plan, answer: dict[str, Any], now: datetime) -> None:
    """Record a publish, what upstream had no bottle for, and what was left out."""
    document = {
        "outcome": PUBLISHED,
        "ended_at": _text(now),
        "answer": answer,
        "without_bottle": plan.without_bottle,
        "warnings": plan.warnings,
        "too_large": [bottle.as_json() for bottle in plan.too_large],
    }
    bucket.write_json(keys.report(plan.sync), document)


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
    if sync is not None and published(bucket, sync) is None:
        document = {"outcome": FAILED, "ended_at": _text(now), "error": error, "cause": cause}
        bucket.write_json(keys.report(sync), document)
    telemetry.tell("sync_failed", sync=sync, execution=execution, error=error, cause=cause)
    return {"sync": sync, "error": error, "cause": cause}


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
