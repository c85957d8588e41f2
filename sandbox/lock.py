"""One command at a time may start or stop the sandbox."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.errors import SandboxBusy

POLL_SECONDS = 0.05


@contextmanager
def held(file: Path, *, patience_seconds: float) -> Iterator[None]:
    """Hold the lock while the body runs; the system lets go of it when the process dies.

    Raises:
        SandboxBusy: somebody else held it for `patience_seconds`.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as handle:
        deadline = time.monotonic() + patience_seconds
        while not _taken(handle.fileno()):
            if time.monotonic() >= deadline:
                raise SandboxBusy(
                    f"another command has been starting or stopping the sandbox for more than "
                    f"{patience_seconds:.0f} s",
                    where=str(file),
                    remedy="wait for it, or end it, and run this again",
                )
            time.sleep(POLL_SECONDS)
        yield


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
