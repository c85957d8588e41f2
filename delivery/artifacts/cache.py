"""What need not be built again: earlier artifacts, found by the digest of their inputs."""

from __future__ import annotations

import base64
import hashlib
import json
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Per component: enough for three environments and the change before this one.
KEPT = 6


@dataclass(frozen=True)
class Artifact:
    """A zip, named by its digest.

    `sha256` is 64 hex digits; `inputs_digest` says what it was made from; `was_built` is
    False when an earlier build had made it already.
    """

    name: str
    path: Path
    sha256: str
    size_bytes: int
    inputs_digest: str
    was_built: bool

    @property
    def base64_digest(self) -> str:
        """The digest as Lambda spells it (`source_code_hash`, `CodeSha256`)."""
        return base64.b64encode(bytes.fromhex(self.sha256)).decode()


def inputs_digest(decisive: Mapping[str, object], members: Mapping[str, Path]) -> str:
    """A digest of the members' names and bytes and of whatever else decides the artifact."""
    files = [
        [name, hashlib.sha256(path.read_bytes()).hexdigest()]
        for name, path in sorted(members.items())
    ]
    text = json.dumps([dict(decisive), files], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


class Cache:
    """A folder of artifacts, ``<name>-<digest>.zip``, and the index that finds them by inputs.

    The index may be lost, or lose an entry to another build at the same moment: what is
    missing is built again, with the same bytes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._index = folder / "index.json"

    def find(self, name: str, inputs: str) -> Artifact | None:
        """The artifact made from these inputs, if it is still there and still itself."""
        entry = self._entries().get(f"{name} {inputs}")
        if entry is None:
            return None
        artifact = self._artifact(name, inputs, entry["sha256"], entry["size_bytes"], built=False)
        return artifact if _is_sound(artifact, entry["mtime_ns"]) else None

    def keep(self, name: str, inputs: str, body: bytes) -> Artifact:
        """Store a new artifact, and drop the oldest of the same name beyond `KEPT`."""
        sha256 = hashlib.sha256(body).hexdigest()
        artifact = self._artifact(name, inputs, sha256, len(body), built=True)
        self._write(artifact.path, body)
        entry = {
            "sha256": sha256,
            "size_bytes": len(body),
            "mtime_ns": artifact.path.stat().st_mtime_ns,
        }
        entries = self._entries()
        entries.pop(f"{name} {inputs}", None)  # So that it goes to the end, as the newest.
        entries[f"{name} {inputs}"] = entry
        self._drop_old(name, entries)
        self._write(self._index, json.dumps(entries, indent=1).encode())
        return artifact

    def _artifact(
        self, name: str, inputs: str, sha256: str, size_bytes: int, *, built: bool
    ) -> Artifact:
        path = self._folder / f"{name}-{sha256}.zip"
        return Artifact(name, path, sha256, size_bytes, inputs, was_built=built)

    def _entries(self) -> dict[str, Any]:
        try:
            entries = json.loads(self._index.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return entries if isinstance(entries, dict) else {}

    def _drop_old(self, name: str, entries: dict[str, Any]) -> None:
        of_this_name = [key for key in entries if key.startswith(f"{name} ")]
        dropped = [entries.pop(key)["sha256"] for key in of_this_name[:-KEPT]]
        self._delete(name, set(dropped) - {each["sha256"] for each in entries.values()})

    def _delete(self, name: str, digests: Iterable[str]) -> None:
        for sha256 in digests:
            (self._folder / f"{name}-{sha256}.zip").unlink(missing_ok=True)

    def _write(self, path: Path, body: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        # Under a name of its own, then renamed: a reader, or a kill, never meets half a file.
        with tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as scratch:
            scratch.write(body)
        Path(scratch.name).replace(path)


def _is_sound(artifact: Artifact, mtime_ns: int) -> bool:
    """Whether the file is what was stored: read again only when its time says it was touched."""
    if not artifact.path.is_file():
        return False
    status = artifact.path.stat()
    if status.st_size != artifact.size_bytes:
        return False
    if status.st_mtime_ns == mtime_ns:
        return True
    return hashlib.sha256(artifact.path.read_bytes()).hexdigest() == artifact.sha256
