"""What need not be built again: earlier artifacts, each beside a note of what it was made from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from delivery import digests, whole_files
from delivery.artifacts import packages
from delivery.artifacts.journal import Entry
from delivery.artifacts.packages import Installation
from delivery.artifacts.recipe import Recipe

# Per component: enough for three environments and the change before this one.
KEPT = 6


@dataclass(frozen=True)
class Artifact:
    """A zip, named by its digest.

    `sha256` is 64 hex digits; `recipe` says what it was made from, `installation` which
    packages are in it; `was_built` is False when an earlier build had made it already;
    `last` is what the build before this one made it from.
    """

    name: str
    path: Path
    sha256: str
    size_bytes: int
    was_built: bool
    recipe: Recipe = field(repr=False)
    installation: Installation = field(default=packages.NOTHING, repr=False)
    last: Entry = field(default=Entry(), repr=False)

    @property
    def base64_digest(self) -> str:
        """The digest as Lambda spells it (`source_code_hash`, `CodeSha256`)."""
        return digests.as_base64(self.sha256)

    @property
    def inputs_digest(self) -> str:
        """What it is found by again."""
        return self.recipe.digest

    def as_json(self) -> dict[str, Any]:
        """As `inv build --json` has it."""
        return {
            "name": self.name,
            "path": str(self.path),
            "sha256": self.sha256,
            "size_bytes": self.size_bytes,
            "inputs_digest": self.inputs_digest,
            "was_built": self.was_built,
        }


class Cache:
    """A folder of ``<name>-<sha256>.zip``, and of notes ``<name>-<inputs digest>.json``.

    A note tells which zip was made from these inputs. Each file is written whole, under a
    name that follows from what is in it, so folders of several machines can be merged, and a
    lost file costs one build, with the same bytes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, name: str, recipe: Recipe) -> Artifact | None:
        """The artifact made from this, if it is still there and still itself."""
        note = self._note(name, recipe.digest)
        if note is None:
            return None
        artifact = self._artifact(name, recipe, note, built=False)
        return artifact if _is_sound(artifact, note["mtime_ns"]) else None

    def keep(self, name: str, recipe: Recipe, body: bytes, installation: Installation) -> Artifact:
        """Store a new artifact, and drop the oldest of the same name beyond `KEPT`."""
        sha256 = hashlib.sha256(body).hexdigest()
        note: dict[str, Any] = {"sha256": sha256, "size_bytes": len(body)}
        note |= {"recipe": recipe.as_json(), "installation": installation.as_json()}
        artifact = self._artifact(name, recipe, note, built=True)
        whole_files.write(artifact.path, body)
        note["mtime_ns"] = artifact.path.stat().st_mtime_ns
        whole_files.write(self._note_file(name, recipe.digest), json.dumps(note, indent=1).encode())
        self._drop_old(name)
        return artifact

    def noted(self, name: str, inputs_digest: str) -> Artifact | None:
        """What is noted of an earlier artifact, whether or not its zip is still there."""
        note = self._note(name, inputs_digest)
        if note is None:
            return None
        return self._artifact(name, Recipe.parse(note["recipe"]), note, built=False)

    def _artifact(
        self, name: str, recipe: Recipe, note: Mapping[str, Any], *, built: bool
    ) -> Artifact:
        sha256 = note["sha256"]
        path = self._folder / f"{name}-{sha256}.zip"
        installation = Installation.parse(note["installation"])
        return Artifact(name, path, sha256, note["size_bytes"], built, recipe, installation)

    def _note(self, name: str, inputs_digest: str) -> dict[str, Any] | None:
        return _read(self._note_file(name, inputs_digest))

    def _note_file(self, name: str, inputs_digest: str) -> Path:
        return self._folder / f"{name}-{inputs_digest}.json"

    def _drop_old(self, name: str) -> None:
        files = sorted(self._folder.glob(f"{name}-*.json"), key=lambda it: it.stat().st_mtime_ns)
        kept = {note["sha256"] for file in files[-KEPT:] if (note := _read(file))}
        for file in files[:-KEPT]:
            note = _read(file)
            file.unlink(missing_ok=True)
            if note and note["sha256"] not in kept:
                (self._folder / f"{name}-{note['sha256']}.zip").unlink(missing_ok=True)


def _read(file: Path) -> dict[str, Any] | None:
    try:
        note = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return note if isinstance(note, dict) and "mtime_ns" in note else None


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
