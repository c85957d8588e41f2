"""One bottle: do all its bytes come, are they the right ones, and can a download be resumed."""

from __future__ import annotations

import hashlib
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from delivery.mirror.bottles import Bottle
from delivery.probe.defects import Sighting, Stumble
from delivery.probe.web import Web, check_status

IN_MEMORY_BYTES = 8 * 1024 * 1024
TAIL_BYTES = 1024
# Enough to see where an archive lies without unpacking a large one.
MEMBERS_LOOKED_AT = 50


@dataclass(frozen=True)
class CheckedBlob:
    """`was_read` is False when the bottle is over the limit: then only its start was asked for."""

    sightings: tuple[Sighting, ...]
    was_read: bool = True


@dataclass(frozen=True)
class _Received:
    size_bytes: int
    digest: str
    sightings: list[Sighting]


def check(
    web: Web, bottle: Bottle, url: str, size_bytes: int | None, limit_bytes: int
) -> CheckedBlob:
    """Fetch the bottle whole, unless its size is over the limit; hash it; look inside.

    Args:
        web: sends the requests.
        bottle: what the catalogue names.
        url: where this layout keeps it.
        size_bytes: what the manifest promises; None when it does not say.
        limit_bytes: the most to fetch of one bottle.
    """
    if (size_bytes or 0) > limit_bytes:
        return CheckedBlob(tuple(glance(web, url, "blob-missing")), was_read=False)
    try:
        with tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES) as kept:
            got = _received(web, url, limit_bytes if size_bytes is None else size_bytes, kept)
            if size_bytes is None and got.size_bytes > limit_bytes:
                return CheckedBlob(tuple(got.sightings), was_read=False)
            return CheckedBlob((*got.sightings, *_judged(web, bottle, url, size_bytes, got, kept)))
    except Stumble as stumble:
        return CheckedBlob((stumble.sighting,))


def glance(web: Web, url: str, missing: str, **headers: str) -> list[Sighting]:
    """Is it there: the first byte of it, asked for as a GET because brew sends no HEAD."""
    try:
        answer = web.look(url, Range="bytes=0-0", **headers)
        # 416 is how an empty file answers; whether it may be empty is for a whole GET to say.
        if answer.status != 416:
            check_status(answer, missing)
    except Stumble as stumble:
        return [stumble.sighting]
    return list(answer.sightings)


def _received(web: Web, url: str, most_bytes: int, kept: IO[bytes]) -> _Received:
    """The body, or its beginning up to a chunk more than the most."""
    digest, received = hashlib.sha256(), 0
    with web.open(url) as stream:
        check_status(stream, "blob-missing")
        for chunk in stream.chunks():
            digest.update(chunk)
            kept.write(chunk)
            received += len(chunk)
            if received > most_bytes:
                break
        return _Received(received, digest.hexdigest(), stream.sightings)


def _judged(
    web: Web,
    bottle: Bottle,
    url: str,
    size_bytes: int | None,
    got: _Received,
    kept: IO[bytes],
) -> Iterator[Sighting]:
    if got.digest != bottle.digest:
        yield _mismatch(url, got.size_bytes, got.digest, size_bytes, _start(kept))
        return
    if size_bytes is not None and got.size_bytes != size_bytes:
        problem = f"the bottle has {got.size_bytes} bytes, the manifest says {size_bytes}"
        yield Sighting("size-annotation-wrong", problem, url)
    yield from _archive(bottle, url, kept)
    if got.size_bytes > 1:
        yield from _resumed(web, url, got.size_bytes, kept)


def _mismatch(
    url: str, received: int, digest: str, size_bytes: int | None, start: bytes
) -> Sighting:
    problem = f"{received} bytes that hash to {digest}"
    if size_bytes is not None:
        problem += f", {size_bytes} promised"
    if received == 0:
        return Sighting("blob-empty", "no bytes at all", url)
    if start.lower().startswith((b"<!doctype html", b"<html")):
        return Sighting("html-instead", problem, url)
    if size_bytes is None or received == size_bytes:
        return Sighting("blob-corrupted", problem, url)
    return Sighting("blob-too-short" if received < size_bytes else "blob-too-long", problem, url)


def _start(kept: IO[bytes]) -> bytes:
    kept.seek(0)
    return kept.read(TAIL_BYTES).lstrip()


def _archive(bottle: Bottle, url: str, kept: IO[bytes]) -> Iterator[Sighting]:
    kept.seek(0)
    keg = f"{bottle.name}/{bottle.version}"
    try:
        names = _member_names(kept)
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        yield Sighting("blob-not-a-bottle", f"not a gzipped tar: {error}", url)
        return
    astray = [
        name for name in names if name != bottle.name and not f"{name}/".startswith(f"{keg}/")
    ]
    if astray or not names:
        shown = f'"{astray[0]}"' if astray else "nothing"
        yield Sighting("blob-without-keg", f'it holds {shown}, not "{keg}/"', url)


def _member_names(kept: IO[bytes]) -> list[str]:
    names = []
    with tarfile.open(fileobj=kept, mode="r:gz") as archive:
        for member in archive:
            names.append(member.name.removeprefix("./"))
            if len(names) == MEMBERS_LOOKED_AT:
                break
    return names


def _resumed(web: Web, url: str, size_bytes: int, kept: IO[bytes]) -> Iterator[Sighting]:
    """The end of the bottle, as curl asks for it after a broken download."""
    start = size_bytes - min(TAIL_BYTES, size_bytes // 2)
    kept.seek(start)
    tail = kept.read()
    try:
        with web.open(url, Range=f"bytes={start}-") as stream:
            if stream.status == 200:
                yield Sighting("range-ignored", f"200 to Range: bytes={start}-", url)
                return
            body = _at_most(stream.chunks(), len(tail) + 1) if stream.status == 206 else b""
    except Stumble as stumble:
        yield stumble.sighting
        return
    if body != tail:
        problem = f"{stream.status} with other bytes to Range: bytes={start}-"
        yield Sighting("range-wrong", problem, url)


def _at_most(chunks: Iterator[bytes], most_bytes: int) -> bytes:
    body = b""
    for chunk in chunks:
        body += chunk
        if len(body) >= most_bytes:
            break
    return body
