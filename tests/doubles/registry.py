"""A small Homebrew upstream on 127.0.0.1: signed API files, and a registry that behaves as GHCR.

What it copies, and where that is written down: bearer tokens per repository, given by the realm
of a 401 (CNCF distribution, "Token Authentication Specification"); blobs answered with a 307
to a storage host that refuses our token and knows ranges (GHCR, Azure Blob Storage); JWS files
with PS512 and an unencoded payload (Homebrew/brew, ``api.rb``).
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
CORE = "homebrew/core"
REPOSITORY = re.compile(
    r"/v2/(?P<tap>[^/]+/[^/]+)/(?P<image>.+)/(?P<kind>manifests|blobs)/(?P<what>.+)"
)


class Signer:
    """A throw-away RSA key that signs as Homebrew does."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.public_pem = (
            self._key.public_key()
            .public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            .decode()
        )

    def sign(
        self, payload: str, *, alg: str = "PS512", kid: str = "homebrew-1", b64: bool = False
    ) -> bytes:
        """A JWS file; other than the defaults only to be refused."""
        header = json.dumps({"alg": alg, "b64": b64, "crit": ["b64"]}).encode()
        protected = _base64url(header)
        pss = padding.PSS(mgf=padding.MGF1(hashes.SHA512()), salt_length=64)
        signature = self._key.sign(f"{protected}.{payload}".encode(), pss, hashes.SHA512())
        entry = {
            "protected": protected,
            "header": {"kid": kid},
            "signature": _base64url(signature),
        }
        return json.dumps({"payload": payload, "signatures": [entry]}).encode()


@dataclass
class Blob:
    """A bottle's bytes as the registry sends them, which a test may spoil.

    Args:
        announced: the Content-Length to tell instead of the true one.
        breaks_at: byte offsets at which the connection ends, one per request, in turn.
        knows_ranges: False for a storage that starts over.
        damaged_answers: how many answers to spoil by one byte.
        told_range: the Content-Range to tell instead of the true one.
        pause_seconds: before each 4 KiB.
        never_ends: whether it comes in chunks of which the last one is missing.
    """

    body: bytes
    announced: int | None = None
    breaks_at: list[int] = field(default_factory=list)
    knows_ranges: bool = True
    damaged_answers: int = 0
    told_range: str | None = None
    pause_seconds: float = 0.0
    never_ends: bool = False


