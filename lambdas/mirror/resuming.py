"""A body that goes on where it broke off; not verified here."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from urllib3.exceptions import HTTPError

from mirror import addresses, bodies, fetching, telemetry
from mirror.errors import DigestMismatch, UpstreamRefused
from mirror.fetching import Fetcher
from mirror.pacing import Sleep

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse as Response

# How often one body may break off before we give it up; bytes that came through are worth
# another try, or the largest bottles would never arrive over a poor line.
BREAKS = 5
BYTES_PER_BREAK = 32 * 1024 * 1024

Ask = Callable[[dict[str, str]], "Response"]
"""Sends the request with these headers besides its own."""

# Python makes no number of a few thousand digits.
_LENGTH = re.compile(r"[0-9]{1,100}")
_CONTENT_RANGE = re.compile(r"bytes (?P<first>\d{1,18})-\d{1,18}/(?P<total>\d{1,18}|\*)")


def pieces(
    ask: Ask, url: str, fetcher: Fetcher, size_bytes: int | None, sleep: Sleep | None
) -> Generator[bytes]:
    """The bytes as they come, in order, without gaps.

    Args:
        ask: is called again after each break: an address that was redirected to may be signed
            for a short while only.
        size_bytes: as it was promised; None when nobody has.

    Raises:
        DigestMismatch: another length is announced than was promised.
        NotUpstream, UpstreamRefused: it is not there.
        UpstreamUnavailable: busy, unreachable or broken off too often.
    """
    received = broken = 0
    while broken < BREAKS + received // BYTES_PER_BREAK:
        with closing(ask(_range(received))) as response:
            try:
                for piece in _rest(response, url, received, size_bytes):
                    received += len(piece)
                    yield piece
            except HTTPError:
                telemetry.retried("broke off")
                fetcher.pause(broken % BREAKS, sleep)
                broken += 1
            else:
                return
    raise fetching.unavailable(f"broke off {broken} times, at {received} bytes last", url)


def announced(response: Response) -> int | None:
    """Content-Length; None without one, or with one that can be no size."""
    told = response.headers.get("Content-Length", "")
    return int(told) if _LENGTH.fullmatch(told) else None


def _range(received: int) -> dict[str, str]:
    return {"Range": f"bytes={received}-"} if received else {}


def _rest(response: Response, url: str, received: int, size_bytes: int | None) -> Iterator[bytes]:
    """What is missing, from an answer that may start over."""
    if received and response.status == 416:
        return  # It broke off after its last byte. The digest decides.
    if received and response.status == 206:
        _check_range(response, url, received, size_bytes)
        yield from bodies.pieces(response)
        return
    fetching.check_status(response, url)
    # Where no length is announced, counting the bytes must do.
    _check_length(announced(response), url, size_bytes)
    to_skip = received
    for piece in bodies.pieces(response):
        fresh = piece[to_skip:]
        to_skip -= len(piece) - len(fresh)
        if fresh:
            yield fresh


def _check_range(response: Response, url: str, received: int, size_bytes: int | None) -> None:
    told = response.headers.get("Content-Range", "")
    found = _CONTENT_RANGE.fullmatch(told)
    if found is None or int(found["first"]) != received:
        raise UpstreamRefused(
            f'upstream sent the range "{told}", asked for bytes from {received} on',
            where=addresses.shown(url),
            remedy="check upstream.registry_url, or report it to whoever serves this",
        )
    if found["total"] != "*":
        _check_length(int(found["total"]), url, size_bytes)


def _check_length(told: int | None, url: str, size_bytes: int | None) -> None:
    if told is not None and size_bytes is not None and told != size_bytes:
        raise DigestMismatch(
            f"the registry announces {told} bytes, the manifest {size_bytes}; nothing was kept",
            where=addresses.shown(url),
            remedy="report it upstream; the next sync tries again",
        )
