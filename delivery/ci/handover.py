"""A release that was handed on between machines: is it still what it was named?"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from delivery import state_bucket
from delivery.cloud import Cloud
from delivery.errors import UntrustedRelease
from delivery.paths import shown
from delivery.releases import manifest, store
from delivery.releases.folders import PROVENANCE, RELEASE
from delivery.releases.manifest import Release
from delivery.releases.store import Sent

SBOM = "sbom.json"


@dataclass(frozen=True)
class Arrived:
    """A release in a folder, as `manifest.Package` wants it."""

    release: Release
    folder: Path

    @property
    def paths(self) -> Mapping[str, Path]:
        """Component → its zip."""
        return {name: self.folder / f"{name}.zip" for name in self.release.components}

    @property
    def sbom(self) -> bytes:
        """The bill of materials."""
        return _read(self.folder / SBOM)

    def provenance(self) -> bytes:
        """Who built it, when, from what: the job that did."""
        return _read(self.folder / PROVENANCE)


def keep(arrived: Arrived, cloud: Cloud, bucket: str) -> Sent:
    """Put it into an environment's state bucket, which is made where there is none yet.

    Raises:
        UntrustedRelease: the bucket holds other bytes under one of its names.
    """
    state_bucket.ensure(cloud, bucket)
    return store.keep(cloud, bucket, arrived)


def verify(folder: Path, release_id: str) -> Arrived:
    """The release of this id in a folder, every byte of which was hashed again.

    Args:
        release_id: the whole id, as the job that built it told; it covers all that is in there.

    Raises:
        UntrustedRelease: it is not there, or not those bytes.
    """
    place = folder / release_id
    release = manifest.parse(_read(place / RELEASE), shown(place / RELEASE))
    expected = {f"{name}.zip": sha256 for name, sha256 in release.sha256_by_component.items()}
    expected |= {RELEASE: release_id, SBOM: release.sbom}
    for name, sha256 in expected.items():
        if hashlib.sha256(_read(place / name)).hexdigest() != sha256:
            raise _untrusted(f"{name} is not what was built", place / name)
    return Arrived(release, place)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _untrusted(f"{path.name} cannot be read: {error.strerror}", path) from error


def _untrusted(problem: str, path: Path) -> UntrustedRelease:
    return UntrustedRelease(
        problem, where=shown(path), remedy="nothing was deployed; build the release again"
    )
