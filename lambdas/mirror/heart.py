"""A sign of life while batches are carried: to the state machine, and to the lease."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from botocore.exceptions import BotoCoreError, ClientError

from mirror import lease, telemetry
from mirror.answers import Answers
from mirror.bucket import Bucket
from mirror.errors import BucketRefused, NobodyWaits, SyncUnderWay
from mirror.interruption import Interruption

# The state machine waits ten minutes for a beat (HeartbeatSeconds of CopyWithTask).
BEAT_SECONDS = 60.0


class Heart:
    """Beats from a thread of its own for as long as the body of a ``with`` runs.

    A single beat that does not get through is told and made up for by the next. Nobody
    waiting, or a lease that is lost, interrupts the work: it would be for nothing.
    """

    def __init__(
        self,
        answers: Answers,
        bucket: Bucket,
        sync: str,
        interruption: Interruption,
        *,
        beat_seconds: float = BEAT_SECONDS,
    ) -> None:
        self._answers, self._bucket, self._sync = answers, bucket, sync
        self._interruption = interruption
        self._beat_seconds = beat_seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heart", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._beat_seconds):
            try:
                self._answers.beat()
                lease.renew(self._bucket, self._sync, datetime.now(UTC))
            except (NobodyWaits, SyncUnderWay) as error:
                self._interruption.happen(error)
                return
            except (BotoCoreError, ClientError, BucketRefused) as error:
                telemetry.tell("heartbeat_missed", level="WARN", problem=str(error))
