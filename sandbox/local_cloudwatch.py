"""CloudWatch by moto's server: its alarms and dashboards plan clean, MiniStack's do not.

moto keeps everything in memory. What defines something (not metrics, not questions) is written
to a journal, and done again when the server starts, so that Terraform finds its alarms.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import re
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import run_simple
from werkzeug.test import EnvironBuilder, run_wsgi_app

from sandbox.identity import IDENTITY_PATH
from sandbox.ports import HOST

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

# The operation is named in the path (CBOR), a header (JSON) or the form (query protocol).
# Source: Smithy RPC v2 CBOR, "Requests"; AWS JSON 1.0; AWS Query.
OPERATION = re.compile(rb"(?:/operation/|GraniteServiceVersion\d+\.|\bAction=)([A-Za-z]+)")
DEFINING = re.compile(r"(Put(?!MetricData)|Delete|Enable|Disable|Tag|Untag|Set)")
ACCOUNT = re.compile(r"Credential=(\d{12})/")
KEPT_HEADERS = ("CONTENT_TYPE", "HTTP_AUTHORIZATION", "HTTP_X_AMZ_TARGET", "HTTP_SMITHY_PROTOCOL")


class Journal:
    """The defining requests so far, one JSON line each, in the order in which they were answered.

    A line: ``{"path", "environ": {WSGI name: value}, "body": base64}``.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._lock = threading.Lock()

    def add(self, environ: Environ, body: bytes) -> None:
        """Write one request down."""
        entry = {
            "path": environ["PATH_INFO"],
            "environ": {name: environ[name] for name in KEPT_HEADERS if name in environ},
            "body": base64.b64encode(body).decode(),
        }
        with self._lock, self.file.open("a") as lines:
            lines.write(json.dumps(entry) + "\n")

    def replay(self, application: Application) -> None:
        """Do it all again; a last line that a crash cut off was never answered, and is left out."""
        if not self.file.exists():
            return
        whole, _, _ = self.file.read_text().rpartition("\n")
        for line in whole.splitlines():
            entry = json.loads(line)
            environ = EnvironBuilder(
                path=entry["path"], method="POST", data=base64.b64decode(entry["body"])
            ).get_environ()
            run_wsgi_app(application, environ | entry["environ"], buffered=True)


class JournalledCloudWatch:
    """moto's WSGI application; takes a 12-digit access key as the account, as MiniStack does."""

    def __init__(self, token: str, journal: Journal) -> None:
        self.token, self.journal = token, journal
        self.moto: Application = DomainDispatcherApplication(create_backend_app)
        journal.replay(self._as_account)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Source: PEP 3333."""
        if environ["PATH_INFO"] == IDENTITY_PATH:
            start_response("200 OK", [("Content-Length", str(len(self.token)))])
            return [self.token.encode()]
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        answer = self._as_account(environ, start_response)
        if DEFINING.match(operation_of(environ, body)):
            self.journal.add(environ, body)
        return answer

    def _as_account(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        account = ACCOUNT.search(environ.get("HTTP_AUTHORIZATION", ""))
        if account:
            environ["HTTP_X_MOTO_ACCOUNT_ID"] = account[1]
        return self.moto(environ, start_response)


def operation_of(environ: Environ, body: bytes) -> str:
    """``PutMetricAlarm``, in whichever of the three protocols it was asked; empty if in none."""
    asked = f"{environ['PATH_INFO']}\n{environ.get('HTTP_X_AMZ_TARGET', '')}\n".encode()
    found = OPERATION.search(asked) or OPERATION.search(body)
    return found[1].decode() if found else ""


def main() -> None:
    """Serve on 127.0.0.1 until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--token", required=True, help="what this server answers when asked who")
    parser.add_argument("--journal", type=Path, required=True)
    given = parser.parse_args()
    application = JournalledCloudWatch(given.token, Journal(given.journal))
    run_simple(HOST, given.port, application, threaded=True, request_handler=MotoRequestHandler)


if __name__ == "__main__":
    main()
