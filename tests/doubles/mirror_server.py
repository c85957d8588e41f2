"""A small mirror, whole and signed, that answers as nginx or S3 would; a test may spoil it.

Ranges, conditional requests and compression follow RFC 9110; the layouts are those that brew
asks for (HOMEBREW_ARTIFACT_DOMAIN and HOMEBREW_BOTTLE_DOMAIN).
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import ssl
import tarfile
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from tests.doubles.registry import INDEX_TYPE, Signer

TAG = "arm64_tahoe"
PUBLISHED = datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Formula:
    """A formula with one bottle; `version` without the revision."""

    name: str
    version: str
    revision: int = 0
    rebuild: int = 0
    tag: str = TAG
    needs: tuple[str, ...] = ()
    repository: str = "homebrew/core"

    @property
    def package_version(self) -> str:
        return self.version + (f"_{self.revision}" if self.revision else "")

    @property
    def image(self) -> str:
        return self.name.replace("@", "/").replace("+", "x")

    @property
    def manifest_tag(self) -> str:
        return self.package_version + (f"-{self.rebuild}" if self.rebuild else "")

    @property
    def ref_name(self) -> str:
        rebuild = f".{self.rebuild}" if self.rebuild else ""
        return f"{self.package_version}.{self.tag}{rebuild}"

    @property
    def archive(self) -> bytes:
        return archive({f"{self.name}/{self.package_version}/README": self.name.encode() * 200})

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.archive).hexdigest()

    @property
    def manifest(self) -> str:
        return f"/v2/{self.repository}/{self.image}/manifests/{self.manifest_tag}"

    @property
    def blob(self) -> str:
        return f"/v2/{self.repository}/{self.image}/blobs/sha256:{self.digest}"

    @property
    def flat_manifest(self) -> str:
        return f"/{self.image}/manifests/{self.manifest_tag}"

    @property
    def flat_bottle(self) -> str:
        rebuild = f".{self.rebuild}" if self.rebuild else ""
        return f"/{self.name}-{self.package_version}.{self.tag}.bottle{rebuild}.tar.gz"


@dataclass(frozen=True)
class Served:
    """A file and how it is served; a header that is None is left out."""

    body: bytes
    headers: dict[str, str | None] = field(default_factory=dict)
    modified: datetime | None = PUBLISHED


# Between them: "@", "+", a revision, a rebuild, an `all` bottle, a dependency outside the sample.
FORMULAE = (
    Formula("a52dec", "0.8.0"),
    Formula("jq", "1.8.1", needs=("oniguruma",)),
    Formula("lame", "3.100"),
    Formula("lib+a@1", "1.2", revision=3, rebuild=1),
    Formula("ca-certificates", "2026-11-01", tag="all"),
    Formula("oniguruma", "6.9.10"),
    Formula("portable-ruby", "4.0.5", revision=1),
)
BY_NAME = {formula.name: formula for formula in FORMULAE}
# Of another tap: no API file names it.
TAPPED = Formula("deploy+x@2", "1.0", rebuild=1, repository="acme/tools")


@dataclass(frozen=True)
class Cask:
    """A cask; `sha256` as API files have it."""

    token: str
    body: bytes
    sha256: str = ""

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.body).hexdigest()

    @property
    def blob(self) -> str:
        return f"/v2/homebrew/cask/{self.token}/blobs/sha256:{self.digest}"

    @property
    def entry(self) -> dict[str, str]:
        return {"version": "145.0", "sha256": self.sha256 or self.digest}


FIREFOX = Cask("firefox@esr", b"a disk image" * 500)
CHROME = Cask("chrome", b"whatever its vendor sends", sha256="no_check")
CASKS = (FIREFOX, CHROME)


def archive(members: dict[str, bytes]) -> bytes:
    """A gzipped tar, the same bytes each time."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, body in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(body)
            tar.addfile(member, io.BytesIO(body))
    return gzip.compress(packed.getvalue(), mtime=0)


def packages(formulae: Iterable[Formula], tag: str = TAG) -> dict[str, Any]:
    """The payload of internal/packages.<tag>.jws.json; as upstream, without blank values."""
    entries = {}
    for each in formulae:
        entry = {
            "stable_version": each.version,
            "revision": each.revision,
            "bottle_rebuild": each.rebuild,
            "bottle_checksum": each.digest,
            "bottle_tag": "" if each.tag == tag else f":{each.tag}",
            "stable_dependencies": [*each.needs, {"pkgconf": ":build"}, ":linux"],
            "stable_uses_from_macos": [["zlib"], ["expat", {":since": ":sequoia"}]],
        }
        entries[each.name] = {key: value for key, value in entry.items() if value}
    casks = {each.token: each.entry for each in CASKS}
    return {"metadata": {"bottle_tag": tag}, "formulae": entries, "casks": casks}


def catalogue(formulae: Iterable[Formula]) -> list[dict[str, Any]]:
    """The payload of formula.jws.json."""
    return [
        {
            "name": each.name,
            "versions": {"stable": each.version},
            "revision": each.revision,
            "bottle": {
                "stable": {
                    "rebuild": each.rebuild,
                    "root_url": "https://ghcr.io/v2/homebrew/core",
                    "files": {each.tag: {"cellar": ":any", "sha256": each.digest}},
                }
            },
            "dependencies": list(each.needs),
            "uses_from_macos": ["zlib", {"bison": "build"}],
            "uses_from_macos_bounds": [{}, {}],
            "variations": {"x86_64_linux": {"dependencies": ["zlib"]}},
        }
        for each in formulae
    ]


