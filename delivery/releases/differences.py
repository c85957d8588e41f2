"""This checkout's release beside an earlier one: what moved, and why."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from delivery.artifacts import why
from delivery.artifacts.why import Change, Verdict
from delivery.releases import provenance
from delivery.releases.folders import Written
from delivery.releases.manifest import Release
from delivery.releases.package import Package


@dataclass(frozen=True)
class Comparison:
    """Two releases: `changes` are those of the manifest, `verdicts` those of each component."""

    before: str
    after: str
    changes: tuple[Change, ...]
    verdicts: tuple[Verdict, ...]


def against(earlier: Written, package: Package) -> Comparison:
    """What moved since `earlier`, down to file, requirement, tool and setting.

    Raises:
        UntrustedRelease: its provenance does not say what it was made from.
    """
    made = provenance.made(earlier.provenance, earlier.release)
    return Comparison(
        earlier.release.id,
        package.release.id,
        tuple(_changes(earlier.release, package.release)),
        tuple(why.against(made, package.artifacts)),
    )


def _changes(before: Release, after: Release) -> list[Change]:
    old, new = _facts(before), _facts(after)
    return [Change("release", name, old[name], new[name]) for name in old if old[name] != new[name]]


def _facts(release: Release) -> dict[str, str]:
    """What the manifest says besides its components."""
    found = {name: each for name, each in asdict(release).items() if name != "components"}
    return {
        name: each if isinstance(each, str) else json.dumps(each) for name, each in found.items()
    }
