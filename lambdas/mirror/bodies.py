"""The body of an answer: in pieces, or whole but never longer than allowed.

What is packed we unpack ourselves: urllib3 unpacks a chunk before anyone can count it, and a few KB
of gzip may hold gigabytes.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from urllib3.exceptions import ProtocolError

from mirror import addresses
from mirror.errors import UpstreamRefused

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse as Response

# Divides a part of 8 MiB; small ones cost a switch between threads each.
CHUNK_BYTES = 1024 * 1024
# 16 + the widest window: gzip's own header. Source: zlib manual, inflateInit2.
_GZIP = 31


def pieces(response: Response) -> Iterator[bytes]:
    """The body as it comes.

    Raises:
        urllib3.exceptions.HTTPError: it broke off before the announced length.
    """
    try:
        yield from response.stream(CHUNK_BYTES, decode_content=False)
    except ValueError as error:  # A chunk of a negative length, which urllib3 lets through.
        raise ProtocolError(f"an unreadable body: {error}") from error


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
