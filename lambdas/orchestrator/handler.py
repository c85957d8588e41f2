"""Lambda entry point: plan a sync, publish it, record that it failed; show and move snapshots.

In:   {"action": "plan", "execution": "arn:aws:states:…:execution:sync:1f0c…"}
Out:  {"sync": "2026-11-22T030000Z", "batches": 2, "batches_key": "syncs/…/plan/batches.json",
       "formulae": 31, "bottles": 31, "missing": 12, "bytes": 183402113}

In:   {"action": "plan", "dry_run": true, "platforms": ["arm64_tahoe"], "formulae": ["jq"]}
Out:  {"formulae": 2, "bottles": 2, "present": 0, "missing": 2, "without_bottle": 0,
       "warnings": [], "by_platform": {…}, "examples": ["jq 1.8.1 arm64_tahoe", …], "chains": {…},
       "sizes": null, "requests": {"put": 61, "get": 42}, "why": {}}

In:   {"action": "publish", "sync": "2026-11-22T030000Z", "execution": "arn:…"}
Out:  {"snapshot": "2026-11-22T030000Z", "formulae": 31, "bottles": 31, "bytes": 412998112,
       "copied": 12, "api_files_changed": 3}

In:   {"action": "report_failure", "execution": "arn:…", "error": "IncompleteSync", "cause": "…"}
Out:  {"sync": "2026-11-22T030000Z", "error": "IncompleteSync", "cause": "…"}

In:   {"action": "import_publish", "snapshot": "2026-11-22T030000Z"}
Out:  as `publish`

In:   {"action": "want", "everything": false}
Out:  {"key": "syncs/wanted.json", "bottles": 12, "casks": 1, "present": 19}

In:   {"action": "rollback", "snapshot": "2026-11-15T030000Z", "channel": "default"}
In:   {"action": "promote", "channel": "stable", "snapshot": "", "dry_run": true}
Out:  {"moved": [{"channel": "default", "snapshot": "2026-11-15T030000Z",
       "was": "2026-11-22T030000Z", "files": ["formula.jws.json", …]}], "dry_run": false}

In:   {"action": "soak"}
Out:  {"moved": [as above], "waits": false}

In:   {"action": "mend", "run": "2026-11-22T040000Z"}
Out:  as the sync worker's `verify`

In:   {"action": "snapshots"}, {"action": "audit", "noted": ""}, {"action": "check"}
Out:  as `mirror.overview`, `mirror.audit` and `mirror.readiness` say

Failures are raised, never returned: the state machine retries by class name
(docs/reference/state-machine.md).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3

from mirror import (
    audit,
    channels,
    completion,
    executions,
    imports,
    keys,
    lease,
    mending,
    overview,
    planning,
    publication,
    readiness,
    reports,
    telemetry,
    wanted,
)
from mirror.connections import Connections
from mirror.errors import BadEvent, SyncUnderWay

if TYPE_CHECKING:
    from types_boto3_stepfunctions.client import SFNClient


@cache  # One set of connections per Lambda sandbox: a warm start pays for none.
def connections() -> Connections:
    """What this function talks to."""
    return Connections.connect(os.environ)


@cache  # As above; asked only when a lease is held by another execution.
def states() -> SFNClient:
    """Step Functions, which knows whether the holder of a lease still runs."""
    return boto3.client("stepfunctions")


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Do what the event's `action` says."""
    actions: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
        "plan": plan,
        "publish": publish,
        "import_publish": import_publish,
        "want": want,
        "report_failure": report_failure,
        "snapshots": lambda _: overview.overview(connections().bucket, datetime.now(UTC)),
        "audit": lambda event: audit.audit(connections().bucket, str(event.get("noted") or "")),
        "check": lambda _: readiness.check(connections()),
        "rollback": lambda event: move(event, context),
        "promote": lambda event: move(event, context),
        "soak": lambda _: soak(context),
        "mend": lambda event: mend(event, context),
    }
    action = actions.get(event.get("action", ""))
    if action is None:
        raise _bad_event("action", f"one of {', '.join(actions)}", event)
    about = connections().settings.about
    telemetry.begin("orchestrator", project=about.project, environment=about.environment)
    return lease.outlasting_soaks(connections().bucket, lambda: action(event), time.sleep)


