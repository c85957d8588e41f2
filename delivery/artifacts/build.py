"""Building the components of a release: the two functions' code, and the layer they share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from delivery.artifacts import archives, cache, layer
from delivery.artifacts.cache import Artifact, Cache
from delivery.artifacts.target import Target
from delivery.errors import BuildFailed
from delivery.paths import LAMBDAS_DIR, ROOT, STATE_DIR, shown

__all__ = ["COMPONENTS", "Artifact", "Places", "Target", "build"]

FUNCTIONS = ("orchestrator", "sync_worker")
LAYER = "layer"
COMPONENTS = (*FUNCTIONS, LAYER)


@dataclass(frozen=True)
class Places:
    """Where a build reads from and writes to, and the pip it runs."""

    lambdas: Path = LAMBDAS_DIR
    requirements: Path = ROOT / "requirements" / "layer.txt"
    state_dir: Path = STATE_DIR
    pip: Sequence[str] = (sys.executable, "-m", "pip")


def build(
    components: Sequence[str] = COMPONENTS,
    *,
    target: Target,
    report: Callable[[str], None] = lambda _text: None,
    places: Places | None = None,
) -> dict[str, Artifact]:
    """Each component's artifact, in order, under its name; unchanged ones are not built again.

    Equal sources give equal bytes, wherever and whenever they are built.

    Raises:
        BuildFailed: a component has no source, or pip could not install its packages.
    """
    at = places or Places()
    return {name: _artifact(name, target, report, at) for name in components}


def _artifact(name: str, target: Target, report: Callable[[str], None], places: Places) -> Artifact:
    sources = _sources(name, places)
    inputs = cache.inputs_digest(_decisive(name, target, places), sources)
    store = Cache(places.state_dir / "artifacts")
    found = store.find(name, inputs)
    if found is not None:
        return found
    members = _with_packages(sources, target, report, places) if name == LAYER else sources
    built = store.keep(name, inputs, archives.pack(members))
    report(f"built {name} {built.sha256[:12]}, {built.size_bytes / 1e6:.1f} MB")
    return built


def _sources(name: str, places: Places) -> dict[str, Path]:
    """Our own files of a component, under their names in its zip."""
    folder = places.lambdas / ("mirror" if name == LAYER else name)
    found = archives.tree(folder, f"{layer.FOLDER if name == LAYER else ''}{folder.name}/")
    if name in FUNCTIONS:
        found = {member: path for member, path in found.items() if path.suffix == ".py"}
    if not found:
        raise BuildFailed(
            f'there is nothing to build "{name}" from',
            where=shown(folder),
            remedy=f"bring {shown(folder)} back, or build one of {', '.join(COMPONENTS)}",
        )
    return found


def _decisive(name: str, target: Target, places: Places) -> Mapping[str, object]:
    """What decides the artifact besides our own files; plain Python runs on every target."""
    if name in FUNCTIONS:
        return {"format": archives.FORMAT}
    requirements = places.requirements.read_text(encoding="utf-8")
    return {"format": archives.FORMAT, "target": str(target), "requirements": requirements}


def _with_packages(
    sources: Mapping[str, Path], target: Target, report: Callable[[str], None], places: Places
) -> dict[str, Path]:
    report(f"packages for {target.architecture}, Python {target.python}")
    wheels = places.state_dir / "wheels"
    packages = layer.installed(places.requirements, target, wheels, places.pip)
    return layer.members(packages) | dict(sources)
