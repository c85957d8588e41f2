"""Formulae of other taps, as the configuration brings them: no API file names them.

What vouches for their digests is whoever reviewed the file that they were read from
(docs/adr/0030); the bytes are held to them as those of any bottle.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from mirror import macos
from mirror.bottles import Bottle

NO_BOTTLE = "the tap's file has no bottle of it for this platform"
_LINUX = ("x86_64_linux", "arm64_linux")


@dataclass(frozen=True)
class TapFormula:
    """One formula of a tap.

    Args:
        repository: where its bottles are in the registry, ``acme/tools``.
        version: with its revision.
        digests: bottle tag → SHA-256.
        dependencies: formulae of homebrew/core that it needs at run time.
        linux_dependencies: what it needs besides where macOS does not bring it along.
    """

    repository: str
    formula: str
    version: str
    rebuild: int
    digests: Mapping[str, str]
    dependencies: tuple[str, ...] = ()
    linux_dependencies: tuple[str, ...] = ()

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """From ``settings/mirror.json``.

        Raises:
            KeyError, TypeError, ValueError: it is not one.
        """
        return cls(
            document["repository"],
            document["formula"],
            document["version"],
            int(document["rebuild"]),
            dict(document["digests"]),
            tuple(document.get("dependencies", ())),
            tuple(document.get("linux_dependencies", ())),
        )

    @property
    def full_name(self) -> str:
        """``acme/tools/deploy``."""
        return f"{self.repository}/{self.formula}"

    def bottle_for(self, platform: str) -> Bottle | None:
        """What brew would pour there: its own, one for all, or that of an older macOS."""
        usable = [tag for tag in self.digests if macos.runs(platform, tag)]
        tag = max(usable, key=lambda each: _nearness(each, platform), default=None)
        if tag is None:
            return None
        return Bottle(
            self.formula,
            self.version,
            self.rebuild,
            tag,
            self.digests[tag],
            repository=self.repository,
        )

    def needs(self, platform: str) -> tuple[str, ...]:
        """What it needs of homebrew/core on a platform."""
        more = self.linux_dependencies if platform in _LINUX else ()
        return (*self.dependencies, *more)


def bottles(formulae: Iterable[TapFormula], platforms: Iterable[str]) -> list[Bottle]:
    """The bottles for these platforms, each once.

    Raises:
        UntrustedCatalogue: a name, version, tag or digest cannot be part of a key or URL.
    """
    platforms = tuple(platforms)
    found = (each.bottle_for(platform) for each in formulae for platform in platforms)
    return sorted({bottle.checked() for bottle in found if bottle is not None})


def needed(formulae: Iterable[TapFormula], platforms: Iterable[str]) -> dict[str, dict[str, str]]:
    """Platform → what they need of homebrew/core → which of them does."""
    formulae = tuple(formulae)
    return {
        platform: {name: each.full_name for each in formulae for name in each.needs(platform)}
        for platform in platforms
    }


def without_bottle(
    formulae: Iterable[TapFormula], platforms: Iterable[str]
) -> list[dict[str, str]]:
    """``[{"formula", "platform", "problem"}, …]`` of those that a platform gets none of."""
    platforms = tuple(platforms)
    return [
        {
            "formula": each.full_name,
            "platform": platform,
            "problem": NO_BOTTLE,
        }
        for each in formulae
        for platform in platforms
        if each.bottle_for(platform) is None
    ]


def _nearness(tag: str, platform: str) -> tuple[bool, bool, int]:
    release = tag.removeprefix("arm64_")
    age = macos.RELEASES.index(release) if release in macos.RELEASES else -1
    return tag == platform, tag == "all", age
