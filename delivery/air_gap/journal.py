"""Which files of an export are proven already, so that a resume need not hash them again."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from delivery.air_gap import parcel
from delivery.air_gap.parcel import File

NAME = ".airbrew-export.jsonl"


@dataclass(frozen=True)
class _Entry:
    file: File
    mtime_ns: int


class Journal:
    """One line a file: path, size, SHA-256 and the time of its last change.

    An entry counts only while size and time are still those of the file. A line that a kill
    tore apart counts for nothing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._path = folder, folder / NAME
        self._entries: dict[str, _Entry] = {}
        self._lock = threading.Lock()

    @classmethod
    def of(cls, folder: Path) -> Self:
        """The journal of a folder, with what an earlier export wrote into it."""
        journal = cls(folder)
        if journal._path.is_file():
            for line in journal._path.read_text(encoding="utf-8", errors="replace").splitlines():
                journal._recall(line)
        return journal

    @property
    def is_there(self) -> bool:
        """Whether an export into this folder has begun and not ended."""
        return self._path.is_file()

    @property
    def paths(self) -> frozenset[str]:
        """Every file that an export has written into this folder."""
        return frozenset(self._entries)

    def begin(self) -> None:
        """Mark the folder as that of an export."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write("\n")  # Ends a line that a kill tore apart.

    def proven(self, path: str) -> File | None:
        """What the file was when it was hashed, if it has not changed since."""
        entry = self._entries.get(path)
        if entry is None:
            return None
        try:
            found = (self._folder / path).lstat()
        except OSError:
            return None
        is_same = (found.st_size, found.st_mtime_ns) == (entry.file.size_bytes, entry.mtime_ns)
        return entry.file if is_same else None

    def note(self, path: str, file: File) -> None:
        """The file is there and has this digest."""
        mtime_ns = (self._folder / path).lstat().st_mtime_ns
        line = json.dumps([path, file.size_bytes, file.sha256, mtime_ns])
        with self._lock, self._path.open("a", encoding="utf-8") as opened:
            opened.write(f"{line}\n")
        self._entries[path] = _Entry(file, mtime_ns)

    def end(self) -> None:
        """The export is whole: `parcel.json` says all from here on."""
        self._path.unlink(missing_ok=True)

    def _recall(self, line: str) -> None:
        try:
            path, size_bytes, sha256, mtime_ns = json.loads(line)
        except (TypeError, ValueError):
            return
        if parcel.is_path(path):
            self._entries[path] = _Entry(File(size_bytes, sha256), mtime_ns)
