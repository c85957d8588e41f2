"""The APIs that the upstream serves: the sample's own, and each catalogue that was given to it."""

from __future__ import annotations

import hashlib
import re
import threading
from functools import partial
from pathlib import Path

from sandbox import catalogues
from sandbox.api import Api
from sandbox.api_files import Catalogue
from sandbox.signing import Signer

API_PATH = re.compile(r"(?:/catalogues/(?P<catalogue>[0-9a-f]{16}))?/api/(?P<file>.+)")


class Shelf:
    """Finds the API that a path belongs to.

    Args:
        folder: keeps signed files and given catalogues, across restarts.
    """

    def __init__(self, folder: Path, signer: Signer) -> None:
        self._folder, self._signer = folder, signer
        self._apis: dict[str, Api] = {}
        self._lock = threading.Lock()

    def show(self, sample: Catalogue) -> None:
        """Serve this at ``/api/`` from now on; the same content is the same files as ever."""
        name = hashlib.sha256(repr(sample).encode()).hexdigest()[:16]
        with self._lock:
            self._apis[""] = Api(self._folder / "api" / name, lambda: sample, self._signer)

    def find(self, path: str) -> tuple[Api, str] | None:
        """The API, and the path below its ``api/``."""
        asked = API_PATH.fullmatch(path)
        if asked is None:
            return None
        api = self._api(asked["catalogue"] or "")
        return (api, asked["file"]) if api else None

    def add(self, raw: bytes) -> str:
        """Keep a catalogue; the path of its API.

        Raises:
            NotACatalogue: it is something else; nothing is kept.
        """
        name = catalogues.name_of(raw)
        folder = self._folder / "catalogues" / name
        if not (folder / "catalogue").exists():
            catalogues.parse(raw)
            folder.mkdir(parents=True, exist_ok=True)
            written = folder / "catalogue.new"
            written.write_bytes(raw)
            written.replace(folder / "catalogue")
        return f"/catalogues/{name}/api"

    def _api(self, name: str) -> Api | None:
        given = self._folder / "catalogues" / name / "catalogue"
        with self._lock:
            if name not in self._apis and given.exists():
                self._apis[name] = Api(given.parent / "api", partial(_read, given), self._signer)
            return self._apis.get(name)


def _read(file: Path) -> Catalogue:
    return catalogues.parse(file.read_bytes())