class Upstream:
    """The API below ``/api``, the registry below ``/v2``, its storage below ``/storage``.

    A test fills it with `add`, spoils what it likes, and reads `requests`.
    """

    def __init__(self, signer: Signer) -> None:
        self.signer = signer
        self.forget()
        self._server = _Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def forget(self) -> None:
        """Be empty and sound again."""
        self.api_files: dict[str, bytes] = {}
        self.formulae: dict[str, dict[str, dict[str, object]]] = {}
        self.tables: dict[str, dict[str, str]] = {}
        self.manifests: dict[tuple[str, str], bytes] = {}
        self.blobs: dict[str, Blob] = {}
        # Platform → the casks of `internal/packages`; the list that older brews read.
        self.casks: dict[str, dict[str, dict[str, object]]] = {}
        self.listed_casks: list[dict[str, object]] = []
        # Path below /vendors/ → the file.
        self.files: dict[str, Blob] = {}
        self.tokens: set[str] = set()
        self.requests: list[tuple[str, dict[str, str]]] = []
        # How many connections were made.
        self.connections = 0
        # Path → answers to give first: a status and headers.
        self.first_answers: dict[str, list[tuple[int, dict[str, str]]]] = {}
        # Path → what to send there instead, status line and headers included, and then to close.
        self.raw_answers: dict[str, bytes] = {}
        # GHCR's anonymous tokens serve every repository; other registries bind them.
        self.tokens_are_bound = True
        # Paths below /api and manifests whose next body is sent by half.
        self.breaks_off: list[str] = []
        self.redirect_blobs_to: str | None = None

    def __enter__(self) -> Upstream:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def add(
        self,
        name: str,
        bottles: dict[str, bytes],
        *,
        version: str = "1.0",
        platforms: tuple[str, ...] = ("arm64_tahoe",),
        **entry: object,
    ) -> None:
        """A formula with the bottles of one version, in the API and in the registry.

        Args:
            bottles: tag → bytes; ``all`` serves each of `platforms`.
            entry: more of the API's entry, as ``revision`` or ``stable_dependencies``.
        """
        digests = {tag: hashlib.sha256(body).hexdigest() for tag, body in bottles.items()}
        revision, rebuild = entry.get("revision", 0), entry.get("bottle_rebuild", 0)
        package = f"{version}_{revision}" if revision else version
        for platform in platforms:
            tag = platform if platform in bottles else "all"
            told = {"stable_version": version, **entry}
            if tag in bottles:
                told |= {"bottle_checksum": digests[tag]}
                told |= {"bottle_tag": ":all"} if tag == "all" else {}
            self.formulae.setdefault(platform, {})[name] = told
        entries = [
            manifest_entry(f"{package}.{tag}" + (f".{rebuild}" if rebuild else ""), body)
            for tag, body in bottles.items()
        ]
        image = name.replace("@", "/").replace("+", "x")
        manifest_tag = f"{package}-{rebuild}" if rebuild else package
        index = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": entries}
        self.manifests[image, manifest_tag] = json.dumps(index).encode()
        self.blobs |= {digests[tag]: Blob(body) for tag, body in bottles.items()}
        self.sign_all()

    def add_tapped(
        self, tap: str, name: str, bottles: dict[str, bytes], *, version: str = "1.0"
    ) -> dict[str, str]:
        """A formula of another tap, in the registry alone; returns its digests by tag."""
        entries = [manifest_entry(f"{version}.{tag}", body) for tag, body in bottles.items()]
        index = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": entries}
        image = name.replace("@", "/").replace("+", "x")
        self.manifests[f"/{tap}/{image}", version] = json.dumps(index).encode()
        digests = {tag: hashlib.sha256(body).hexdigest() for tag, body in bottles.items()}
        self.blobs |= {digests[tag]: Blob(body) for tag, body in bottles.items()}
        return digests

    def add_cask(
        self,
        token: str,
        body: bytes,
        *,
        path: str = "",
        platforms: tuple[str, ...] = ("arm64_tahoe",),
        **entry: object,
    ) -> str:
        """A cask in `internal/packages`, and its file at its vendor's; returns the file's digest.

        Args:
            path: of the file below ``/vendors/``.
            entry: more of the API's entry, as ``depends_on_args``, or another ``sha256``.
        """
        path = path or f"{token}.dmg"
        digest = hashlib.sha256(body).hexdigest()
        self.files[path] = Blob(body)
        told = {"version": "1.0", "sha256": digest, "url_args": [f"{self.url}/vendors/{path}"]}
        for platform in platforms:
            self.formulae.setdefault(platform, {})
            self.casks.setdefault(platform, {})[token] = {**told, **entry}
        self.sign_all()
        return digest

    def sign_all(self) -> None:
        """Write the API files anew from `formulae`, `casks` and `tables`."""
        if self.listed_casks:
            self.api_files["cask.jws.json"] = self.signer.sign(json.dumps(self.listed_casks))
        for platform, formulae in self.formulae.items():
            payload = {
                "metadata": {"bottle_tag": platform},
                "formulae": formulae,
                "casks": self.casks.get(platform, {}),
                **self.tables,
            }
            path = f"internal/packages.{platform}.jws.json"
            self.api_files[path] = self.signer.sign(json.dumps(payload))

    def paths(self, part: str = "") -> list[str]:
        """The paths asked for so far that contain `part`."""
        return [path for path, _ in self.requests if part in path]


def manifest_entry(ref_name: str, body: bytes) -> dict[str, object]:
    """One entry of an OCI image index, annotated as brew wants it."""
    notes = {
        "org.opencontainers.image.ref.name": ref_name,
        "sh.brew.bottle.digest": hashlib.sha256(body).hexdigest(),
        "sh.brew.bottle.size": str(len(body)),
        "sh.brew.tab": json.dumps({"built_as_bottle": True}),
    }
    digest = "sha256:" + hashlib.sha256(b"image manifest of " + body).hexdigest()
    return {"digest": digest, "annotations": notes}


