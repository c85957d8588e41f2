"""The sync worker's image: built when its inputs have changed, and known by its digest."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from delivery.artifacts import builders, recipe
from delivery.artifacts.builders import DOCKERFILE, Builder, Run
from delivery.artifacts.credentials import Login
from delivery.artifacts.recipe import Recipe
from delivery.artifacts.target import Target
from delivery.paths import ROOT

NAME = "airbrew/sync-worker"
# How an image's platform is called. Source: OCI image-spec 1.1, "platform", from Go's GOARCH.
PLATFORMS = {"arm64": "linux/arm64", "x86_64": "linux/amd64"}
# What the Dockerfile copies, and itself; .dockerignore keeps the rest out of the build.
INPUTS = (
    "docker/sync-worker/Dockerfile",
    "docker/sync-worker/entrypoint.py",
    "lambdas/mirror/*.py",
    "requirements/container.txt",
)


@dataclass(frozen=True)
class Image:
    """An image on this machine.

    `id` is what its builder calls it; `inputs` is equal for images of equal inputs; `digest`
    (``sha256:…``) is what registries know it by, and empty until it was pushed; `base` is
    what it was built from, where that is not the Dockerfile's own.
    """

    name: str
    id: str
    builder: str
    inputs: str
    was_built: bool
    base: str = ""
    digest: str = ""

    @property
    def tag(self) -> str:
        """What it is called in a registry, beside its digest: a digest of its inputs."""
        return tag(self.inputs)


@dataclass(frozen=True)
class Company:
    """What stands between this machine and the package index; each file may be missing.

    Args:
        pip_conf: pip's configuration, if the index is not the public one.
        ca_pem: certificates that the index's or the proxy's is checked by.
    """

    pip_conf: Path | None = None
    ca_pem: Path | None = None

    def options(self) -> list[str]:
        """As secrets of the build, which no layer keeps."""
        files = {"pip.conf": self.pip_conf, "ca.pem": self.ca_pem}
        return [f"--secret=id={name},src={path}" for name, path in files.items() if path]


def inputs(target: Target, base: str = "") -> Recipe:
    """All that decides the image; the base's own bytes are in the digest that names it."""
    files = {
        path.relative_to(ROOT).as_posix(): path for pattern in INPUTS for path in ROOT.glob(pattern)
    }
    settings = {"platform": PLATFORMS[target.architecture], "base": base}
    return Recipe(settings=settings, files=recipe.digests(files))


def build(
    target: Target,
    *,
    state_dir: Path,
    base: str = "",
    company: Company | None = None,
    force: bool = False,
    report: Callable[[str], None] = lambda _text: None,
    run: Run | None = None,
) -> Image:
    """Build it for `target`, unless an image of the same inputs is here already.

    Args:
        base: another image to start from than the Dockerfile's, which is pinned by digest.
        force: build it all the same, from nothing.

    Raises:
        BuildFailed: there is no builder, or it ended with an error.
    """
    builder = builders.found(run or builders.on_this_machine, state_dir)
    wanted = inputs(target, base).digest
    last = known(target, state_dir)
    if last and not force and last.inputs == wanted and _is_here(builder, last):
        return last
    report(f"{builder.name} builds the image for {PLATFORMS[target.architecture]}")
    options = [f"--build-arg=BASE={base}"] if base else []
    options += ["--no-cache"] if force else []
    found = _built(builder, target, [*options, *(company or Company()).options()])
    made = Image(NAME, found, builder.name, wanted, was_built=True, base=base)
    _note(state_dir, target, made)
    return made


def push(
    image: Image,
    target: Target,
    repository: str,
    *,
    state_dir: Path,
    login: Login | None = None,
    run: Run | None = None,
) -> Image:
    """Push it to ``registry/name``; the image comes back with the digest it has there.

    Raises:
        BuildFailed: there is no builder, or the registry said no.
    """
    builder = builders.found(run or builders.on_this_machine, state_dir)
    digest = builder.push(image.id, f"{repository}:{image.tag}", login)
    return known_as(image, target, digest, state_dir=state_dir)


def known_as(image: Image, target: Target, digest: str, *, state_dir: Path) -> Image:
    """The image with the digest that a registry has it under; noted, so that a release names it."""
    pushed = replace(image, digest=digest)
    _note(state_dir, target, pushed)
    return pushed


def known(target: Target, state_dir: Path) -> Image | None:
    """The image that was built last for `target`; it may be gone from the builder by now."""
    try:
        noted: dict[str, Any] = json.loads(_file(state_dir, target).read_text(encoding="utf-8"))
        return Image(**noted | {"was_built": False})
    except (FileNotFoundError, ValueError, TypeError):  # Or one of another Airbrew's.
        return None


def current(target: Target, state_dir: Path) -> Image | None:
    """The last one, if the checkout's inputs are still those that it was built from."""
    last = known(target, state_dir)
    return last if last and last.inputs == inputs(target, last.base).digest else None


def tag_of(target: Target, state_dir: Path) -> str:
    """What an image of the checkout's inputs is called, wherever it was pushed from."""
    last = current(target, state_dir)
    return last.tag if last else tag(inputs(target).digest)


def tag(inputs_digest: str) -> str:
    """What an image is called in a registry, beside its digest."""
    return f"inputs-{inputs_digest}"


def _is_here(builder: Builder, image: Image) -> bool:
    return image.builder == builder.name and builder.has(image.id)


def _built(builder: Builder, target: Target, options: list[str]) -> str:
    """The id of what was built just now."""
    with tempfile.TemporaryDirectory() as scratch:
        told = Path(scratch) / "id"
        ended = builder.run(
            [
                *builder.build,
                f"--platform={PLATFORMS[target.architecture]}",
                *options,
                *(f"--iidfile={told}", f"--tag={NAME}", f"--file={DOCKERFILE}", str(ROOT)),
            ]
        )
        if ended.returncode != 0:
            raise builders.failed(f"{builder.name} could not build the image", ended)
        return told.read_text(encoding="ascii").strip().removeprefix("sha256:")


def _note(state_dir: Path, target: Target, image: Image) -> None:
    file = _file(state_dir, target)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(asdict(image), indent=1), encoding="utf-8")


def _file(state_dir: Path, target: Target) -> Path:
    return state_dir / "artifacts" / f"image-{target.architecture}.json"