def listed_casks() -> list[dict[str, Any]]:
    """The payload of cask.jws.json: with what is different on another platform."""
    variations = {TAG: {}, "x86_64_linux": {"sha256": "1" * 64}}
    return [{"token": each.token, **each.entry, "variations": variations} for each in CASKS]


def index(formula: Formula, **overrides: str | None) -> bytes:
    """The OCI image index of a formula; `None` leaves an annotation out, ``_`` stands for ``.``."""
    notes: dict[str, str | None] = {
        "org.opencontainers.image.ref.name": formula.ref_name,
        "sh.brew.bottle.digest": formula.digest,
        "sh.brew.bottle.size": str(len(formula.archive)),
        "sh.brew.tab": json.dumps({"homebrew_version": "6.0.9"}),
    }
    notes |= {name.replace("_", "."): value for name, value in overrides.items()}
    kept = {name: value for name, value in notes.items() if value is not None}
    manifest = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "annotations": kept}
    return json.dumps(
        {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [manifest]}
    ).encode()


def sound_files(signer: Signer, formulae: Iterable[Formula] = FORMULAE) -> dict[str, Served]:
    """Everything that every client asks for, in both layouts, by path."""
    formulae = tuple(formulae)
    payloads: dict[str, Any] = {
        "formula": catalogue(formulae),
        "cask": listed_casks(),
        "formula_tap_migrations": {},
        "cask_tap_migrations": {},
        f"internal/formula.{TAG}": {"formulae": {}},
        f"internal/cask.{TAG}": {"casks": {}},
        f"internal/packages.{TAG}": packages(formulae),
    }
    files = {
        f"/api/{name}.jws.json": Served(signer.sign(json.dumps(payload)))
        for name, payload in payloads.items()
    }
    files[FIREFOX.blob] = Served(FIREFOX.body)
    for each in (*formulae, TAPPED):
        manifest = Served(index(each), {"Content-Type": INDEX_TYPE})
        bottle = Served(each.archive)
        files |= {each.manifest: manifest, each.flat_manifest: manifest}
        files |= {each.blob: bottle, each.flat_bottle: bottle}
    return files


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    # With the default of 5, a burst of clients waits a second for its second try.
    request_queue_size = 64


class MirrorServer:
    """Serves `files` by path; what `answers` holds for a path answers in their stead.

    An answer is a function of the request's handler; it returns True when it has answered.
    `requested` keeps each request's path and headers.
    """

    def __init__(
        self, files: dict[str, Served], signer: Signer, tls: ssl.SSLContext | None = None
    ) -> None:
        self.files, self.signer = dict(files), signer
        self.answers: dict[str, Callable[[Handler], bool]] = {}
        self.requested: list[tuple[str, dict[str, str]]] = []
        self.ended = threading.Event()
        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.mirror = self  # type: ignore[attr-defined]  # how the handler finds us
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> MirrorServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def spoil(self, path: str, body: bytes) -> None:
        """Other bytes at a path that exists."""
        self.files[path] = replace(self.files[path], body=body)

    def headers(self, path: str, **headers: str | None) -> None:
        """Other response headers for a path that exists, ``_`` for ``-``."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        served = self.files[path]
        self.files[path] = replace(served, headers=served.headers | named)


class Handler(BaseHTTPRequestHandler):
    """One request, answered as a sound static server would."""

    # Then a connection may be kept, and a client must not rely on it.
    protocol_version = "HTTP/1.1"

    @property
    def mirror(self) -> MirrorServer:
        return self.server.mirror  # type: ignore[attr-defined,no-any-return]  # set by MirrorServer

    def do_GET(self) -> None:
        self.mirror.requested.append((self.path, dict(self.headers)))
        path = unquote(self.path)
        answer = self.mirror.answers.get(path)
        if answer and answer(self):
            return
        served = self.mirror.files.get(path)
        if served is None:
            self.send(404, b"not found")
        elif self._is_unchanged(served):
            self.send(304, b"")
        else:
            self._send_file(served, compress=path.startswith("/api/"))

    def send(self, status: int, body: bytes, **headers: str | None) -> None:
        """An answer with these headers, ``_`` for ``-``; its Content-Length is right by default."""
        named = {"Content-Length": str(len(body)), "Accept-Ranges": "bytes"}
        self.send_response(status)
        for name, value in {**named, **headers}.items():
            if value is not None:
                self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Tests are quiet."""

    def _is_unchanged(self, served: Served) -> bool:
        since = self.headers.get("If-Modified-Since")
        if not since or served.modified is None:
            return False
        return served.modified <= parsedate_to_datetime(since)

    def _send_file(self, served: Served, *, compress: bool) -> None:
        headers = dict(served.headers)
        if served.modified:
            headers = {"Last-Modified": format_datetime(served.modified, usegmt=True)} | headers
        wanted = self.headers.get("Range", "")
        if wanted.startswith("bytes="):
            self._send_range(served.body, wanted.removeprefix("bytes="), headers)
        elif compress and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(served.body, 1)
            self.send(200, body, **{"Content-Encoding": "gzip", **headers})
        else:
            self.send(200, served.body, **headers)

    def _send_range(self, body: bytes, wanted: str, headers: dict[str, str | None]) -> None:
        start, end = (int(part) if part else len(body) - 1 for part in wanted.split("-"))
        if start >= len(body):
            self.send(416, b"", Content_Range=f"bytes */{len(body)}")
            return
        part = body[start : end + 1]
        told = f"bytes {start}-{start + len(part) - 1}/{len(body)}"
        self.send(206, part, **{"Content-Range": told, **headers})
