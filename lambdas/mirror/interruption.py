"""Being told to stop, as a Spot task is two minutes before it is taken away."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from mirror.errors import Interrupted, MirrorError

# From SIGTERM to SIGKILL: `stopTimeout` of the container (terraform/modules/task), less what
# answering takes. Source: AWS Fargate, "Spot capacity": two minutes' notice.
GRACE_SECONDS = 110


class Interruption:
    """Whether it has happened, why, and how long there is still.

    Happens at most once; `happen` may be called from a signal handler and from any thread.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: float | None = None
        self._why: MirrorError | None = None
        self._happened = threading.Event()

    def happen(self, why: MirrorError | None = None) -> None:
        """Ask to stop: because of SIGTERM, or of what a thread found out."""
        if self._since is None:
            self._since, self._why = self._clock(), why
            self._happened.set()

    def has_happened(self) -> bool:
        """Whether nothing new is to be begun."""
        return self._happened.is_set()

    def seconds_left(self) -> float:
        """How long what is under way may take; without an interruption as long as it likes."""
        if self._since is None:
            return math.inf
        return max(0.0, GRACE_SECONDS - (self._clock() - self._since))

    def check(self) -> None:
        """Go on, or raise.

        Raises:
            Interrupted: SIGTERM came.
            MirrorError: what a thread found out.
        """
        if self.has_happened():
            raise self._why or Interrupted(
                "the task was told to stop, and hands back what is left",
                where="SIGTERM, as a Spot interruption or StopTask sends it",
                remedy="nothing to do: the state machine runs another task, which goes on",
            )
