"""The vendors whose files casks install: hosts of their own elsewhere, folders of this one here."""

from __future__ import annotations

import hashlib
import io
import random
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from sandbox.answers import Answer, Asked, File
from sandbox.casks import Cask

PREFIX = "/vendors/"
# As some vendors do: the address in the cask leads to another one.
REDIRECTING = "update.code.visualstudio.com/"
STORAGE = "vscode.download.prss.microsoft.com/"
PAYLOAD_BYTES = 64 * 1024


class Vendors:
    """Files of casks, made once, kept in a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._files: dict[str, Path] = {}
        self.digests: dict[str, str] = {}

    def stock(self, casks: Iterable[Cask]) -> None:
        """Have the files of these casks, each the same whenever it is made."""
        for cask in casks:
            for path in _paths(cask):
                body = _archive(f"{cask.name}.app", path)
                digest = hashlib.sha256(body).hexdigest()
                file = self._folder / digest
                if not file.is_file():
                    file.write_bytes(body)
                self._files[path], self.digests[path] = file, digest

    def answer(self, target: str, asked: Asked) -> Answer:
        """A GET of a path below ``/vendors/``, query included."""
        path = target.removeprefix(PREFIX)
        if path.startswith(REDIRECTING) and path in self._files:
            there = PREFIX + STORAGE + path.removeprefix(REDIRECTING)
            return Answer(302, {"Location": there})
        found = self._files.get(path.replace(STORAGE, REDIRECTING, 1))
        if found is None:
            return Answer(404, {"Content-Type": "text/plain"}, b"404: no such file\n")
        file = File(found, "application/octet-stream", f'"{found.name[:32]}"')
        return Answer.file(file).in_part(asked)


def _paths(cask: Cask) -> Iterator[str]:
    yield cask.path
    if cask.intel_path:
        yield cask.intel_path


def _archive(app: str, seed: str) -> bytes:
    """A zip with one program in it, in bytes that depend on nothing but its names."""
    payload = random.Random(seed).randbytes(PAYLOAD_BYTES)  # noqa: S311 - not a secret
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, content in (("MacOS/run", b"#!/bin/sh\necho run\n"), ("payload", payload)):
            archive.writestr(zipfile.ZipInfo(f"{app}/Contents/{name}"), content)
    return packed.getvalue()