class _Server(ThreadingHTTPServer):
    def __init__(self, upstream: Upstream) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = upstream

    def get_request(self) -> tuple[socket.socket, object]:
        self.upstream.connections += 1
        return super().get_request()


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.upstream.requests.append((self.path, dict(self.headers)))
        path = urlsplit(self.path).path
        if path in self.server.upstream.raw_answers:
            self._send_raw(self.server.upstream.raw_answers[path])
        elif self.server.upstream.first_answers.get(path):
            self._say(*self.server.upstream.first_answers[path].pop(0))
        elif path.startswith("/api/"):
            self._send_api_file(self.server.upstream.api_files.get(path.removeprefix("/api/")))
        elif path == "/token":
            self._give_token()
        elif path.startswith("/storage/"):
            self._send_blob(self.server.upstream.blobs.get(path.removeprefix("/storage/")))
        elif path.startswith("/vendors/"):
            self._send_blob(self.server.upstream.files.get(path.removeprefix("/vendors/")))
        elif found := REPOSITORY.fullmatch(path):
            self._registry(found["tap"], found["image"], found["kind"], found["what"])
        else:
            self._say(404, {})

    def _registry(self, tap: str, image: str, kind: str, what: str) -> None:
        scope = f"repository:{tap}/{image}:pull"
        if tap != CORE:
            image = f"/{tap}/{image}"
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        is_bound = self.server.upstream.tokens_are_bound
        if token not in self.server.upstream.tokens or (is_bound and not token.startswith(scope)):
            realm = (
                f'Bearer realm="{self.server.upstream.url}/token",service="ghcr.io",scope="{scope}"'
            )
            self._say(401, {"WWW-Authenticate": realm})
        elif kind == "manifests":
            self._send(self.server.upstream.manifests.get((image, what)))
        elif what.removeprefix("sha256:") not in self.server.upstream.blobs:
            self._say(404, {})
        else:
            stored = f"/storage/{what.removeprefix('sha256:')}?sig=secret"
            self._say(307, {"Location": self.server.upstream.redirect_blobs_to or stored})

    def _give_token(self) -> None:
        scope = parse_qs(urlsplit(self.path).query)["scope"][0]
        token = f"{scope} number {len(self.server.upstream.tokens) + 1}"
        self.server.upstream.tokens.add(token)
        self._send(json.dumps({"token": token}).encode())

    def _send_blob(self, blob: Blob | None) -> None:
        if blob is None or "Authorization" in self.headers:
            self._say(403 if blob else 404, {})
            return
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        first = int(asked[1]) if asked and blob.knows_ranges else 0
        rest = blob.body[first:]
        if first and not rest:
            self._say(416, {"Content-Range": f"bytes */{len(blob.body)}"})
            return
        if blob.damaged_answers:
            blob.damaged_answers -= 1
            rest = bytes([rest[0] ^ 1]) + rest[1:]
        self.send_response(206 if first else 200)
        if first:
            total = len(blob.body)
            told = (
                f"bytes {first}-{total - 1}/{total}" if blob.told_range is None else blob.told_range
            )
            self.send_header("Content-Range", told)
        # A body shorter than announced can only be told by closing.
        self.close_connection = True
        if blob.never_ends:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(rest), rest))
            return
        self.send_header("Content-Length", str(blob.announced or len(rest)))
        self.end_headers()
        cut = blob.breaks_at.pop(0) - first if blob.breaks_at else len(rest)
        with contextlib.suppress(ConnectionError):
            for piece in _paced(rest[:cut], blob.pause_seconds):
                self.wfile.write(piece)

    def _send_raw(self, answer: bytes) -> None:
        self.close_connection = True
        # Who asked may have had enough before all of it is sent.
        with contextlib.suppress(ConnectionError):
            self.wfile.write(answer)

    def _send_api_file(self, body: bytes | None) -> None:
        etag = f'"{hashlib.sha256(body or b"").hexdigest()}"'
        if body is not None and self.headers.get("If-None-Match") == etag:
            self._say(304, {"ETag": etag})
        else:
            self._send(body, etag)

    def _send(self, body: bytes | None, etag: str = "") -> None:
        if body is None:
            self._say(404, {})
            return
        self.send_response(200)
        if etag:
            self.send_header("ETag", etag)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.path in self.server.upstream.breaks_off:
            self.server.upstream.breaks_off.remove(self.path)
            body, self.close_connection = body[: len(body) // 2], True
        self.wfile.write(body)

    def _say(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Tests are quiet."""


def _paced(body: bytes, pause_seconds: float) -> Iterator[bytes]:
    if not pause_seconds:
        yield body
        return
    for first in range(0, len(body), 4096):
        time.sleep(pause_seconds)
        yield body[first : first + 4096]


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
