"""Why a digest moved: the files, requirements, tools and settings that differ, by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from delivery.artifacts.cache import Artifact, Cache
from delivery.artifacts.packages import NOTHING, Installation
from delivery.artifacts.recipe import Recipe

KINDS = {"settings": "setting", "tools": "tool", "requirements": "requirement", "files": "file"}


@dataclass(frozen=True)
class Change:
    """One thing that differs; `kind` is file, requirement, tool, setting, wheel or release.

    `before` is empty for what is new, `after` for what is gone.
    """

    kind: str
    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Made:
    """An artifact as a comparison sees it: its digest, and what it was made from."""

    sha256: str
    recipe: Recipe
    installation: Installation = field(default=NOTHING)

    @classmethod
    def of(cls, artifact: Artifact) -> Made:
        """What is known of an artifact of this machine."""
        return cls(artifact.sha256, artifact.recipe, artifact.installation)


@dataclass(frozen=True)
class Verdict:
    """What became of one component's digest.

    `before` is the SHA-256 that it is compared with, empty where none is known; `changes`
    explain a digest that moved, `earlier` the last move of one that did not. `inputs` and
    `counts` are the proof that nothing did: one digest over so many files, pins, and so on.
    """

    component: str
    before: str
    after: str
    changes: tuple[Change, ...]
    inputs: str
    counts: Mapping[str, int]
    earlier: tuple[Change, ...] = ()

    @property
    def has_moved(self) -> bool:
        """Whether the artifact is another one than before."""
        return self.before != self.after


def since_last_build(artifacts: Mapping[str, Artifact], cache: Cache) -> list[Verdict]:
    """What moved since the build before this one, and of what did not, why it moved last."""
    return [_since_last_build(name, each, cache) for name, each in artifacts.items()]


def against(earlier: Mapping[str, Made], artifacts: Mapping[str, Artifact]) -> list[Verdict]:
    """What moved since a release was made."""
    return [_verdict(name, earlier.get(name), Made.of(each)) for name, each in artifacts.items()]


def _since_last_build(name: str, artifact: Artifact, cache: Cache) -> Verdict:
    now, last = Made.of(artifact), artifact.last
    if artifact.inputs_digest != last.now:
        return _verdict(name, _noted(cache, name, last.now), now)
    return _verdict(name, now, now, _noted(cache, name, last.before))


def _noted(cache: Cache, name: str, inputs_digest: str) -> Made | None:
    found = cache.noted(name, inputs_digest) if inputs_digest else None
    return Made.of(found) if found else None


def _verdict(name: str, before: Made | None, after: Made, older: Made | None = None) -> Verdict:
    return Verdict(
        name,
        before.sha256 if before else "",
        after.sha256,
        tuple(_differences(before, after)) if before else (),
        after.recipe.digest,
        {part: len(found) for part, found in after.recipe.as_json().items()},
        tuple(_differences(older, after)) if older else (),
    )


def _differences(before: Made, after: Made) -> Iterator[Change]:
    old, new = before.recipe.as_json(), after.recipe.as_json()
    for part, kind in KINDS.items():
        yield from _changes(kind, old[part], new[part])
    if before.recipe == after.recipe and before.sha256 != after.sha256:
        # One pin allows several wheels: an index may have got another one for this platform.
        yield from _changes("wheel", _wheels(before), _wheels(after))
        yield from _changes("tool", before.installation.tools, after.installation.tools)


def _changes(kind: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old != new:
            yield Change(kind, name, _told(old), _told(new))


def _told(value: str | None) -> str:
    # A requirement without a version is its own whole line: there, but with nothing to say.
    return "" if value is None else value or "there"


def _wheels(made: Made) -> dict[str, str]:
    return {each.wheel: each.sha256 for each in made.installation.packages}
