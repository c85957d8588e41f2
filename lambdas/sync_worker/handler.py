"""Lambda entry point: one batch of bottles, from upstream into the bucket; or a verification.

In:   {"batch": "syncs/2026-11-22T030000Z/plan/00017.json"}        from the Map state
Out:  {"result": "syncs/…/results/00017.json", "copied": 41, "bytes": 183402113, "left": 0,
       "failed": 0}

In:   {"action": "verify", "snapshot": "", "deep": true, "sample": 100, "seed": 0,
       "repair": false, "run": ""}                                  from `inv mirror.verify`
Out:  {"run": "2026-11-22T040000Z", "report": "reports/verify/….json", "snapshot": "…",
       "listed": 31, "hashed": 20, "of": 31, "bytes": 183402113, "damaged": 1, "repaired": 0,
       "to_mend": 0, "examples": ["jq 1.8.1 arm64_tahoe: it is gone"], "finished": false}

In:   {"action": "check"}                                            from `inv deploy`
Out:  as `mirror.readiness` says

Failures are raised, never returned: the state machine retries by class name
(docs/reference/state-machine.md). ``left`` counts bottles handed back for lack of time;
``failed`` those that upstream does not give as promised, with the reasons in the result.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

from mirror import keys, readiness, telemetry, verification, worker
from mirror.connections import Connections
from mirror.errors import BadEvent
from mirror.verification_reports import Request


@cache  # One set of connections per Lambda sandbox: a warm start pays for none.
def connections() -> Connections:
    """What this function talks to."""
    return Connections.connect(os.environ)


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Carry one batch; or, with the action `verify`, look at what is there."""

    def seconds_left() -> float:
        return float(context.get_remaining_time_in_millis()) / 1000

    if event.get("action") == "verify":
        return verify(event, seconds_left)
    if event.get("action") == "check":
        return readiness.check(connections())
    batch = event.get("batch")
    if not isinstance(batch, str):
        raise BadEvent(
            "the event names no batch",
            where="the event's `batch`",
            remedy="call with a key of the plan, as syncs/2026-11-22T030000Z/plan/00000.json",
        )

    about = connections().settings.about
    telemetry.begin("sync_worker", project=about.project, environment=about.environment)
    return worker.run(connections(), batch, seconds_left=seconds_left).as_answer()


def verify(event: dict[str, Any], seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Begin a verification, or go on with the one that `run` names."""
    run = event.get("run") or ""
    if run and not keys.is_sync_id(run):
        raise BadEvent(
            f'"{run}" is not the id of a verification',
            where="the event's `run`",
            remedy="leave it out to begin one, or take it from an earlier answer",
        )
    if (event.get("sample") or 0) < 0:
        raise BadEvent(
            f"a sample of {event['sample']} cannot be drawn",
            where="the event's `sample`",
            remedy="give the number of bottles to hash, or null for all of them",
        )
    names = Request.__dataclass_fields__.keys() & event.keys()
    request = Request(**{name: event[name] for name in names})
    now = datetime.now(UTC)
    return verification.verify(connections(), request, run, seconds_left=seconds_left, now=now)
