"""One batch of bottles and casks, from upstream into the bucket, until done or out of time."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from mirror import keys, lease, telemetry
from mirror.bottles import Bottle
from mirror.casks import CaskFile, Held
from mirror.connections import Connections
from mirror.deadline import Deadline
from mirror.errors import BucketRefused, DigestMismatch, MirrorError, OutOfTime
from mirror.memory import Memory
from mirror.telemetry import Metric
from mirror.transfer import copy_blob


class Outcome(Enum):
    """How one bottle of a batch ended."""

    COPIED = "copied"
    PRESENT = "present"
    LEFT = "left"
    FAILED = "failed"


@dataclass(frozen=True)
class Carried:
    """One bottle, or cask, of the batch, how it ended, and why if it failed.

    Args:
        size_bytes: that were copied.
        error: the name of the error's class.
    """

    bottle: Held
    outcome: Outcome
    problem: str = ""
    error: str = ""
    size_bytes: int = 0


@dataclass(frozen=True)
class BatchResult:
    """What a batch came to; `key` is where it is written."""

    key: str
    carried: tuple[Carried, ...]
    seconds: float
    retries: Mapping[str, int]

    def count(self, outcome: Outcome) -> int:
        """How many bottles ended so."""
        return Counter(each.outcome for each in self.carried)[outcome]

    @property
    def size_bytes(self) -> int:
        """Bytes copied."""
        return sum(each.size_bytes for each in self.carried)

    def as_json(self) -> dict[str, Any]:
        """``syncs/<id>/results/<n>.json`` (docs/reference/bucket-layout.md)."""
        failed = [
            {"bottle": each.bottle.label, "error": each.error, "problem": each.problem}
            for each in self.carried
            if each.outcome is Outcome.FAILED
        ]
        return {
            "copied": self.count(Outcome.COPIED),
            "bytes": self.size_bytes,
            "left": self.count(Outcome.LEFT),
            "failed": failed,
            "seconds": round(self.seconds, 3),
            "retries": dict(self.retries),
        }

    def as_answer(self) -> dict[str, Any]:
        """What the state machine gets: pointers and counts (docs/reference/state-machine.md)."""
        failed = self.count(Outcome.FAILED)
        told = {name: self.as_json()[name] for name in ("copied", "bytes", "left")}
        return {"result": self.key, **told, "failed": failed}


def run(
    connections: Connections,
    batch_key: str,
    *,
    seconds_left: Callable[[], float],
    is_stopping: Callable[[], bool] = lambda: False,
) -> BatchResult:
    """Copy what the bucket does not have yet; running it twice changes nothing.

    The first try takes the plan's word for what is missing. It leaves a result that says so
    before it begins, so that any further try looks at each bottle (docs/adr/0011).

    A bottle that upstream does not give as promised stands in the result with the reason,
    and does not stop the others.

    Args:
        seconds_left: of the function's time. Bottles that no longer fit are handed back.
        is_stopping: whether no further bottle is to be begun; what is under way may end.

    Raises:
        BadEvent: `batch_key` is not the key of a batch.
        SyncUnderWay: the batch's sync no longer holds the lease.
        BucketRefused: S3 does not do its part; no bottle would fare better.
    """
    since, result_key = time.monotonic(), keys.result(batch_key)
    batch = json.loads(connections.bucket.read(batch_key))
    telemetry.about(batch["sync"])
    lease.renew(connections.bucket, batch["sync"], datetime.now(UTC))
    bottles: list[Held] = [
        *(Bottle.from_json(each) for each in batch["bottles"]),
        *(CaskFile.from_json(each) for each in batch.get("casks", ())),
    ]
    carrier = _Carrier(
        connections,
        Deadline(seconds_left, connections.fetcher.sleep),
        is_stopping,
        is_first_try=connections.bucket.replace(result_key, _begun(bottles), None),
    )
    with ThreadPoolExecutor(connections.settings.transfers) as pool:
        carried = tuple(pool.map(carrier.carry, bottles))
    result = BatchResult(
        result_key,
        carried if is_stopping() else _without_standstill(carried),
        time.monotonic() - since,
        telemetry.take_retries(),
    )
    connections.bucket.write_json(result_key, result.as_json())
    _measure(batch_key, result)
    return result


def _measure(batch_key: str, result: BatchResult) -> None:
    failed = [each.error for each in result.carried if each.outcome is Outcome.FAILED]
    metrics = {
        Metric.BOTTLES_COPIED: result.count(Outcome.COPIED),
        Metric.BYTES_COPIED: result.size_bytes,
        Metric.BOTTLES_LEFT: result.count(Outcome.LEFT),
        Metric.BOTTLES_FAILED: len(failed),
        Metric.BATCH_SECONDS: round(result.seconds, 3),
        Metric.RETRIES: sum(result.retries.values()),
    }
    telemetry.measure(
        "batch_done",
        metrics,
        failures=Counter(failed),
        batch=batch_key,
        result=result.key,
        retries=result.retries,
    )


def _begun(bottles: Sequence[Held]) -> dict[str, Any]:
    return {"copied": 0, "bytes": 0, "left": len(bottles), "failed": []}


class _Carrier:
    """Carries the bottles of one batch, each by a thread of its own.

    Args:
        is_first_try: nobody has begun this batch, so what the plan missed is missing still.
    """

    def __init__(
        self,
        connections: Connections,
        deadline: Deadline,
        is_stopping: Callable[[], bool],
        *,
        is_first_try: bool,
    ) -> None:
        self._bucket, self._registry = connections.bucket, connections.registry
        self._downloads = connections.downloads
        self._deadline, self._is_stopping = deadline, is_stopping
        self._is_first_try = is_first_try
        self._memory = Memory()

    def carry(self, bottle: Held) -> Carried:
        """Copy one bottle unless it is there; only what the bucket refuses is raised."""
        if self._deadline.is_near() or self._is_stopping():
            return Carried(bottle, Outcome.LEFT)
        try:
            return self._bring(bottle)
        except OutOfTime:
            return Carried(bottle, Outcome.LEFT)
        except BucketRefused:
            raise
        except MirrorError as error:
            name, problem = type(error).__name__, error.problem
            telemetry.tell(
                "bottle_failed",
                level="WARN",
                bottle=bottle.label,
                error=name,
                problem=problem,
                where=error.where,
            )
            return Carried(bottle, Outcome.FAILED, f"{name}: {problem}", name)

    def _bring(self, bottle: Held) -> Carried:
        if not self._is_first_try and self._is_there(bottle):
            return Carried(bottle, Outcome.PRESENT)
        try:
            size_bytes = self._copy(bottle)
        except DigestMismatch as error:
            # Damaged on its way, or by a cache that asking again passes by: once, from scratch.
            telemetry.tell("bottle_again", level="WARN", bottle=bottle.label, problem=error.problem)
            size_bytes = self._copy(bottle)
        return Carried(bottle, Outcome.COPIED, size_bytes=size_bytes)

    def _is_there(self, bottle: Held) -> bool:
        held = self._bucket.size(bottle.blob_key)
        return held is not None and bottle.promised_bytes in (None, held)

    def _copy(self, bottle: Held) -> int:
        pieces = self._pieces(bottle)
        with closing(pieces):
            return copy_blob(
                bottle, self._deadline.watch(pieces), self._bucket, memory=self._memory
            )

    def _pieces(self, bottle: Held) -> Generator[bytes]:
        if isinstance(bottle, CaskFile):
            return self._downloads.pieces(bottle, sleep=self._deadline.sleep)
        return self._registry.blob(
            bottle.image, bottle.digest, bottle.size_bytes, sleep=self._deadline.sleep
        )


def _without_standstill(carried: tuple[Carried, ...]) -> tuple[Carried, ...]:
    """Fail what is left if nothing was copied: the next try would come no further."""
    if any(each.outcome is Outcome.COPIED for each in carried):
        return carried
    problem = "was not reached, or does not fit, within the worker's timeout"
    return tuple(
        Carried(each.bottle, Outcome.FAILED, problem, "OutOfTime")
        if each.outcome is Outcome.LEFT
        else each
        for each in carried
    )
