"""Lambda entry point: one batch of bottles, from upstream into the bucket.

In:   {"batch": "syncs/2026-11-22T030000Z/plan/00017.json"}        from the Map state
Out:  {"result": "syncs/…/results/00017.json", "copied": 41, "bytes": 183402113, "left": 0,
       "failed": 0}

Failures are raised, never returned: the state machine retries by class name
(docs/reference/state-machine.md). ``left`` counts bottles handed back for lack of time;
``failed`` those that upstream does not give as promised, with the reasons in the result.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from mirror import telemetry, worker
from mirror.connections import Connections
from mirror.errors import BadEvent


@cache  # One set of connections per Lambda sandbox: a warm start pays for none.
def connections() -> Connections:
    """What this function talks to."""
    return Connections.connect(os.environ)


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Carry one batch."""
    batch = event.get("batch")
    if not isinstance(batch, str):
        raise BadEvent(
            "the event names no batch",
            where="the event's `batch`",
            remedy="call with a key of the plan, as syncs/2026-11-22T030000Z/plan/00000.json",
        )

    about = connections().settings.about
    telemetry.begin("sync_worker", project=about.project, environment=about.environment)

    def seconds_left() -> float:
        return float(context.get_remaining_time_in_millis()) / 1000

    return worker.run(connections(), batch, seconds_left=seconds_left).as_answer()
