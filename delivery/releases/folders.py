"""Releases as folders of this machine: written by `inv package`, looked up by their names."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from delivery.errors import UnknownRelease
from delivery.paths import shown
from delivery.releases import manifest
from delivery.releases.manifest import Package, Release

RELEASE = "release.json"
PROVENANCE = "provenance.json"
# Each is a link to zips of the cache, and keeps them alive.
KEPT = 10


@dataclass(frozen=True)
class Written:
    """A release that lies in a folder."""

    release: Release
    provenance: bytes


def write(package: Package, folder: Path) -> Path:
    """Write the release below `folder`, in a folder named by its id; returns that.

    The zips are links to those in the cache where both are on one disk. Provenance that is
    there already stays: it tells of the first build. The manifest is written last.
    """
    place = folder / package.release.id
    place.mkdir(parents=True, exist_ok=True)
    for name, path in package.paths.items():
        _link(path, place / f"{name}.zip")
    (place / "sbom.json").write_bytes(package.sbom)
    if not (place / PROVENANCE).is_file():
        (place / PROVENANCE).write_bytes(package.provenance())
    (place / RELEASE).write_bytes(package.release.body)
    return place


def drop_old(folder: Path, kept: int = KEPT) -> None:
    """Delete the releases that were written longest ago, beyond `kept`."""
    written = sorted(folder.glob(f"*/{RELEASE}"), key=lambda file: file.stat().st_mtime_ns)
    for file in written[:-kept]:
        shutil.rmtree(file.parent)


def find(folder: Path, name: str) -> Written | None:
    """The release of that id, or of an unambiguous beginning of it; None when it is not here.

    Raises:
        UnknownRelease: several begin so, or it cannot be a name.
        UntrustedRelease: its manifest cannot be read.
    """
    manifest.check_name(name)
    found = sorted(folder.glob(f"{name}*/{RELEASE}"))
    if not found:
        return None
    if len(found) > 1:
        raise UnknownRelease(
            f'"{name}" begins the names of {len(found)} releases',
            where=shown(folder),
            remedy="give more digits of it",
        )
    release = manifest.parse(found[0].read_bytes(), shown(found[0]))
    return Written(release, found[0].with_name(PROVENANCE).read_bytes())


def _link(path: Path, place: Path) -> None:
    place.unlink(missing_ok=True)
    try:
        os.link(path, place)
    except OSError:  # Another disk, or one that knows no links.
        shutil.copyfile(path, place)
