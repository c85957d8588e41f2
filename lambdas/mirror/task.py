"""A whole sync's batches in turn, by a task that answers the state machine itself."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from mirror import keys, telemetry, worker
from mirror.answers import Answers
from mirror.bucket import Bucket
from mirror.connections import Connections
from mirror.errors import MirrorError, NobodyWaits
from mirror.heart import Heart
from mirror.interruption import Interruption
from mirror.settings import TaskOrder
from mirror.worker import BatchResult, Outcome


def run(
    order: TaskOrder,
    answers: Answers,
    connect: Callable[[], Connections],
    interruption: Interruption,
) -> int:
    """Carry the sync that `order` points to, and answer for it, whatever becomes of it.

    What an earlier task of the same sync has done is not done again: a batch without
    anything left is passed over, and in one that was broken off each bottle is looked for.

    Args:
        connect: what the worker talks to; a failure of it is answered, too.

    Returns:
        0 when all was carried, 1 when something else was answered, or nobody waits.
    """
    try:
        answers.beat()
        answers.succeed(_carry(order, answers, connect(), interruption))
    except NobodyWaits as error:
        telemetry.tell("task_ended", level="WARN", problem=error.problem)
        return 1
    except MirrorError as error:
        name = type(error).__name__
        telemetry.tell("task_ended", level="ERROR", error=name, problem=error.problem)
        answers.fail(error)
        return 1
    except Exception as error:
        # A bug: the state machine must not wait for a heartbeat that ends without a word.
        answers.fail(error)
        raise
    return 0


def _carry(
    order: TaskOrder, answers: Answers, connections: Connections, interruption: Interruption
) -> Mapping[str, int]:
    """Every batch; the counts are what this task did.

    Raises:
        Interrupted: the task was told to stop; another one goes on.
        SyncUnderWay: another sync has taken over the lease.
        BucketRefused: S3 does not do its part.
    """
    settings = replace(connections.settings, transfers=connections.settings.task_transfers)
    connections = connections.with_settings(settings)
    about = settings.about
    telemetry.begin("sync_task", project=about.project, environment=about.environment)
    sync = keys.sync_of_batches(order.batches_key)
    telemetry.about(sync)
    counts: Counter[str] = Counter(batches=0, copied=0, bytes=0, failed=0)
    with Heart(answers, connections.bucket, sync, interruption):
        for each in json.loads(connections.bucket.read(order.batches_key)):
            if not _is_done(connections.bucket, each["batch"]):
                counts.update(_counts(_carry_batch(connections, each["batch"], interruption)))
    telemetry.tell("task_done", counts=dict(counts))
    return dict(counts)


def _carry_batch(
    connections: Connections, batch_key: str, interruption: Interruption
) -> BatchResult:
    interruption.check()
    while True:
        result = worker.run(
            connections,
            batch_key,
            seconds_left=interruption.seconds_left,
            is_stopping=interruption.has_happened,
        )
        if result.count(Outcome.LEFT) == 0:
            return result
        interruption.check()


def _counts(result: BatchResult) -> Mapping[str, int]:
    return {
        "batches": 1,
        "copied": result.count(Outcome.COPIED),
        "bytes": result.size_bytes,
        "failed": result.count(Outcome.FAILED),
    }


def _is_done(bucket: Bucket, batch_key: str) -> bool:
    """Whether an earlier task, or a Lambda, has left nothing of it; what failed is tried anew."""
    body = bucket.find(keys.result(batch_key))
    result: dict[str, Any] = json.loads(body) if body else {"left": 1}
    return result["left"] == 0 and not result["failed"]
