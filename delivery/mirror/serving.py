"""The mirror's bucket behind a local URL, laid out as brew asks for it, by either of its settings.

What lies in the bucket is what HOMEBREW_ARTIFACT_DOMAIN asks for; the names of a flat mirror,
which HOMEBREW_BOTTLE_DOMAIN asks for, are aliases of it (delivery/mirror/flat.py).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from delivery.cloud import Cloud
from delivery.errors import BadInput
from delivery.mirror import flat

# What a client may ask for; syncs/ and settings/ are the mirror's own business.
PUBLIC_PREFIXES = ("api/", "v2/", "channels/", "snapshots/", "status/")
INDEX = "index.html"
EMPTY = "nothing was published yet: inv mirror.sync, or inv mirror.import behind an air gap"
PUBLIC_KEYS = (INDEX,)
CHUNK_BYTES = 1024 * 1024

# Request header → get_object argument: S3 itself decides on 206, 304 and 412.
CONDITIONS = {
    "Range": "Range",
    "If-None-Match": "IfNoneMatch",
    "If-Modified-Since": "IfModifiedSince",
}
# get_object answer → response header.
PASSED_ON = ("content-type", "content-length", "content-range", "etag", "last-modified")


class MirrorServer(ThreadingHTTPServer):
    """Answers GET and HEAD from one bucket, on 127.0.0.1 only."""

    daemon_threads = True
    # brew opens many connections at once; with the default of 5 some wait a second to connect.
    request_queue_size = 64

    def __init__(self, cloud: Cloud, bucket: str, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.bucket = bucket
        self.s3 = cloud.client("s3")

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that went away in mid-answer, as an interrupted brew does."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    @property
    def url(self) -> str:
        """``http://127.0.0.1:8080``."""
        return f"http://127.0.0.1:{self.server_address[1]}"


def listen(cloud: Cloud, bucket: str, port: int = 0) -> MirrorServer:
    """A server that is bound but not yet answering; port 0 takes any free one.

    Raises:
        BadInput: the port is taken, or there is none of that number.
    """
    try:
        return MirrorServer(cloud, bucket, port)
    except (OSError, OverflowError) as error:
        raise BadInput(
            f"port {port} cannot be used: {getattr(error, 'strerror', None) or error}",
            where=f"127.0.0.1:{port}",
            remedy="inv mirror.serve --port N with another N, or 0 for any free port",
        ) from error


@contextmanager
def serving(cloud: Cloud, bucket: str) -> Iterator[str]:
    """The mirror at a local URL for as long as the body runs."""
    server = listen(cloud, bucket)
    # The default poll of 0.5 s would be waited for at the end of each deploy.
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def key_of(path: str) -> str | None:
    """The bucket key that a request path names, or None when it is not for clients."""
    key = _name(path) or INDEX
    if ".." in key.split("/"):
        return None
    if key in PUBLIC_KEYS or key.startswith(PUBLIC_PREFIXES):
        return key
    return None


def _name(path: str) -> str:
    return unquote(urlsplit(path).path).removeprefix("/")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: MirrorServer

    def do_GET(self) -> None:
        self._answer(self.server.s3.get_object)

    def do_HEAD(self) -> None:
        self._answer(self.server.s3.head_object)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parent's name
        """Stay quiet: a test or a deploy that serves for a moment has its own output."""

    def _answer(self, ask: Any) -> None:
        try:
            key = key_of(self.path) or flat.key_of(_name(self.path), self._read)
            if key is None:
                self._refuse(HTTPStatus.NOT_FOUND, "the mirror has nothing there")
                return
            found = ask(Bucket=self.server.bucket, Key=key, **self._conditions())
        except ClientError as error:
            self._pass_on_refusal(error)
        except BotoCoreError as error:
            self._refuse(HTTPStatus.BAD_GATEWAY, f"the bucket cannot be reached: {error}")
        else:
            self._send(found)

    def _read(self, key: str) -> bytes | None:
        try:
            found = self.server.s3.get_object(Bucket=self.server.bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in {"NoSuchKey", "404"}:
                return None
            raise
        return bytes(found["Body"].read())

    def _conditions(self) -> dict[str, str]:
        return {
            argument: self.headers[header]
            for header, argument in CONDITIONS.items()
            if header in self.headers
        }

    def _send(self, found: Mapping[str, Any]) -> None:
        metadata = found["ResponseMetadata"]
        self.send_response(metadata["HTTPStatusCode"])
        for header in PASSED_ON:
            if header in metadata["HTTPHeaders"]:
                self.send_header(header, metadata["HTTPHeaders"][header])
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()
        if self.command == "GET":
            for chunk in found["Body"].iter_chunks(CHUNK_BYTES):
                self.wfile.write(chunk)

    def _pass_on_refusal(self, error: ClientError) -> None:
        status = int(error.response["ResponseMetadata"]["HTTPStatusCode"])
        if status == HTTPStatus.NOT_MODIFIED:
            self.send_response(status)
            self.end_headers()
            return
        reason = error.response["Error"].get("Message", "")
        if status == HTTPStatus.NOT_FOUND and key_of(self.path) == INDEX:
            reason = EMPTY
        self._refuse(HTTPStatus(status), reason)

    def _refuse(self, status: HTTPStatus, reason: str) -> None:
        body = f"{status.value} {status.phrase}: {reason}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)
