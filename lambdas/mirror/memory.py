"""How many bytes of bottles may be in memory at once, whatever number of transfers there are."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

MIB = 1024 * 1024
# The smallest worker has 512 MiB, and Python with boto3 takes 90 of them.
LIMIT_BYTES = 64 * MIB


class Memory:
    """A number of bytes that threads share; whoever asks for more than is free waits."""

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit = limit_bytes
        self._taken = 0
        self._changed = threading.Condition()

    def take(self, size_bytes: int) -> None:
        """Wait until the bytes are free; one who is alone gets more than there are."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._taken == 0 or self._taken + size_bytes <= self._limit
            )
            self._taken += size_bytes

    def give_back(self, size_bytes: int) -> None:
        """The bytes are free again."""
        with self._changed:
            self._taken -= size_bytes
            self._changed.notify_all()

    @contextmanager
    def held(self, size_bytes: int) -> Iterator[None]:
        """`take` for as long as the body runs."""
        self.take(size_bytes)
        try:
            yield
        finally:
            self.give_back(size_bytes)
