"""Building the components of a release: two functions' code, their layer, the Terraform tree."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from delivery.artifacts import archives, layer, packages, recipe, terraform
from delivery.artifacts.cache import Artifact, Cache
from delivery.artifacts.journal import Journal
from delivery.artifacts.packages import Installation
from delivery.artifacts.recipe import Recipe
from delivery.artifacts.target import Target
from delivery.errors import BuildFailed
from delivery.paths import LAMBDAS_DIR, ROOT, STATE_DIR, TERRAFORM_DIR, shown

__all__ = ["COMPONENTS", "Artifact", "Places", "Target", "build", "found"]

FUNCTIONS = ("orchestrator", "sync_worker")
LAYER = "layer"
TERRAFORM = "terraform"
COMPONENTS = (*FUNCTIONS, LAYER, TERRAFORM)


@dataclass(frozen=True)
class Places:
    """Where a build reads from and writes to, and the pip it runs."""

    lambdas: Path = LAMBDAS_DIR
    requirements: Path = ROOT / "requirements" / "layer.txt"
    terraform: Path = TERRAFORM_DIR
    state_dir: Path = STATE_DIR
    pip: Sequence[str] = (sys.executable, "-m", "pip")

    @property
    def cache(self) -> Cache:
        """Where artifacts are built into, and used from."""
        return Cache(self.state_dir / "artifacts")

    @property
    def journal(self) -> Journal:
        """What earlier builds are noted in."""
        return Journal(self.state_dir / "builds.json")


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
    built = {name: _artifact(name, target, report, at) for name in components}
    inputs = {name: each.inputs_digest for name, each in built.items()}
    earlier = at.journal.follow(inputs, target)
    return {name: replace(each, last=earlier[name]) for name, each in built.items()}


def found(target: Target, places: Places | None = None) -> dict[str, tuple[Recipe, bool]]:
    """Each component → what decides it, and whether an earlier build made it; builds nothing.

    Raises:
        BuildFailed: a component has no source.
    """
    at = places or Places()
    recipes = {name: _recipe(name, _sources(name, at), target, at) for name in COMPONENTS}
    return {name: (each, at.cache.find(name, each) is not None) for name, each in recipes.items()}


def _artifact(name: str, target: Target, report: Callable[[str], None], places: Places) -> Artifact:
    members = _sources(name, places)
    wanted = _recipe(name, members, target, places)
    found = places.cache.find(name, wanted)
    if found is not None:
        return found
    installation = packages.NOTHING
    if name == LAYER:
        members, installation = _with_packages(members, target, report, places)
    built = places.cache.keep(name, wanted, archives.pack(members), installation)
    report(f"built {name} {built.sha256[:12]}, {built.size_bytes / 1e6:.1f} MB")
    return built


def _sources(name: str, places: Places) -> dict[str, Path]:
    """Our own files of a component, under their names in its zip."""
    folder, found = _folder_and_files(name, places)
    if not found:
        raise BuildFailed(
            f'there is nothing to build "{name}" from',
            where=shown(folder),
            remedy=f"bring {shown(folder)} back, or build one of {', '.join(COMPONENTS)}",
        )
    return found


def _folder_and_files(name: str, places: Places) -> tuple[Path, dict[str, Path]]:
    if name == TERRAFORM:
        return places.terraform, terraform.files(places.terraform)
    if name == LAYER:
        folder = places.lambdas / "mirror"
        return folder, archives.tree(folder, f"{layer.FOLDER}{folder.name}/")
    folder = places.lambdas / name
    found = archives.tree(folder, f"{name}/")
    return folder, {member: path for member, path in found.items() if path.suffix == ".py"}


def _recipe(name: str, members: Mapping[str, Path], target: Target, places: Places) -> Recipe:
    tools, files = {"archive format": str(archives.FORMAT)}, recipe.digests(members)
    if name != LAYER:
        return Recipe(tools=tools, files=files)
    settings = {
        "functions.architecture": target.architecture,
        "functions.python": target.python,
        "system": target.system,
    }
    pins = recipe.pins(places.requirements.read_text(encoding="utf-8"))
    return Recipe(settings, tools, pins, files)


def _with_packages(
    members: Mapping[str, Path], target: Target, report: Callable[[str], None], places: Places
) -> tuple[dict[str, Path], Installation]:
    report(f"packages for {target.architecture}, Python {target.python}")
    wheels = places.state_dir / "wheels"
    folder, installation = layer.installed(places.requirements, target, wheels, places.pip)
    return layer.members(folder) | dict(members), installation
