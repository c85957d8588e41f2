"""One GET over HTTP: redirects followed by our rules, a busy or broken upstream asked again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import urllib3
from urllib3.exceptions import HTTPError

from mirror import addresses, bodies, telemetry
from mirror.errors import NotUpstream, UpstreamRefused, UpstreamUnavailable
from mirror.pacing import Pace, Sleep

if TYPE_CHECKING:
    # Lambda's older runtimes carry urllib3 1.26, which has no such name.
    from urllib3 import BaseHTTPResponse as Response

# GHCR answers 429 in bursts of some 10 s; four tries with these pauses outlast one.
TRIES = 4
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 8.0
# Whoever asks for more is not busy but closed: the state machine's own retry comes later.
LONGEST_RETRY_AFTER_SECONDS = 120.0
CONNECT_SECONDS = 10
READ_SECONDS = 30
REDIRECTS = 5

_REDIRECT = {301, 302, 303, 307, 308}
# "You ask too much", which goes for all requests of this worker, and "this one went wrong".
_BUSY = {429, 503}
# What asking again does not change. Source: RFC 9110, 15.6.2 and 15.6.6.
_FINAL = {501, 505}


Validators = dict[str, str]
"""``{"etag", "last_modified"}``, as upstream told them; either may be missing."""

_CONDITIONS = {"etag": "If-None-Match", "last_modified": "If-Modified-Since"}


@dataclass(frozen=True)
class Answer:
    """A body, and what to ask with next time."""

    body: bytes
    validators: Validators


class _NotModified(Exception):
    """Upstream has nothing newer."""


class Fetcher:
    """A pool of connections with one pace for all of them, shared by threads.

    Args:
        sleep: how to pause between tries; a call may bring its own.
    """

    def __init__(self, *, connections: int = 64, sleep: Sleep = time.sleep) -> None:
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
        self._pool = urllib3.PoolManager(maxsize=connections, timeout=timeout)
        self.pace = Pace()
        self.sleep = sleep

    def close(self) -> None:
        """Close every idle connection."""
        self._pool.clear()

    def open(self, url: str, headers: Mapping[str, str], *, sleep: Sleep | None = None) -> Response:
        """The final answer, whatever its status, with its body unread: the caller closes it.

        Args:
            sleep: how to pause; asked before each request, too, whether there is time for one.

        Raises:
            UpstreamUnavailable: busy (429, 5xx) or unreachable at each try.
            UpstreamRefused: a redirect that we do not follow.
        """
        problem = ""
        for tried in range(TRIES):
            if problem:
                telemetry.retried(problem)
            if sleep:
                sleep(0)  # It may say that time is over.
            asked_at = self.pace.wait(sleep or self.sleep)
            try:
                response = self._follow(url, dict(headers))
            except HTTPError as error:
                problem = f"no answer: {_brief(error)}"
            else:
                if not _is_failure(response.status):
                    self.pace.speed_up()
                    return response
                problem = f"answered {response.status}"
                bodies.discard(response)
                if response.status in _BUSY:
                    self.pace.slow_down(_seconds_to_wait(response, url, tried), asked_at)
                    continue
            self.pause(tried, sleep)
        raise unavailable(f"{problem}, {TRIES} times", url)

    def read(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        limit_bytes: int,
        sleep: Sleep | None = None,
    ) -> bytes:
        """A whole body of at most `limit_bytes`; one that breaks off is asked for anew.

        Raises:
            NotUpstream: 404.
            UpstreamRefused: another refusal, or a larger body.
            UpstreamUnavailable: as in `open`, or broken off each time.
        """
        return self.read_from(
            lambda: self.open(url, headers, sleep=sleep), url, limit_bytes=limit_bytes, sleep=sleep
        )

    def read_unless_known(
        self, url: str, headers: Mapping[str, str], known: Validators, *, limit_bytes: int
    ) -> Answer | None:
        """As `read`, or None when upstream says that it is what `known` was told with (304).

        Source: RFC 9110, 13.1: If-None-Match goes before If-Modified-Since.
        """
        asked = {header: known[name] for name, header in _CONDITIONS.items() if known.get(name)}
        told: Validators = {}

        def ask() -> Response:
            response = self.open(url, {**headers, **asked})
            if asked and response.status == 304:
                bodies.discard(response)
                raise _NotModified
            told.clear()
            told.update(_validators(response))
            return response

        try:
            return Answer(self.read_from(ask, url, limit_bytes=limit_bytes), told)
        except _NotModified:
            return None

    def read_from(
        self,
        ask: Callable[[], Response],
        url: str,
        *,
        limit_bytes: int,
        sleep: Sleep | None = None,
    ) -> bytes:
        """As `read`, for an answer that `ask` gets; `url` is for messages."""
        problem = ""
        for tried in range(TRIES):
            if problem:
                telemetry.retried(problem)
            with closing(ask()) as response:
                check_status(response, url)
                try:
                    return bodies.read(response, url, limit_bytes)
                except HTTPError as error:
                    problem = f"broke off: {_brief(error)}"
            self.pause(tried, sleep)
        raise unavailable(f"{problem}, {TRIES} times", url)

    def pause(self, tried: int, sleep: Sleep | None = None) -> None:
        """Wait after `tried` + 1 failures, with jitter: workers must not come in step."""
        (sleep or self.sleep)(_pause_seconds(tried))

    def _follow(self, url: str, headers: dict[str, str]) -> Response:
        for _ in range(REDIRECTS + 1):
            response = self._pool.request(
                "GET",
                url,
                headers=headers,
                redirect=False,
                retries=False,
                preload_content=False,
                # urllib3 1.26 takes a body that ends early for whole unless told otherwise.
                enforce_content_length=True,
            )
            location = response.headers.get("Location")
            if response.status not in _REDIRECT or location is None:
                return response
            bodies.discard(response)
            target = addresses.redirected(url, location)
            # The token is the registry's business; the storage behind it has its own signature.
            headers.pop("Authorization", None)
            url = target
        raise UpstreamRefused(
            f"more than {REDIRECTS} redirects",
            where=addresses.shown(url),
            remedy="check upstream.api_url and upstream.registry_url",
        )


def _is_failure(status: int) -> bool:
    """Whether the same request may fare better in a while; 520 and more are a CDN's own."""
    return status in _BUSY or (status >= 500 and status not in _FINAL)


