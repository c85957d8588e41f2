"""One deploy of one environment at a time on this machine; Terraform's own lock guards the rest."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from delivery.errors import DeployUnderWay
from delivery.releases.history import now


@contextmanager
def held(state_dir: Path, environment: str) -> Iterator[None]:
    """Hold the environment's lock while the body runs.

    The kernel drops the lock when its holder ends, however it ends: a killed deploy leaves
    nothing that a person must unlock.

    Raises:
        DeployUnderWay: another process holds it; the message says which, and since when.
    """
    path = state_dir / f"{environment}.deploy.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _taken(environment, path, file) from error
        file.seek(0)
        file.truncate()
        json.dump({"pid": os.getpid(), "since": now()}, file)
        file.flush()
        yield


def _taken(environment: str, path: Path, file: TextIO) -> DeployUnderWay:
    file.seek(0)
    try:
        holder = json.load(file)
        who = f"process {holder['pid']}, since {holder['since']}"
    except ValueError:  # The holder has the lock but has not written its name yet.
        who = "a process that has just started"
    return DeployUnderWay(
        f'"{environment}" is being deployed or destroyed by {who}',
        where=str(path),
        remedy="wait for it to end, then run the command again",
    )
