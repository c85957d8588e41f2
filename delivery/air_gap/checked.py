"""Which files of a parcel were hashed already, so that an import that goes on need not do it again.

The record lies with whoever imports, never in the parcel: what came on the disk cannot vouch for
itself.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from pathlib import Path
from typing import Self

from delivery.air_gap.parcel import File

# Source: FAT's times go in steps of 2 s: what was changed just now could change again unseen.
SETTLED_SECONDS = 2.0
NS = 1_000_000_000

# What a file system tells of a file, all of which a change of its bytes would move. The time of
# the last change (ctime) is set by the system alone: no tool puts it back.
_State = tuple[int, int, int, int, int]


class Checked:
    """One line a file: name, SHA-256, and what its file system said of it before it was read.

    A line counts only while all of that is still so; one that a kill tore apart counts for
    nothing. Safe to share between threads.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: dict[str, tuple[str, _State]] = {}
        self._lock = threading.Lock()

    @classmethod
    def of(cls, records: Path, folder: Path, document: bytes) -> Self:
        """The record of one parcel in one folder.

        Args:
            records: the folder that holds this machine's records.
            folder: the parcel's.
            document: its signed list; another list has another record.
        """
        name = hashlib.sha256(document + os.fsencode(folder.resolve())).hexdigest()
        found = cls(records / f"{name}.jsonl")
        if found._file.is_file():
            for line in found._file.read_text(encoding="utf-8", errors="replace").splitlines():
                found._recall(line)
        return found

    def holds(self, name: str, path: Path, file: File) -> bool:
        """Whether the file was seen to be what was signed, and is untouched since."""
        known = self._known.get(name)
        return known is not None and known == (file.sha256, _state(path.lstat()))

    def note(self, name: str, path: Path, file: File, before: os.stat_result) -> None:
        """The file was hashed and is what was signed.

        Args:
            before: of the file, from before it was read.
        """
        state = _state(before)
        is_settled = max(before.st_mtime_ns, before.st_ctime_ns) < _settled_ns()
        if not is_settled or state != _state(path.lstat()):
            return
        line = json.dumps([name, file.sha256, *state])
        with self._lock:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a", encoding="utf-8") as opened:
                opened.write(f"\n{line}")  # Ends a line that a kill tore apart.

    def forget(self) -> None:
        """The parcel is imported: nothing will go on with it."""
        self._file.unlink(missing_ok=True)

    def _recall(self, line: str) -> None:
        try:
            name, sha256, *state = json.loads(line)
            size, mtime, ctime, inode, device = map(int, state)
        except (TypeError, ValueError):
            return
        self._known[name] = (sha256, (size, mtime, ctime, inode, device))


def _state(found: os.stat_result) -> _State:
    return (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev)


def _settled_ns() -> int:
    return time.time_ns() - int(SETTLED_SECONDS * NS)
