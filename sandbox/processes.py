"""Server processes that outlive the command that started them, known by pid and start time."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

POLL_SECONDS = 0.02
# Nothing survives SIGKILL for long, but in a container without an init that collects them the
# dead stay listed, and waiting for them would have no end.
DEATH_SECONDS = 1.0
TERMINATION_SECONDS = 15.0  # MiniStack saves its state and lets open requests end.

# Keeps the handles of what this process started: Python warns about a handle that is dropped
# while its process runs, and running on is what these are for.
_started: list[subprocess.Popen[bytes]] = []


def start(
    command: Sequence[str], environment: Mapping[str, str], log: Path, folder: Path
) -> tuple[int, str]:
    """Start a process in a session of its own, without input, writing to the end of `log`.

    Returns:
        Its pid, and its start time as `started_at` tells it.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _started.append(process)
    return process.pid, started_at(process.pid) or ""


def started_at(pid: int) -> str | None:
    """When the process with this pid began, as the system tells it; None when there is none.

    With the pid it names one process for good: a pid alone may be reused. A process that has
    ended and was not collected by its parent yet counts as gone.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return None if Path("/proc/self/stat").exists() else _started_at_by_ps(pid)
    except ProcessLookupError:
        return None
    # Source: proc(5). The second field is in brackets and may hold anything; fields 3 and 22.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]


def is_running(pid: int, started: str) -> bool:
    """Whether the process that was started then still runs, not just one with its pid."""
    return started_at(pid) == started


def stop(pid: int, started: str, *, patience_seconds: float = TERMINATION_SECONDS) -> None:
    """End the process and all that it started: kindly first, by force after `patience_seconds`.

    Safe to call for one that is long gone, or whose pid now belongs to somebody else.
    """
    if is_running(pid, started):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + patience_seconds
        while is_running(pid, started) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
    end_group(pid, started)


def end_group(pid: int, started: str) -> None:
    """Kill what is left of the session that the process opened, itself included."""
    now = started_at(pid)
    if now not in (None, started):
        return  # The pid was given to somebody else, and so may be the group of that number.
    # MiniStack's Lambda workers are in its group. While one of them lives, no new process can
    # get the group's number as its pid, so this hits nobody else.
    deadline = time.monotonic() + DEATH_SECONDS
    with suppress(ProcessLookupError, PermissionError):
        while time.monotonic() < deadline:
            os.killpg(pid, signal.SIGKILL)
            time.sleep(POLL_SECONDS)
            _collect()


def _collect() -> None:
    """Take the exit codes of our own ended children, so that none stays as a zombie."""
    _started[:] = [process for process in _started if process.poll() is None]


def _started_at_by_ps(pid: int) -> str | None:
    command = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
    found = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
    return None if not found or found[0].startswith("Z") else " ".join(found[1:])
