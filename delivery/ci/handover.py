"""A release that was handed on between machines: is it still what it was named?"""

from __future__ import annotations

import hashlib
from pathlib import Path

from delivery.errors import UntrustedRelease
from delivery.paths import shown
from delivery.releases import manifest
from delivery.releases.folders import RELEASE
from delivery.releases.manifest import Release


def verify(folder: Path, release_id: str) -> Release:
    """The release of this id in a folder, every byte of which was hashed again.

    Args:
        release_id: the whole id, as the job that built it told; it covers all that is in there.

    Raises:
        UntrustedRelease: it is not there, or not those bytes.
    """
    place = folder / release_id
    release = manifest.parse(_read(place / RELEASE), shown(place / RELEASE))
    expected = {f"{name}.zip": sha256 for name, sha256 in release.sha256_by_component.items()}
    expected |= {RELEASE: release_id, "sbom.json": release.sbom}
    for name, sha256 in expected.items():
        if hashlib.sha256(_read(place / name)).hexdigest() != sha256:
            raise _untrusted(f"{name} is not what was built", place / name)
    return release


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _untrusted(f"{path.name} cannot be read: {error.strerror}", path) from error


def _untrusted(problem: str, path: Path) -> UntrustedRelease:
    return UntrustedRelease(
        problem, where=shown(path), remedy="nothing was deployed; build the release again"
    )
