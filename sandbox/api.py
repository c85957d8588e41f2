"""The signed API files of one catalogue, made when first asked for and kept for good.

A signature is different each time it is made, so a file that was made twice would look changed
to everybody who has it; hence each lies on disk, with the date that clients compare.
"""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

from sandbox.answers import Answer, Asked, File
from sandbox.api_files import Catalogue, payload_of
from sandbox.signing import Signer

JSON = "application/json"


class Api:
    """Answers for the paths below one ``…/api/``.

    Args:
        folder: keeps the signed files.
        read: gives the catalogue; called at most once, and only if a file has to be made.
    """

    def __init__(self, folder: Path, read: Callable[[], Catalogue], signer: Signer) -> None:
        self._folder, self._read, self._signer = folder, read, signer
        self._catalogue: Catalogue | None = None
        self._etags: dict[Path, str] = {}
        self._lock = threading.Lock()

    def answer(self, path: str, asked: Asked) -> Answer:
        """``formula.jws.json``, ``internal/packages.<tag>.jws.json`` and the like."""
        file = self._file(path)
        if file is None:
            return Answer(404, {"Content-Type": "text/plain"}, b"404: there is no such API file\n")
        answer = Answer.file(File(file, JSON, self._etag(file))).unless_known(asked)
        if answer.status != 200 or "gzip" not in asked.get("Accept-Encoding", ""):
            return answer
        return answer.compressed(_packed(file).read_bytes())

    def _etag(self, file: Path) -> str:
        if file not in self._etags:
            self._etags[file] = f'"{hashlib.sha256(file.read_bytes()).hexdigest()[:32]}"'
        return self._etags[file]

    def _file(self, path: str) -> Path | None:
        if not path.endswith(".jws.json"):
            return None
        file = self._folder / path.replace("/", "_")
        with self._lock:  # One request makes the file, the others wait for it.
            if not file.exists():
                payload = payload_of(path, self._known())
                if payload is None:
                    return None
                self._keep(file, self._signer.sign(payload))
        return file

    def _known(self) -> Catalogue:
        if self._catalogue is None:
            self._catalogue = self._read()
        return self._catalogue

    def _keep(self, file: Path, signed: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        _packed(file).write_bytes(gzip.compress(signed, 6, mtime=0))
        written = file.with_suffix(".new")
        written.write_bytes(signed)
        written.replace(file)


def _packed(file: Path) -> Path:
    return file.with_name(f"{file.name}.gz")
