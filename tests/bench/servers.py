"""The two ends of a bench, each a process of its own: an upstream, and a sink that speaks S3.

They do as little as they can, so that what is measured is what stands between them. Both answer
after a moment, as a registry and S3 do from within one region; without it nothing would be won by
doing two things at a time.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import re
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

LATENCY_SECONDS = 0.02
MIB = 1024 * 1024
# Bodies are slices of this; a body that is longer repeats it.
NOISE = b"".join(hashlib.sha256(b"%d" % number).digest() for number in range(4 * MIB // 32))


@dataclass(frozen=True)
class Body:
    """A body that need not be held: `size_bytes` of noise from `start` on, or literal bytes."""

    size_bytes: int
    start: int = 0
    literal: bytes | None = None
    content_type: str = "application/octet-stream"

    def pieces(self) -> Iterator[memoryview]:
        """All of it, a few MiB at a time."""
        if self.literal is not None:
            yield memoryview(self.literal)
            return
        left, at = self.size_bytes, self.start % len(NOISE)
        while left:
            piece = memoryview(NOISE)[at : at + left]
            yield piece
            left -= len(piece)
            at = 0

    def sha256(self) -> str:
        """64 hex digits."""
        digest = hashlib.sha256()
        for piece in self.pieces():
            digest.update(piece)
        return digest.hexdigest()


def literal(raw: bytes, content_type: str = "application/json") -> Body:
    """A body of given bytes."""
    return Body(len(raw), literal=raw, content_type=content_type)


@dataclass
class Tally:
    """Requests that a server has answered."""

    requests: int = 0
    lock: Any = field(default_factory=threading.Lock)

    def count(self) -> None:
        with self.lock:
            self.requests += 1


@contextmanager
def upstream(bodies: dict[str, Body], latency: float = LATENCY_SECONDS) -> Iterator[Server]:
    """A static server: path → body. ``/~count`` tells how many requests it had."""
    with _running(_Upstream, bodies, latency) as server:
        yield server


@contextmanager
def sink(
    latency: float = LATENCY_SECONDS, bodies: dict[str, Body] | None = None
) -> Iterator[Server]:
    """A bucket called ``mirror``; of blobs the sizes are kept, of all else the bytes.

    Args:
        bodies: key → what is there from the start.
    """
    with _running(_Sink, bodies or {}, latency) as server:
        yield server


@dataclass(frozen=True)
class Server:
    """A server that runs elsewhere."""

    url: str

    def requests(self) -> int:
        """How many it has answered so far, this one apart."""
        host, port = urlsplit(self.url).hostname, urlsplit(self.url).port
        with socket.create_connection((host, port)) as asked:
            asked.sendall(b"GET /~count HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            with asked.makefile("rb") as answer:
                return int(answer.read().rpartition(b"\r\n\r\n")[2])


@contextmanager
def _running(kind: type[_Handler], bodies: dict[str, Body], latency: float) -> Iterator[Server]:
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(kind, bodies, latency, there), daemon=True)
    process.start()
    try:
        yield Server(f"http://127.0.0.1:{here.recv()}")
    finally:
        process.terminate()
        process.join()
        process.close()
        here.close()
        there.close()


def _serve(kind: type[_Handler], bodies: dict[str, Body], latency: float, told: Any) -> None:
    made = type(kind.__name__, (kind,), {"bodies": dict(bodies), "latency": latency})
    made.tally, made.parts, made.lock = Tally(), {}, threading.Lock()
    with _Server(("127.0.0.1", 0), made) as server:
        told.send(server.server_address[1])
        server.serve_forever()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128


class _Handler(socketserver.StreamRequestHandler):
    """One connection, many requests, no more of HTTP than curl, skopeo and boto3 send."""

    rbufsize = MIB
    bodies: dict[str, Body]
    latency: float
    tally: Tally
    parts: dict[str, dict[int, int]]
    lock: threading.Lock

    def handle(self) -> None:
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while line := self.rfile.readline(65536):
            if not line.endswith(b" HTTP/1.1\r\n"):
                return  # skopeo tries TLS first.
            method, target, _ = line.decode("latin-1").split()
            headers = self._headers()
            if target == "/~count":
                self._say(200, str(self.tally.requests).encode())
                return
            self.tally.count()
            self.answer(method, target, headers)

    def answer(self, method: str, target: str, headers: dict[str, str]) -> None:
        raise NotImplementedError

    def _headers(self) -> dict[str, str]:
        found = {}
        while (line := self.rfile.readline(65536)) not in {b"\r\n", b""}:
            name, _, value = line.decode("latin-1").partition(":")
            found[name.lower()] = value.strip()
        return found

    def _say(self, status: int, body: bytes = b"", *more: str) -> None:
        lines = [f"HTTP/1.1 {status} X", *more]
        if status != 304:
            lines.append(f"Content-Length: {len(body)}")
        self.wfile.write("\r\n".join([*lines, "", ""]).encode() + body)


class _Upstream(_Handler):
    def answer(self, method: str, target: str, headers: dict[str, str]) -> None:
        time.sleep(self.latency)
        path = unquote(urlsplit(target).path)
        body = self.bodies.get(path)
        if path == "/v2/":
            self._say(200, b"{}")
        elif body is None:
            self._say(404)
        else:
            self._send(method, path, body, headers)

    def _send(self, method: str, path: str, body: Body, headers: dict[str, str]) -> None:
        etag = f'"{hash((path, body))}"'
        if headers.get("if-none-match") == etag:
            self._say(304, b"", f"ETag: {etag}")
            return
        head = (
            f"HTTP/1.1 200 OK\r\nContent-Type: {body.content_type}\r\nETag: {etag}\r\n"
            f"Content-Length: {body.size_bytes}\r\n\r\n"
        )
        self.wfile.write(head.encode())
        if method == "GET":
            for piece in body.pieces():
                self.wfile.write(piece)


class _Sink(_Handler):
    def answer(self, method: str, target: str, headers: dict[str, str]) -> None:
        if headers.get("expect"):
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        key, query = _key(target)
        kept = "/blobs/" not in key
        size, raw = self._receive(headers, keep=kept)
        time.sleep(self.latency)
        if method == "PUT" and "partNumber" in query:
            self._part(query, size)
        elif method == "PUT":
            self._put(key, headers, Body(size, literal=raw if kept else None))
        elif method == "POST":
            self._upload(key, query)
        elif method == "GET" and "list-type" in query:
            self._list(query)
        elif method == "DELETE":
            self._say(204)
        else:
            self._get(method, key)

    def _receive(self, headers: dict[str, str], *, keep: bool) -> tuple[int, bytes]:
        if headers.get("transfer-encoding", "").lower() != "chunked":
            return self._take(int(headers.get("content-length", "0")), keep=keep)
        total, pieces = 0, []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            pieces.append(self._take(size, keep=keep)[1])
            total += size
            self.rfile.readline()
        self.rfile.readline()
        return total, b"".join(pieces)

    def _take(self, size: int, *, keep: bool) -> tuple[int, bytes]:
        if keep:
            return size, self.rfile.read(size)
        left, into = size, bytearray(min(size, MIB))
        while left:
            left -= self.rfile.readinto(memoryview(into)[:left])  # type: ignore[attr-defined]
        return size, b""

    def _put(self, key: str, headers: dict[str, str], body: Body) -> None:
        with self.lock:
            if headers.get("if-none-match") == "*" and key in self.bodies:
                self._say(412, _error("PreconditionFailed"))
                return
            self.bodies[key] = body
        self._say(200, b"", f'ETag: "{len(self.bodies)}"')

    def _part(self, query: dict[str, str], size: int) -> None:
        with self.lock:
            self.parts.setdefault(query["uploadId"], {})[int(query["partNumber"])] = size
        self._say(200, b"", 'ETag: "part"')

    def _upload(self, key: str, query: dict[str, str]) -> None:
        if "uploads" in query:
            told = f"<X><UploadId>{self.tally.requests}</UploadId></X>"
        else:
            with self.lock:
                self.bodies[key] = Body(sum(self.parts.pop(query["uploadId"]).values()))
            told = "<X><ETag>whole</ETag></X>"
        self._say(200, told.encode())

    def _list(self, query: dict[str, str]) -> None:
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        after = query.get("continuation-token", "")
        with self.lock:
            keys = sorted(key for key in self.bodies if key.startswith(prefix) and key > after)
        entries, folders = [], set()
        for key in keys:
            folder, found, _ = (
                key[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
            )
            if found:
                folders.add(f"{prefix}{folder}{delimiter}")
            else:
                entries.append(key)
        page, is_cut = entries[:1000], len(entries) > 1000
        listed = "".join(
            f"<Contents><Key>{key}</Key><Size>{self.bodies[key].size_bytes}</Size></Contents>"
            for key in page
        )
        shared = "".join(
            f"<CommonPrefixes><Prefix>{each}</Prefix></CommonPrefixes>" for each in sorted(folders)
        )
        more = f"<NextContinuationToken>{page[-1]}</NextContinuationToken>" if is_cut else ""
        told = f"<IsTruncated>{str(is_cut).lower()}</IsTruncated>{more}"
        self._say(200, f"<ListBucketResult>{told}{listed}{shared}</ListBucketResult>".encode())

    def _get(self, method: str, key: str) -> None:
        body = self.bodies.get(key)
        if body is None:
            self._say(404, _error("NoSuchKey") if method == "GET" else b"")
            return
        head = f'HTTP/1.1 200 OK\r\nETag: "1"\r\nContent-Length: {body.size_bytes}\r\n\r\n'
        self.wfile.write(head.encode())
        if method == "GET":
            for piece in body.pieces():
                self.wfile.write(piece)


def _key(target: str) -> tuple[str, dict[str, str]]:
    parts = urlsplit(target)
    query = parse_qs(parts.query, keep_blank_values=True)
    bucket = re.sub("^/mirror/?", "", unquote(parts.path))
    return bucket, {name: values[0] for name, values in query.items()}


def _error(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()


def index(bottles: list[tuple[str, Body, str, int]]) -> bytes:
    """An OCI image index: ref.name, bottle, digest and size of its image manifest, of each."""
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [
                {
                    "mediaType": "application/vnd.oci.image.manifest.v1+json",
                    "digest": f"sha256:{manifest}",
                    "size": size_bytes,
                    "platform": {"architecture": "arm64", "os": "darwin"},
                    "annotations": {
                        "org.opencontainers.image.ref.name": ref_name,
                        "sh.brew.bottle.digest": body.sha256(),
                        "sh.brew.bottle.size": str(body.size_bytes),
                        "sh.brew.tab": "{}",
                    },
                }
                for ref_name, body, manifest, size_bytes in bottles
            ],
        }
    ).encode()
