"""HTTP as brew's curl sees it, with every way to fail told apart.

Each request has a connection of its own, as each of brew's has: what a kept connection would
hide (a proxy that answers only the first) a client would meet.
"""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from urllib3 import BaseHTTPResponse, PoolManager, Timeout
from urllib3.exceptions import HTTPError, ProtocolError, ReadTimeoutError, SSLError
from urllib3.exceptions import IncompleteRead as CutShort

from delivery.probe import decoding
from delivery.probe.clients import USER_AGENT
from delivery.probe.defects import Sighting, Stumble

CHUNK_BYTES = 256 * 1024
MAX_REDIRECTS = 10
REDIRECTS = {301, 302, 303, 307, 308}
# HOMEBREW_CURL_SPEED_LIMIT; brew measures over 5 s, we over the timeout.
LEAST_BYTES_PER_SECOND = 100
PATIENCE_SECONDS = 10
SHORT_NUMBER = re.compile(r"[0-9]{1,6}")
TRIES_WHEN_BUSY = 3


@dataclass(frozen=True)
class Answer:
    """What came back; `sightings` are the redirects worth a warning, `headers` lower-case."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    sightings: tuple[Sighting, ...]


@dataclass
class Stream:
    """An answer whose body is still to come."""

    url: str
    response: BaseHTTPResponse
    timeout_seconds: float
    sightings: list[Sighting] = field(default_factory=list)

    @property
    def status(self) -> int:
        """The status of the last answer, redirects followed."""
        return self.response.status

    @property
    def headers(self) -> dict[str, str]:
        """The last answer's headers, names in lower case."""
        return {name.lower(): value for name, value in self.response.headers.items()}

    def chunks(self) -> Iterator[bytes]:
        """The body as it was sent, undecoded.

        Raises:
            Stumble: it broke off, or came slower than brew waits for.
        """
        began, received = time.monotonic(), 0
        try:
            while chunk := self.response.read1(CHUNK_BYTES, decode_content=False):
                received += len(chunk)
                seconds = time.monotonic() - began
                if seconds > self.timeout_seconds:
                    self._check_pace(received, seconds)
                    began, received = time.monotonic(), 0
                yield chunk
        except ReadTimeoutError as error:
            raise self._slow(f"nothing for {self.timeout_seconds:g} s in mid-body") from error
        except CutShort as error:
            problem = f"the body ended after {error.partial} bytes, {error.expected} short"
            raise Stumble("body-cut-short", problem, self.url) from error
        except HTTPError as error:
            raise Stumble("body-cut-short", f"the body broke off: {error}", self.url) from error

    def _check_pace(self, received: int, seconds: float) -> None:
        if received < LEAST_BYTES_PER_SECOND * seconds:
            raise self._slow(f"{received} bytes in {seconds:.1f} s")

    def _slow(self, problem: str) -> Stumble:
        return Stumble("slow-answer", problem, self.url)


