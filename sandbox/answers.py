"""An HTTP answer as a value, with the rules for conditions and ranges.

Source: RFC 9110, 13 (conditional requests) and 14 (ranges).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from email.message import Message
from email.utils import formatdate, parsedate_to_datetime
from pathlib import Path
from typing import TypeAlias

Asked: TypeAlias = "Message[str, str]"  # Request headers: names in any case.

BYTE_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True)
class File:
    """A file to be sent, whole or in part."""

    path: Path
    content_type: str
    etag: str


@dataclass(frozen=True)
class Answer:
    """Status, headers and body; the body is bytes or a part of a file.

    Args:
        source: the file whose bytes from `start`, `length` of them, are the body.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    source: Path | None = None
    start: int = 0
    length: int = 0

    @classmethod
    def json(cls, status: int, value: object) -> Answer:
        """A JSON document."""
        return cls(status, {"Content-Type": "application/json"}, json.dumps(value).encode())

    @classmethod
    def file(cls, file: File) -> Answer:
        """All of a file; `in_part` and `unless_known` make less of it."""
        stat = file.path.stat()
        headers = {
            "Content-Type": file.content_type,
            "ETag": file.etag,
            "Last-Modified": formatdate(int(stat.st_mtime), usegmt=True),
            "Accept-Ranges": "bytes",
        }
        return cls(200, headers, source=file.path, length=stat.st_size)

    @property
    def size(self) -> int:
        """Bytes of the body."""
        return self.length if self.source else len(self.body)

    def unless_known(self, asked: Asked) -> Answer:
        """304 when the client says that it has this already; If-None-Match goes first."""
        if "If-None-Match" in asked:
            known = _is_listed(self.headers.get("ETag", ""), asked["If-None-Match"])
        else:
            known = self._is_not_newer_than(asked.get("If-Modified-Since", ""))
        if self.status != 200 or not known:
            return self
        kept = ("ETag", "Last-Modified", "Vary")
        return Answer(304, {name: self.headers[name] for name in kept if name in self.headers})

    def in_part(self, asked: Asked) -> Answer:
        """206 with the one range that was asked for, 416 when there is nothing in it."""
        wanted = BYTE_RANGE.fullmatch(asked.get("Range", ""))
        if self.status != 200 or self.source is None or not wanted or wanted.group() == "bytes=-":
            return self
        if asked.get("If-Range", self.headers.get("ETag")) != self.headers.get("ETag"):
            return self
        first, last = _bounds(wanted[1], wanted[2], self.length)
        if first > last:
            return Answer(416, {"Content-Range": f"bytes */{self.length}"})
        headers = {**self.headers, "Content-Range": f"bytes {first}-{last}/{self.length}"}
        return replace(self, status=206, headers=headers, start=first, length=last - first + 1)

    def compressed(self, packed: bytes) -> Answer:
        """The same in gzip, whose bytes are `packed`; no ranges of that."""
        headers = {**self.headers, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        headers.pop("Accept-Ranges", None)
        return Answer(self.status, headers, packed)

    def whole(self) -> bytes:
        """The body in memory."""
        if self.source is None:
            return self.body
        with self.source.open("rb") as opened:
            opened.seek(self.start)
            return opened.read(self.length)

    def _is_not_newer_than(self, moment: str) -> bool:
        if not moment or "Last-Modified" not in self.headers:
            return False
        try:
            since = parsedate_to_datetime(moment)
            return parsedate_to_datetime(self.headers["Last-Modified"]) <= since
        except (TypeError, ValueError):
            return False  # An unreadable date is to be ignored (RFC 9110, 13.1.3).


def _is_listed(etag: str, asked: str) -> bool:
    listed = [one.strip().removeprefix("W/") for one in asked.split(",")]
    return bool(etag) and (etag.removeprefix("W/") in listed or listed == ["*"])


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    if not first:
        return max(size - int(last), 0), size - 1
    return int(first), min(int(last), size - 1) if last else size - 1