def _validators(response: Response) -> Validators:
    told = {
        "etag": response.headers.get("ETag"),
        "last_modified": response.headers.get("Last-Modified"),
    }
    return {name: value for name, value in told.items() if value}


def check_status(response: Response, url: str, expected: int = 200) -> None:
    """Raise NotUpstream for a 404, UpstreamRefused for anything but `expected`."""
    if response.status == expected:
        return
    kind = NotUpstream if response.status == 404 else UpstreamRefused
    raise kind(
        f"upstream answered {response.status}",
        where=addresses.shown(url),
        remedy="check that upstream has it; if it should, run the sync again later",
    )


def unavailable(problem: str, url: str) -> UpstreamUnavailable:
    """Upstream cannot be used now; the caller may try again later."""
    return UpstreamUnavailable(
        problem,
        where=addresses.shown(url),
        remedy="wait for upstream to recover, then run the sync again: it goes on where it was",
    )


def _brief(error: HTTPError) -> str:
    """The error without the pool's address in memory, and never with a signed URL."""
    reason = getattr(error, "reason", None) or error
    return f"{type(reason).__name__}: {str(reason).rpartition('>: ')[2]}".partition("?")[0]


def _pause_seconds(tried: int) -> float:
    longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * float(2**tried))
    return longest * random.uniform(0.5, 1)  # noqa: S311 - jitter is not a secret


def _seconds_to_wait(response: Response, url: str, tried: int) -> float:
    # A moment that is over by our clock need not be over by theirs.
    seconds = max(_retry_after(response), _pause_seconds(tried))
    if seconds > LONGEST_RETRY_AFTER_SECONDS:
        raise unavailable(f"busy: asks to wait {seconds:.0f} s", url)
    return seconds


def _retry_after(response: Response) -> float:
    """Seconds that upstream asks us to wait. Source: RFC 9110, 10.2.3: a number or a date."""
    told = response.headers.get("Retry-After", "")
    if told.isascii() and told.isdigit():
        return float(told)
    try:
        moment = parsedate_to_datetime(told)
    except (ValueError, OverflowError):  # The latter: a zone further away than a clock can tell.
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - datetime.now(UTC)).total_seconds()
