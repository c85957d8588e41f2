"""A sample Homebrew on 127.0.0.1: signed API files, a registry as GHCR is, vendors of casks.

``/api/…``, ``/catalogues/<name>/api/…``   sandbox/shelf.py
``/token``, ``/v2/…``, ``/storage/…``      sandbox/registry.py
``/vendors/…``                             sandbox/vendors.py
``/_sandbox/identity``                     whose server this is
``/_sandbox/faults``                       POST a fault (sandbox/faults.py), DELETE all
``/_sandbox/requests``                     GET how often each path was asked for, DELETE: from zero
``/_sandbox/tap``                          GET the file of the sample tap (sandbox/taps.py)
``/_sandbox/releases``                     POST {"name": "jq", "version": "1.9.0"}: a new version
``/_sandbox/catalogues``                   POST a catalogue file, to be planned
``/_sandbox/stock``                        POST a catalogue file, to be mirrored from ``/api/``
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from sandbox import casks, catalogues, registry, stock, taps, vendors
from sandbox.answers import Answer
from sandbox.api_files import Catalogue
from sandbox.bottles import Cellar
from sandbox.catalogues import PUBLISH_PATH, STOCK_PATH, NotACatalogue
from sandbox.faults import REFUSALS, Fault, Faults
from sandbox.identity import IDENTITY_PATH
from sandbox.passes import Passes
from sandbox.ports import HOST
from sandbox.releases import Releases
from sandbox.sample import ARCHIVED, FORMULA_RENAMES, FORMULA_TAP_MIGRATIONS
from sandbox.shelf import Shelf
from sandbox.signing import Signer
from sandbox.vendors import Vendors

CHUNK_BYTES = 256 * 1024
STALL_SECONDS = 30.0
SILENCE_SECONDS = 120.0  # A client that keeps a connection open and says nothing.
RETRY_AFTER_SECONDS = 1
EXTRA = b"\0more than was promised"


class Upstream(ThreadingHTTPServer):
    """The sample Homebrew as a server, bound and not yet answering.

    Args:
        folder: keeps bottles, signing key and signed files, so that a second start is quick and
            serves the same bytes.
        token: what it answers when asked whose it is.
        port: 0 takes any free one.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, folder: Path, token: str = "", port: int = 0) -> None:  # nosec B107 - none
        folder.mkdir(parents=True, exist_ok=True)
        signer = Signer(folder)
        self.token = token
        self.public_key_pem = signer.public_key_pem.decode()
        self.cellar = Cellar(folder / "bottles")
        self.releases = Releases(folder / "releases.json")
        self.shelf = Shelf(folder, signer)
        self.registry = registry.Registry(Passes())
        self.faults = Faults()
        self.requests: Counter[str] = Counter()
        self.changing = threading.Lock()
        self.vendors = Vendors(folder / "vendors")
        super().__init__((HOST, port), _Handler)
        self._publish()

    @property
    def url(self) -> str:
        """``http://127.0.0.1:8081``."""
        return f"http://{HOST}:{self.server_address[1]}"

    def release(self, name: str, version: str) -> None:
        """Build and publish a new version of one formula, as a real upstream does every minute.

        Raises:
            ValueError: the sample has no such formula.
        """
        with self.changing:
            self.releases.add(name, version)
            self._publish()

    def stock(self, raw: bytes) -> int:
        """Offer a catalogue in place of the sample, until the next release or start.

        Every bottle that it names is built, and can be fetched (sandbox/stock.py).

        Returns:
            How many formulae there are.

        Raises:
            NotACatalogue: it is something else; nothing changes.
        """
        given = catalogues.parse(raw)
        formulae = self.cellar.fill(stock.recipes(given))
        self.registry.add(formulae.values(), self.cellar)
        with self.changing:
            self.shelf.show(Catalogue(formulae, given.renames, given.tap_migrations))
        return len(formulae)

    def _publish(self) -> None:
        self.formulae = self.cellar.fill(self.releases.recipes.values())
        self.registry.add(self.cellar.fill(ARCHIVED).values(), self.cellar)
        self.registry.add(self.formulae.values(), self.cellar)
        self.tapped = self.cellar.fill(taps.RECIPES)
        self.registry.add(self.tapped.values(), self.cellar, taps.TAP)
        self.vendors.stock(casks.SAMPLE)
        offer = casks.Offer(casks.SAMPLE, self.url, self.vendors.digests)
        self.shelf.show(Catalogue(self.formulae, FORMULA_RENAMES, FORMULA_TAP_MIGRATIONS, offer))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is a client's right."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = SILENCE_SECONDS
    # Else headers and body, two writes, wait for each other on a kept connection.
    disable_nagle_algorithm = True
    server: Upstream

    def do_GET(self) -> None:
        path, query = _parts(self.path)
        if path.startswith("/_sandbox/"):
            self._send(self._about_itself(path))
            return
        subject = self._subject(path)
        with self.server.changing:
            self.server.requests[subject] += 1
        refused = self.server.faults.refusal(subject)
        answer = self._refused(refused) if refused else self._answer(path, query)
        # A redirect or a 304 has no body to spoil: the fault waits for one that has.
        spoiler = self.server.faults.spoiler(subject) if answer.size else None
        self._send(answer, spoiler)

    def do_HEAD(self) -> None:
        self.do_GET()  # `_send` leaves the body out.

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        posted = {
            PUBLISH_PATH: self._publish,
            STOCK_PATH: self._stock,
            "/_sandbox/faults": self._add_fault,
            "/_sandbox/releases": self._release,
        }.get(self.path)
        if posted is None:
            self._send(Answer(404))
            return
        try:
            self._send(Answer.json(200, posted(body)))
        except (NotACatalogue, ValueError, TypeError) as error:
            self._send(Answer.json(400, {"problem": str(error)}))

    def do_DELETE(self) -> None:
        if self.path == "/_sandbox/faults":
            self.server.faults.clear()
        elif self.path == "/_sandbox/requests":
            with self.server.changing:
                self.server.requests.clear()
        self._send(Answer.json(200, {}))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parent's name
        """Stay quiet: `/_sandbox/requests` tells what was asked."""

    def _subject(self, path: str) -> str:
        """The path that faults and counts go by: a storage address is of use to nobody there."""
        if not path.startswith(registry.STORAGE):
            return path
        return f"{registry.STORAGE.rstrip('/')}{self.server.registry.blob_of(path)}"

    def _answer(self, path: str, query: str) -> Answer:
        if path == "/token":
            return self.server.registry.token(query)
        if path.startswith("/v2/"):
            return self.server.registry.answer(path, self.headers, self.server.url)
        if path.startswith(registry.STORAGE):
            return self.server.registry.stored(path, self.headers).in_part(self.headers)
        if path.startswith(vendors.PREFIX):
            return self.server.vendors.answer(self.path, self.headers)
        return self._api_file(path)

    def _api_file(self, path: str) -> Answer:
        found = self.server.shelf.find(path)
        if found is None:
            return Answer(404, {"Content-Type": "text/plain"}, b"404: nothing is here\n")
        api, file = found
        return api.answer(file, self.headers)

    def _about_itself(self, path: str) -> Answer:
        if path == IDENTITY_PATH:
            return Answer(200, {"Content-Type": "text/plain"}, self.server.token.encode())
        if path == "/_sandbox/tap":
            return Answer.json(200, taps.brew_info(self.server.tapped.values()))
        if path == "/_sandbox/requests":
            with self.server.changing:
                return Answer.json(200, dict(self.server.requests))
        return Answer(404)

    def _publish(self, body: bytes) -> dict[str, str]:
        return {"api_url": self.server.url + self.server.shelf.add(body)}

    def _stock(self, body: bytes) -> dict[str, int]:
        return {"formulae": self.server.stock(body)}

    def _add_fault(self, body: bytes) -> dict[str, str]:
        self.server.faults.add(Fault(**json.loads(body)))
        return {}

    def _release(self, body: bytes) -> dict[str, str]:
        self.server.release(**json.loads(body))
        return {}

    def _refused(self, kind: str) -> Answer:
        status, code = REFUSALS[kind]
        if status == 401:
            return registry.challenge(self.server.url, _parts(self.path)[0])
        answer = registry.refusal(status, code, f"fault {kind!r}")
        if status in (429, 503):
            headers = {**answer.headers, "Retry-After": str(RETRY_AFTER_SECONDS)}
            return Answer(status, headers, answer.body)
        return answer

    def _send(self, answer: Answer, spoiler: str | None = None) -> None:
        size = answer.size + (len(EXTRA) if spoiler == "lengthen" else 0)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 304:
            self.send_header("Content-Length", str(size))
        self.end_headers()
        if self.command != "HEAD" and answer.status != 304:
            self._send_body(answer, spoiler)

    def _send_body(self, answer: Answer, spoiler: str | None) -> None:
        if spoiler:
            self._send_spoiled(answer.whole(), spoiler)
        elif answer.source is None:
            self.wfile.write(answer.body)
        else:
            with answer.source.open("rb") as opened:
                opened.seek(answer.start)
                self._copy(opened, answer.length)

    def _copy(self, opened: BinaryIO, left: int) -> None:
        while left and (chunk := opened.read(min(left, CHUNK_BYTES))):
            self.wfile.write(chunk)
            left -= len(chunk)

    def _send_spoiled(self, body: bytes, spoiler: str) -> None:
        middle = len(body) // 2
        if spoiler == "corrupt":
            self.wfile.write(body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :])
        elif spoiler == "lengthen":
            self.wfile.write(body + EXTRA)
        else:  # The rest never comes: at once, or after a long silence.
            self.wfile.write(body[:middle])
            if spoiler == "stall":
                time.sleep(STALL_SECONDS)
            self.close_connection = True


def _parts(target: str) -> tuple[str, str]:
    parts = urlsplit(target)
    return parts.path, parts.query


def main() -> None:
    """Serve on 127.0.0.1 until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--token", required=True, help="what this server answers when asked who")
    given = parser.parse_args()
    with Upstream(given.folder, given.token, given.port) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
