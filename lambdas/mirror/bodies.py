"""The body of an answer: in pieces, or whole but never longer than allowed.

What is packed we unpack ourselves: urllib3 unpacks a chunk before anyone can count it, and a few KB
of gzip may hold gigabytes.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from urllib3.exceptions import ProtocolError

from mirror import addresses
from mirror.errors import UpstreamRefused

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse as Response

KIB = 1024
# Divides a part of 8 MiB; small ones cost a switch between threads each.
CHUNK_BYTES = 1024 * KIB
# A read returns when it has all that was asked for, and nobody looks at a clock before: it asks
# for as much as the last one had in no time, so that a line that is slow is waited for briefly.
_FIRST_BYTES, _LEAST_BYTES = 16 * KIB, KIB
_SOON_SECONDS, _LATE_SECONDS = 0.25, 1.0
# What is drained of an answer that is of no use, to keep its connection; a GHCR redirect has 1 KB.
_REST_BYTES = 16 * KIB
# 16 + the widest window: gzip's own header. Source: zlib manual, inflateInit2.
_GZIP = 31


def pieces(response: Response) -> Iterator[bytes]:
    """The body as it comes, in pieces that take a second or so each, 1 MiB at most.

    Raises:
        urllib3.exceptions.HTTPError: it broke off before the announced length.
    """
    try:
        if getattr(response, "chunked", False):
            yield from response.stream(_FIRST_BYTES, decode_content=False)
        else:
            yield from _timed(response)
    except ValueError as error:  # A chunk of a negative length, which urllib3 lets through.
        raise ProtocolError(f"an unreadable body: {error}") from error


def _timed(response: Response) -> Iterator[bytes]:
    size, began = _FIRST_BYTES, time.monotonic()
    while piece := response.read(size, decode_content=False):
        seconds = time.monotonic() - began
        yield piece
        if seconds < _SOON_SECONDS:
            size = min(CHUNK_BYTES, size * 2)
        elif seconds > _LATE_SECONDS:
            size = max(_LEAST_BYTES, size // 2)
        began = time.monotonic()


def discard(response: Response) -> None:
    """Be done with an answer whose body nobody wants; its connection is kept if that is cheap."""
    rest = getattr(response, "length_remaining", None)
    if rest is not None and rest <= _REST_BYTES:
        response.drain_conn()
    response.close()


def read(response: Response, url: str, limit_bytes: int) -> bytes:
    """The body, unpacked if it is gzip.

    Raises:
        UpstreamRefused: longer than `limit_bytes`, packed or unpacked, or packed otherwise.
        urllib3.exceptions.HTTPError: it broke off.
    """
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding in {"identity", ""}:
        return _gathered(pieces(response), url, limit_bytes)
    if encoding in {"gzip", "x-gzip"}:
        return _unpacked(_gathered(pieces(response), url, limit_bytes), url, limit_bytes)
    raise _refused(f'is packed as "{encoding}", which was not asked for', url)


def _gathered(body_pieces: Iterable[bytes], url: str, limit_bytes: int) -> bytes:
    body = bytearray()
    for piece in body_pieces:
        body += piece
        if len(body) > limit_bytes:
            raise _refused(f"is larger than {limit_bytes} bytes", url)
    return bytes(body)


def _unpacked(packed: bytes, url: str, limit_bytes: int) -> bytes:
    decoder = zlib.decompressobj(_GZIP)
    try:
        body = decoder.decompress(packed, limit_bytes + 1)
    except zlib.error as error:
        raise _refused(f"says that it is gzip, and is not: {error}", url) from error
    if len(body) > limit_bytes:
        raise _refused(f"is larger than {limit_bytes} bytes once unpacked", url)
    if not decoder.eof:
        raise ProtocolError("the packed body ends early")
    return body


def _refused(problem: str, url: str) -> UpstreamRefused:
    return UpstreamRefused(
        f"the answer {problem}",
        where=addresses.shown(url),
        remedy="check upstream.api_url and upstream.registry_url",
    )
