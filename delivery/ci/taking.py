"""Taking over the release that stands in an environment, so that the next one gets these bytes."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from delivery.cloud import Cloud
from delivery.environment import Environment
from delivery.errors import BadInput
from delivery.releases import folders, origin, store
from delivery.releases.manifest import Release
from delivery.releases.origin import Origin


@dataclass(frozen=True)
class Taken:
    """A release out of a store, as `manifest.Package` wants it."""

    release: Release
    paths: Mapping[str, Path]
    sbom: bytes
    statement: bytes

    def provenance(self) -> bytes:
        """Who built it, when, from what: told by who did."""
        return self.statement


def take(environment: Environment, cloud: Cloud, commit: str, folder: Path) -> tuple[Release, Path]:
    """Bring what stands in `environment` into `folder`, as `inv package` would have written it.

    Args:
        commit: full id of the commit that is to be released: what stands must be of it.

    Returns:
        The release, and its folder below `folder`.

    Raises:
        BadInput: nothing stands there, a deploy is under way, or it is of another commit.
        UntrustedRelease: a byte of it is not what its name promises; no manifest was written.
    """
    found = origin.find(environment, cloud)
    _require(found.release, commit, environment.name)
    with tempfile.TemporaryDirectory() as scratch:
        place = folders.write(_fetched(found, Path(scratch)), folder)
    return found.release, place


def _fetched(found: Origin, scratch: Path) -> Taken:
    at = (found.cloud, found.bucket, found.release)
    return Taken(
        release=found.release,
        paths=store.fetch(*at, scratch),
        sbom=store.bill(*at),
        statement=store.provenance(*at),
    )


def _require(release: Release, commit: str, name: str) -> None:
    if release.commit == commit and not release.dirty:
        return
    of = f"{release.commit or 'no commit'}{', with changes' if release.dirty else ''}"
    raise BadInput(
        f"{commit} is not what {name} has proven: release {release.short_id} stands there, of {of}",
        where=f"inv history --env {name}",
        remedy=f"release the commit that stands in {name}, or deploy this one there first",
    )