def plan(event: Mapping[str, Any]) -> dict[str, Any]:
    """Plan a sync; with `dry_run`, only say what it would do."""
    if event.get("dry_run"):
        asked = [event.get(name) for name in ("api_url", "platforms", "formulae")]
        settings = connections().settings.overridden(asked[0] or "", asked[1] or (), asked[2] or ())
        return planning.dry_run(
            connections().with_settings(settings),
            sizes=bool(event.get("sizes")),
            why=str(event.get("why") or ""),
        )
    return planning.plan(
        connections(),
        _execution(event),
        is_running=_is_running,
        now=datetime.now(UTC),
    )


def publish(event: Mapping[str, Any]) -> dict[str, Any]:
    """Publish a planned sync whose bottles are all there."""
    sync = event.get("sync")
    if not isinstance(sync, str) or not keys.is_sync_id(sync):
        raise _bad_event("sync", "the id that `plan` answered", event)
    return publication.publish(connections(), sync, _execution(event), now=datetime.now(UTC))


def import_publish(event: Mapping[str, Any]) -> dict[str, Any]:
    """Publish what came across an air gap, once it is proven again."""
    snapshot = event.get("snapshot")
    if not isinstance(snapshot, str) or not keys.is_sync_id(snapshot):
        raise _bad_event("snapshot", "the id of a snapshot", event)
    return imports.publish(connections(), snapshot, is_running=_is_running, now=datetime.now(UTC))


def want(event: Mapping[str, Any]) -> dict[str, Any]:
    """Write out which bottles are wanted, for seeding."""
    return wanted.write(connections(), everything=bool(event.get("everything")))


def report_failure(event: Mapping[str, Any]) -> dict[str, Any]:
    """Record how a sync failed, and free the way for the next one."""
    return reports.report_failure(
        connections().bucket,
        _execution(event),
        str(event.get("error", "")),
        str(event.get("cause", "")),
        now=datetime.now(UTC),
    )


def move(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Let a channel serve another snapshot; with `dry_run`, only say which files would change."""
    act = channels.rollback if event["action"] == "rollback" else channels.promote
    channel, snapshot = event.get("channel"), event.get("snapshot")
    if not isinstance(channel, str) or not isinstance(snapshot, str):
        raise _bad_event("channel", "the name of a channel, with `snapshot` beside it", event)
    now, dry_run = datetime.now(UTC), bool(event.get("dry_run"))
    with exclusive(event["action"], context, now) if not dry_run else nullcontext():
        moved = act(connections(), channel, snapshot, now, dry_run=dry_run)
        if not dry_run:
            completion.show_moved(connections(), moved)
    return {"moved": [each.as_json() for each in moved], "dry_run": dry_run}


def soak(context: Any) -> dict[str, Any]:
    """Let what has soaked go on, as the clock asks every quarter of an hour.

    While a sync runs nothing moves: its end moves the same, and so does the next call.
    """
    now = datetime.now(UTC)
    if not channels.due(connections(), now):
        return {"moved": [], "waits": False}
    try:
        with exclusive(lease.SOAK, context, now):
            moved = channels.go_on(connections(), now)
            completion.show_moved(connections(), moved)
    except SyncUnderWay as error:
        telemetry.tell("soak_waits", problem=error.problem)
        return {"moved": [], "waits": True}
    return {"moved": [each.as_json() for each in moved], "waits": False}


def mend(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Fetch the manifests anew that a verification found damaged."""
    run = event.get("run")
    if not isinstance(run, str) or not keys.is_sync_id(run):
        raise _bad_event("run", "the id of a verification", event)
    with exclusive("mend", context, datetime.now(UTC)):
        return mending.mend(
            connections(),
            run,
            seconds_left=lambda: float(context.get_remaining_time_in_millis()) / 1000,
        )


def exclusive(action: str, context: Any, now: datetime) -> AbstractContextManager[str]:
    """The lease, for as long as this call can last."""
    lasts = timedelta(milliseconds=context.get_remaining_time_in_millis(), minutes=1)
    holder = f"{action} {context.aws_request_id}"
    return lease.held(
        connections().bucket,
        holder,
        _is_running,
        now,
        lasts,
    )


def _is_running(execution: str) -> bool:
    return executions.is_running(states(), execution)


def _execution(event: Mapping[str, Any]) -> str:
    execution = event.get("execution")
    if not isinstance(execution, str) or not execution:
        raise _bad_event("execution", "the ARN of the execution", event)
    return execution


def _bad_event(name: str, expected: str, event: Mapping[str, Any]) -> BadEvent:
    return BadEvent(
        f'"{event.get(name)}" is not {expected}',
        where=f"the event's `{name}`",
        remedy="call as docs/reference/state-machine.md says",
    )
