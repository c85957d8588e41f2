"""Syncs, as executions of the state machine: start one, follow it, say how it ended."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from delivery.cloud import Cloud
from delivery.errors import SyncFailed
from delivery.mirror import mirror_words

POLL_SECONDS = 0.4
# A sync of the whole catalogue takes hours; a person who follows it can stop following.
FOLLOW_SECONDS = 6 * 3600


@dataclass(frozen=True)
class Execution:
    """A finished execution: its output is what `publish` answered."""

    arn: str
    seconds: float
    output: Mapping[str, Any]


@dataclass(frozen=True)
class ExecutionSummary:
    """An execution as `inv status` shows it."""

    name: str
    status: str
    started: datetime


def start(cloud: Cloud, state_machine_arn: str) -> str:
    """Start a sync and return the execution's ARN."""
    started = cloud.client("stepfunctions").start_execution(
        stateMachineArn=state_machine_arn, input="{}"
    )
    return str(started["executionArn"])


def follow(
    cloud: Cloud,
    execution_arn: str,
    detail: Callable[[str], None],
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Execution:
    """Wait for the end of an execution, telling each state that it enters.

    Raises:
        SyncFailed: it ended FAILED, TIMED_OUT or ABORTED; the message has its error and cause.
    """
    states = cloud.client("stepfunctions")
    since, told = time.monotonic(), ""
    while True:
        found = states.describe_execution(executionArn=execution_arn)
        seconds = time.monotonic() - since
        if found["status"] != "RUNNING":
            break
        if seconds > FOLLOW_SECONDS:
            raise _still_running(execution_arn)
        now = _current(states, execution_arn)
        if now != told:
            detail(now)
            told = now
        sleep(POLL_SECONDS)
    if found["status"] != "SUCCEEDED":
        raise _failure(found)
    return Execution(execution_arn, seconds, json.loads(found.get("output") or "{}"))


def latest(cloud: Cloud, state_machine_arn: str) -> ExecutionSummary | None:
    """The newest execution, or None when the state machine never ran."""
    found = cloud.client("stepfunctions").list_executions(
        stateMachineArn=state_machine_arn, maxResults=1
    )["executions"]
    if not found:
        return None
    return ExecutionSummary(found[0]["name"], found[0]["status"], found[0]["startDate"])


def _current(states: Any, execution_arn: str) -> str:
    """The state entered last, with the batches done so far when it is the Map."""
    history = states.get_execution_history(
        executionArn=execution_arn, reverseOrder=True, maxResults=50
    )["events"]
    entered = [
        event["stateEnteredEventDetails"]["name"]
        for event in history
        if "stateEnteredEventDetails" in event
    ]
    state = entered[0] if entered else "Starting"
    return f"{state} {_batches(states, execution_arn)}".rstrip()


def _batches(states: Any, execution_arn: str) -> str:
    runs = states.list_map_runs(executionArn=execution_arn)["mapRuns"]
    if not runs:
        return ""
    counts = states.describe_map_run(mapRunArn=runs[0]["mapRunArn"])["itemCounts"]
    return f"({counts['succeeded']} of {counts['total']} batches)"


def _failure(found: Mapping[str, Any]) -> SyncFailed:
    told = mirror_words.parse(str(found.get("cause", "no cause was given")))
    execution = str(found["executionArn"])
    return SyncFailed(
        f"the sync ended {found['status']}: {found.get('error', 'no error name')}: {told.problem}",
        where=f"{told.where} ({execution})" if told.where else execution,
        remedy=told.remedy
        or "mend what the cause names, then `inv mirror.sync`; what is published still stands",
    )


def _still_running(execution_arn: str) -> SyncFailed:
    return SyncFailed(
        f"the sync is still running after {FOLLOW_SECONDS // 3600} hours",
        where=execution_arn,
        remedy="it goes on by itself; look again with `inv status`",
    )
