"""The network of a Mac that reaches one mirror and nothing else; each request is written down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection
from urllib.parse import urljoin, urlsplit

REDIRECTS = {301, 302, 303, 307, 308}


class Unreachable(Exception):
    """There is no way to that host from here, as behind a firewall."""


@dataclass(frozen=True)
class Request:
    """What was asked for, and how it was answered; 0 when it did not leave the machine."""

    method: str
    url: str
    headers: Mapping[str, str]
    status: int


@dataclass(frozen=True)
class Response:
    """An answer with its whole body; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Line:
    """Sends requests as curl does, to one host."""

    mirror_url: str
    requests: list[Request] = field(default_factory=list)

    @property
    def strayed(self) -> list[str]:
        """The addresses of other hosts that were asked for."""
        return [each.url for each in self.requests if each.status == 0]

    def send(self, url: str, headers: Mapping[str, str], method: str = "GET") -> Response:
        """The answer, redirects followed (``curl --location``).

        Raises:
            Unreachable: the host is not the mirror.
        """
        response = self._sent(url, headers, method)
        if response.status not in REDIRECTS:
            return response
        there = urljoin(url, response.headers["location"])
        kept = dict(headers)
        if urlsplit(there).netloc != urlsplit(url).netloc:
            kept.pop("Authorization", None)  # As curl does since 7.58.
        return self.send(there, kept, method)

    def _sent(self, url: str, headers: Mapping[str, str], method: str) -> Response:
        parts = urlsplit(url)
        if parts.netloc != urlsplit(self.mirror_url).netloc:
            self.requests.append(Request(method, url, dict(headers), 0))
            raise Unreachable(url)
        connection = HTTPConnection(parts.netloc, timeout=30)
        try:
            connection.request(method, parts.path, headers=dict(headers))
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            response = Response(answer.status, found, answer.read())
        finally:
            connection.close()
        self.requests.append(Request(method, url, dict(headers), response.status))
        return response
