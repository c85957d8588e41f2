"""Lambda entry point of the one function that may delete: what no kept snapshot names.

It is the orchestrator's code under a role of its own (docs/adr/0017): what reads upstream's
files cannot delete, and what deletes can write nothing that clients read.

In:   {"action": "collect", "apply": false}
Out:  {"applied": false, "kept": {"2026-11-22T030000Z": "served as api/"}, "dropped": ["…"],
       "objects": 12, "bytes": 183402113, "waiting": 3, "waiting_bytes": 4711, "api_files": 0,
       "staging": 40, "examples": ["v2/…"], "report": "reports/gc/2026-11-22T040000Z.json"}

`report` is empty when nothing was done.

In:   {"action": "check"}
Out:  as `mirror.readiness` says
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from mirror import keys, readiness, retention
from mirror.errors import BadEvent
from orchestrator.handler import connections, exclusive


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Say what could be deleted; with `apply`, delete it while no sync can run."""
    if event.get("action") == "check":
        return readiness.check(connections())
    if event.get("action") != "collect":
        raise BadEvent(
            f'"{event.get("action")}" is neither collect nor check',
            where="the event's `action`",
            remedy="call as docs/reference/state-machine.md says",
        )
    now = datetime.now(UTC)
    if not event.get("apply"):
        return {"applied": False, **retention.find(connections(), now).as_answer(), "report": ""}
    with exclusive("collect", context, now) as identity:
        found = retention.find(connections(), now)
        retention.carry_out(connections().bucket, found, identity)
    report = keys.collection_report(identity)
    return {"applied": True, **found.as_answer(), "report": report}
