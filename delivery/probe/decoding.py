"""A body back to what it was before the server compressed it, within a limit."""

from __future__ import annotations

import zlib

from delivery.probe.defects import Stumble

# What every curl can decode; brew's --compressed offers whatever its curl was built with.
ACCEPTED = "deflate, gzip"
GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


def decoded(sent: bytes, encoding: str, limit_bytes: int, url: str) -> bytes:
    """The body, decoded as `encoding` (the Content-Encoding) says.

    Raises:
        Stumble: it cannot be, is not whole, or is larger than the limit.
    """
    if encoding.lower() in {"", "identity"}:
        return sent
    if encoding.lower() not in {"gzip", "x-gzip", "deflate"}:
        raise _broken(f'the body is encoded as "{encoding}", which was not asked for', url)
    decoder = zlib.decompressobj(GZIP_OR_ZLIB)
    try:
        body = decoder.decompress(sent, limit_bytes + 1)
    except zlib.error as error:
        raise _broken(f'the body is not "{encoding}": {error}', url) from error
    check_size(len(body), limit_bytes, url)
    if not decoder.eof:
        raise _broken(f'the "{encoding}" ends too early', url)
    return body


def check_size(size_bytes: int, limit_bytes: int, url: str) -> None:
    """Stop what does not end.

    Raises:
        Stumble: the limit is exceeded.
    """
    if size_bytes > limit_bytes:
        problem = f"more than {limit_bytes} bytes; the rest was not read"
        raise Stumble("answer-too-large", problem, url)


def _broken(problem: str, url: str) -> Stumble:
    return Stumble("compression-broken", problem, url)
