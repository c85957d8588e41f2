"""One deploy of one environment at a time in this checkout: Terraform's folder is shared here.

It also tells, before there is a state bucket and without a clock, that the process which held
the lock last has ended: the kernel drops the lock with its holder, and so its lease is free.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from delivery.errors import DeployUnderWay
from delivery.releases.history import now

POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Turn:
    """This process's turn: its token, and that of the one before, which has ended."""

    token: str
    before: str


@contextmanager
def held(state_dir: Path, environment: str, *, patience_seconds: float = 0) -> Iterator[Turn]:
    """Hold the environment's lock while the body runs.

    The kernel drops the lock when its holder ends, however it ends: a killed deploy leaves
    nothing that a person must unlock.

    Raises:
        DeployUnderWay: another process holds it, and did not end within the patience; the
            message says which, and since when.
    """
    path = state_dir / f"{environment}.deploy.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        _lock(file, environment, path, patience_seconds)
        turn = Turn(token=uuid.uuid4().hex, before=str(_read(file).get("token", "")))
        file.seek(0)
        file.truncate()
        json.dump({"pid": os.getpid(), "since": now(), "token": turn.token}, file)
        file.flush()
        yield turn


def _lock(file: TextIO, environment: str, path: Path, patience_seconds: float) -> None:
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                raise _taken(environment, path, file) from error
            time.sleep(POLL_SECONDS)
        else:
            return


def _taken(environment: str, path: Path, file: TextIO) -> DeployUnderWay:
    holder = _read(file)
    who = f"process {holder['pid']}, since {holder['since']}" if holder else "another process"
    return DeployUnderWay(
        f'"{environment}" is being deployed or destroyed by {who}',
        where=str(path),
        remedy="wait for it to end: add --wait 600",
    )


def _read(file: TextIO) -> Mapping[str, Any]:
    """What the last holder wrote; empty when it has the lock but has not written yet."""
    file.seek(0)
    try:
        found: Mapping[str, Any] = json.load(file)
    except ValueError:
        return {}
    return found
