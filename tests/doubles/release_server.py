"""A web server with the layout of releases.hashicorp.com, signed with a throw-away key.

Layout: /<version>/terraform_<version>_<platform>.zip, ..._SHA256SUMS, ..._SHA256SUMS.sig.
Source: https://releases.hashicorp.com/terraform/1.11.4/ ("Verify HashiCorp binaries").
"""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pysequoia

PLATFORMS = ("linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64")


class SigningKey:
    """An OpenPGP key that lives as long as the test."""

    def __init__(self) -> None:
        self._secret = pysequoia.Tsk.generate("Nobody <nobody@example.org>")
        self.public = str(self._secret.extract_certificate()).encode()

    def sign(self, signed: bytes) -> bytes:
        """A detached, binary signature, as HashiCorp publishes them."""
        detached = pysequoia.SignatureMode.DETACHED
        return bytes(pysequoia.sign(self._secret.signer(), signed, mode=detached, armor=False))


class ReleaseServer:
    """Serves `files`, a mapping of path to bytes, which a test may spoil; counts requests.

    A path in `broken_off` is announced at full length and sent by half.
    """

    def __init__(self, version: str, key: SigningKey) -> None:
        self.version, self.key = version, key
        self.files: dict[str, bytes] = {}
        self.requested: list[str] = []
        self.broken_off: set[str] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.base_url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> ReleaseServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def path(self, suffix: str) -> str:
        """``/1.11.4/terraform_1.11.4_<suffix>``."""
        return f"/{self.version}/terraform_{self.version}_{suffix}"

    def publish(self, archive: bytes) -> None:
        """The same archive for every platform, with matching checksums and signature."""
        digest = hashlib.sha256(archive).hexdigest()
        names = [self.path(f"{platform}.zip") for platform in PLATFORMS]
        self.files |= dict.fromkeys(names, archive)
        self.sign("".join(f"{digest}  {Path(name).name}\n" for name in names))

    def sign(self, sums: str, key: SigningKey | None = None) -> None:
        """Publish other checksums, signed by the server's key or another one."""
        self.files[self.path("SHA256SUMS")] = sums.encode()
        self.files[self.path("SHA256SUMS.sig")] = (key or self.key).sign(sums.encode())

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.requested.append(self.path)
                body = server.files.get(self.path)
                if body is None:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                cut = len(body) // 2 if self.path in server.broken_off else len(body)
                self.wfile.write(body[:cut])

            def log_message(self, *_: object) -> None:
                """Tests are quiet."""

        return Handler


def archive(members: Mapping[str, bytes]) -> bytes:
    """A zip of these names and contents, names not looked at."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, body in members.items():
            packed.writestr(name, body)
    return written.getvalue()