class Web:
    """Sends requests; its timeout is for connecting and for each silence."""

    def __init__(self, timeout_seconds: float, ca_file: str | None = None) -> None:
        self.timeout_seconds = timeout_seconds
        self._urls: list[str] = []
        self._tls = ssl.create_default_context(cafile=ca_file)

    @property
    def sent(self) -> int:
        """How many requests there were, each redirect and each repetition counted."""
        return len(self._urls)

    def get(self, url: str, limit_bytes: int, missing: str, **headers: str) -> Answer:
        """The whole body, decoded as its Content-Encoding says.

        Args:
            url: what to ask for.
            limit_bytes: more than this is not read, decoded or not.
            missing: the defect that a 404 is.
            headers: further request headers, ``_`` for ``-``.

        Raises:
            Stumble: any other end than a 2xx with a whole body.
        """
        with self.open(url, **headers) as stream:
            check_status(stream, missing)
            sent = bytearray()
            for chunk in stream.chunks():
                sent += chunk
                decoding.check_size(len(sent), limit_bytes, url)
            encoding = (
                stream.headers.get("content-encoding", "") if "Accept_Encoding" in headers else ""
            )
            body = decoding.decoded(bytes(sent), encoding, limit_bytes, url)
            return Answer(url, stream.status, stream.headers, body, tuple(stream.sightings))

    def look(self, url: str, **headers: str) -> Answer:
        """Status and headers of a GET whose body is not waited for."""
        with self.open(url, **headers) as stream:
            return Answer(url, stream.status, stream.headers, b"", tuple(stream.sightings))

    @contextmanager
    def open(self, url: str, **headers: str) -> Iterator[Stream]:
        """The answer to a GET, redirects followed, 429 waited out as long as it says.

        Raises:
            Stumble: there is no answer, or a redirect that a client would not survive.
        """
        fields = {"User-Agent": USER_AGENT, "Connection": "close"}
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        sightings: list[Sighting] = []
        with ExitStack() as open_ones:
            response = self._patiently(url, fields, sightings, open_ones)
            yield Stream(url, response, self.timeout_seconds, sightings)

    def _patiently(
        self, url: str, fields: dict[str, str], sightings: list[Sighting], open_ones: ExitStack
    ) -> BaseHTTPResponse:
        for _ in range(TRIES_WHEN_BUSY - 1):
            response = self._followed(url, dict(fields), sightings, open_ones)
            seconds = response.headers.get("Retry-After", "")
            if response.status != 429 or not SHORT_NUMBER.fullmatch(seconds):
                return response
            if int(seconds) > PATIENCE_SECONDS:
                return response
            time.sleep(int(seconds))
        return self._followed(url, dict(fields), sightings, open_ones)

    def _followed(
        self, url: str, fields: dict[str, str], sightings: list[Sighting], open_ones: ExitStack
    ) -> BaseHTTPResponse:
        here, seen = url, {url}
        for _ in range(MAX_REDIRECTS + 1):
            response = self._asked(here, fields, url, open_ones)
            location = response.headers.get("Location")
            if response.status not in REDIRECTS or not location:
                return response
            there = _destination(here, location, url)
            if there in seen:
                raise Stumble("redirect-loop", f'redirects lead back to "{there}"', url)
            sightings += _judged(here, there, url)
            if urlsplit(there).netloc != urlsplit(here).netloc:
                fields.pop("Authorization", None)  # As curl does since 7.58.
            seen.add(there)
            here = there
        raise Stumble("redirect-loop", f"more than {MAX_REDIRECTS} redirects", url)

    def _asked(
        self, here: str, fields: Mapping[str, str], url: str, open_ones: ExitStack
    ) -> BaseHTTPResponse:
        # A pool of its own: one that is shared may hand out what the server is about to close.
        wait = self.timeout_seconds
        pool = PoolManager(1, timeout=Timeout(connect=wait, read=wait), ssl_context=self._tls)
        open_ones.callback(pool.clear)
        self._urls.append(here)  # As a counter it would lose some: threads share it.
        try:
            response = pool.request(
                "GET", here, headers=fields, redirect=False, retries=False, preload_content=False
            )
        except HTTPError as error:
            raise self._no_answer(error, here, url) from error
        open_ones.callback(response.close)
        return response

    def _no_answer(self, error: HTTPError, here: str, url: str) -> Stumble:
        if urlsplit(here).netloc != urlsplit(url).netloc:
            problem = f'redirected to "{here}", which does not answer: {error}'
            return Stumble("redirect-target-unreachable", problem, url)
        if isinstance(error, SSLError):
            return Stumble("tls-untrusted", str(error), url)
        if isinstance(error, ReadTimeoutError):
            return Stumble("slow-answer", f"no answer for {self.timeout_seconds:g} s", url)
        if isinstance(error, ProtocolError):
            return Stumble("no-answer", f"the connection ended without an answer: {error}", url)
        return Stumble("no-answer", str(error), url)


def check_status(stream: Stream | Answer, missing: str) -> None:
    """Let only success pass.

    Args:
        stream: the answer.
        missing: the defect that "not found" is.

    Raises:
        Stumble: the status is 400 or above.
    """
    status, problem = stream.status, f"the server answers {stream.status}"
    if status in {404, 410}:
        raise Stumble(missing, problem, stream.url)
    if status == 429:
        after = stream.headers.get("retry-after")
        told = f"with Retry-After: {after}" if after else "without Retry-After"
        raise Stumble("rate-limited", f"{problem} {told}", stream.url)
    if status >= 500:
        raise Stumble("server-error", problem, stream.url)
    if status >= 300:
        raise Stumble("access-refused", problem, stream.url)


def _destination(here: str, location: str, url: str) -> str:
    try:
        there = urljoin(here, location)
        urlsplit(there)
    except ValueError as error:
        problem = f'redirected to "{location}", which is no address'
        raise Stumble("redirect-to-other-scheme", problem, url) from error
    return there


def _judged(here: str, there: str, url: str) -> list[Sighting]:
    """What a client that stands behind the mirror thinks of one redirect."""
    old, new = urlsplit(here), urlsplit(there)
    if new.scheme not in {"http", "https"}:
        raise Stumble("redirect-to-other-scheme", f'redirected to "{there}"', url)
    found = []
    if (old.scheme, new.scheme) == ("https", "http"):
        found.append(Sighting("redirect-downgrades", f'redirected to "{there}"', url))
    if old.hostname != new.hostname:
        found.append(Sighting("redirect-leaves-mirror", f'redirected to "{there}"', url))
    return found
