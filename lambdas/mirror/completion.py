"""What follows a publish: the status page, the report, the metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from mirror import changes, reports, snapshots, status, telemetry
from mirror.bucket import Bucket
from mirror.channels import Moved
from mirror.connections import Connections
from mirror.errors import BucketRefused
from mirror.plans import Plan
from mirror.snapshots import Snapshot
from mirror.telemetry import Metric


def conclude(
    connections: Connections,
    plan: Plan,
    answer: Mapping[str, Any],
    previous: Snapshot | None,
    *,
    moved: Mapping[str, str],
    began: datetime,
    publish_seconds: float,
) -> None:
    """Tell of a publish everywhere that it is to be told of; ``api/`` has been written.

    Args:
        answer: of the state `Publish`.
        previous: the snapshot before this one.
        moved: channel → the snapshot that it serves since this publish.
        began: when publishing began.

    Raises:
        BucketRefused: the report cannot be written; publish again.
    """
    bucket = connections.bucket
    _show(connections, plan, moved, began)
    held = snapshots.bottles(bucket, previous) if previous else []
    casks = snapshots.casks_of(bucket, previous.document) if previous else []
    against = {"against": previous.id if previous else None}
    seconds = _seconds(plan, began, publish_seconds)
    reports.write_published(
        bucket,
        plan,
        answer,
        seconds=seconds,
        changes=against | changes.between(held, plan.bottles, casks, plan.casks),
        now=began + timedelta(seconds=publish_seconds),
    )
    _measure(answer, seconds)


def conclude_without_news(
    connections: Connections, plan: Plan, answer: Mapping[str, Any], *, now: datetime
) -> None:
    """Tell of a sync that found everything published already (docs/adr/0012)."""
    _tell_checked(connections.bucket, now)
    seconds = _seconds(plan, now, publish_seconds=0)
    unchanged = {"against": answer["snapshot"], **changes.between((), ())}
    reports.write_published(
        connections.bucket, plan, answer, seconds=seconds, changes=unchanged, now=now
    )
    metrics = {
        Metric.SYNCS_WITHOUT_NEWS: 1,
        Metric.SYNC_SECONDS: seconds["total"],
        Metric.RETRIES: sum(plan.account.retries.values()),
    }
    retries = plan.account.retries
    telemetry.measure("without_news", metrics, snapshot=answer["snapshot"], retries=retries)


def show_moved(connections: Connections, moved: Iterable[Moved]) -> None:
    """Let the status page follow a move of channels; it may lag, as after a publish."""
    try:
        status.move(connections, {each.channel: each.snapshot for each in moved})
    except BucketRefused as error:
        _tell_lag(error)


def _show(connections: Connections, plan: Plan, moved: Mapping[str, str], now: datetime) -> None:
    try:
        status.write(connections, plan, moved, now)
        status.write_checked(connections.bucket, now)
    except BucketRefused as error:
        _tell_lag(error)


def _tell_checked(bucket: Bucket, now: datetime) -> None:
    try:
        status.write_checked(bucket, now)
    except BucketRefused as error:
        _tell_lag(error)


def _tell_lag(error: BucketRefused) -> None:
    """What brew reads is published. The page may lag: the next publish writes it anew."""
    telemetry.tell("status_page_failed", level="ERROR", problem=error.problem, where=error.where)


def _seconds(plan: Plan, began: datetime, publish_seconds: float) -> dict[str, float]:
    account = plan.account
    copy_seconds = max(0.0, began.timestamp() - account.started_at - account.seconds)
    phases = {"plan": account.seconds, "copy": copy_seconds, "publish": publish_seconds}
    phases["total"] = sum(phases.values())
    return {name: round(seconds, 3) for name, seconds in phases.items()}


def _measure(answer: Mapping[str, Any], seconds: Mapping[str, float]) -> None:
    metrics: dict[Metric, float] = {
        Metric.SYNCS_PUBLISHED: 1,
        Metric.BOTTLES_PUBLISHED: answer["bottles"],
        Metric.BYTES_PUBLISHED: answer["bytes"],
        Metric.PUBLISH_SECONDS: seconds["publish"],
        Metric.SYNC_SECONDS: seconds["total"],
    }
    told = ("snapshot", "formulae", "copied", "api_files_changed")
    telemetry.measure("published", metrics, **{name: answer[name] for name in told})
