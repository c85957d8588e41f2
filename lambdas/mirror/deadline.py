"""How much of a Lambda's time is left, and what no longer fits into it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from mirror.errors import OutOfTime
from mirror.pacing import Sleep

# Aborting the uploads under way and writing the result take a few seconds; a stalled read ends
# after 30 s (fetching.READ_SECONDS).
MARGIN_SECONDS = 45


class Deadline:
    """The end of the time, less a margin to leave in good order.

    Args:
        seconds_left: asked again each time; falls as time goes by.
        sleep: how to pause.
    """

    def __init__(self, seconds_left: Callable[[], float], sleep: Sleep = time.sleep) -> None:
        self._seconds_left, self._sleep = seconds_left, sleep
        # A quarter at most: a function with a short timeout must get something done.
        self._margin = min(MARGIN_SECONDS, seconds_left() / 4)

    def is_near(self) -> bool:
        """Whether only the margin is left."""
        return self._seconds_left() <= self._margin

    def watch(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Pass the chunks on for as long as there is time.

        Raises:
            OutOfTime: the margin is reached.
        """
        for chunk in chunks:
            if self.is_near():
                raise _out_of_time()
            yield chunk

    def sleep(self, seconds: float) -> None:
        """Pause, unless the pause would reach into the margin.

        Raises:
            OutOfTime: it would.
        """
        if self._seconds_left() - seconds <= self._margin:
            raise _out_of_time()
        if seconds:
            self._sleep(seconds)


def _out_of_time() -> OutOfTime:
    return OutOfTime(
        "the function's time is over",
        where="functions.sync_worker.timeout_seconds",
        remedy="nothing to do: the state machine calls again with the same batch",
    )
