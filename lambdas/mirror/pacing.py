"""How hard one worker leans on upstream: all of its requests slow down together, and recover.

GHCR counts anonymous requests per address, so that one transfer that is told to wait speaks for all
others of the same function. Additive increase, multiplicative decrease, as TCP does (RFC 5681).
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Sleep = Callable[[float], None]

MOST_TURNS = 64
# Whoever waited for the same moment must not come in one step.
SPREAD_SECONDS = 0.5
# Few answers come where few turns are given: a while without complaint counts as a round of them.
QUIET_SECONDS = 10.0


class Pace:
    """Turns for requests to upstream, as many at a time as it bears; shared by threads.

    Args:
        clock: seconds that never go back.
    """

    def __init__(
        self, most: int = MOST_TURNS, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most, self._clock = most, clock
        self._limit = float(most)
        self._active = 0
        self._not_before = self._cut_at = self._quiet_since = clock()
        self._changed = threading.Condition()

    @property
    def limit(self) -> int:
        """How many turns are given at a time, now."""
        return int(self._limit_now())

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn, and hold it for as long as the body runs."""
        with self._changed:
            while self._active >= self.limit:
                # Time gives turns back, too, and tells nobody.
                self._changed.wait(QUIET_SECONDS)
            self._active += 1
        try:
            yield
        finally:
            with self._changed:
                self._active -= 1
                self._changed.notify_all()

    def wait(self, sleep: Sleep) -> float:
        """Sleep until upstream wants to be asked again; returns the moment of asking."""
        seconds = self._not_before - self._clock()
        if seconds > 0:
            sleep(seconds + random.uniform(0, SPREAD_SECONDS))  # noqa: S311 - spreads load only
        return self._clock()

    def slow_down(self, seconds: float, asked_at: float) -> None:
        """Upstream is busy: nobody asks for so long, and then half as many at a time.

        One turn comes back with each `QUIET_SECONDS` after that, whether or not it answers.

        Args:
            asked_at: when the request began, by `wait`. Those that were under way together
                when upstream became busy count as one complaint.
        """
        with self._changed:
            now = self._clock()
            self._limit = self._limit_now()
            self._not_before = self._quiet_since = max(self._not_before, now + seconds)
            if asked_at >= self._cut_at:
                self._limit = max(1.0, min(self._limit, self._active or self._limit) / 2)
                self._cut_at = now

    def speed_up(self) -> None:
        """Upstream has answered: one turn more for each round of answers."""
        with self._changed:
            if self._limit < self._most:
                self._limit = min(float(self._most), self._limit + 1 / self._limit)
                self._changed.notify_all()

    def _limit_now(self) -> float:
        quiet_seconds = max(0.0, self._clock() - self._quiet_since)
        return min(float(self._most), self._limit + quiet_seconds / QUIET_SECONDS)
