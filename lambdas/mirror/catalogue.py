"""What upstream offers one platform: the formulae of an `internal/packages` file.

Source: Homebrew/brew 6.0, ``api/internal.rb`` and ``api/formula_struct.rb``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from sys import intern
from typing import Any, NamedTuple

from mirror import cask_catalogue, collector, documents, macos
from mirror.bottles import Bottle
from mirror.cask_catalogue import CaskCatalogue
from mirror.errors import UntrustedCatalogue

# A dependency with one of these types is not needed to run what the bottle holds.
_NOT_AT_RUN_TIME = {":build", ":test", ":optional"}


class Formula(NamedTuple):
    """One formula as one platform sees it; its name is the key under which it stands.

    Args:
        tag, digest: of its bottle; no digest when upstream built none for the platform.
        dependencies: what it needs at run time on that platform, as upstream names it.
        deprecated_from, disabled_from: the day, ``2026-01-31``; empty when it is not so.
        other_names: its aliases and former names.
    """

    version: str
    rebuild: int
    tag: str
    digest: str | None
    dependencies: tuple[str, ...]
    deprecated_from: str
    disabled_from: str
    other_names: tuple[str, ...]

    def bottle(self, name: str) -> Bottle | None:
        """That of the formula, which has the name outside of itself."""
        if self.digest is None:
            return None
        return Bottle(name, self.version, self.rebuild, self.tag, self.digest)

    def is_disabled(self, today: date) -> bool:
        """Whether brew refuses to install it. Source: ``formula.rb``, ``disable!``."""
        return "" < self.disabled_from <= today.isoformat()

    def is_deprecated(self, today: date) -> bool:
        """Whether brew warns of it; a disablement that is announced is a deprecation."""
        is_announced = bool(self.disabled_from) and not self.is_disabled(today)
        return is_announced or "" < self.deprecated_from <= today.isoformat()


@dataclass(frozen=True)
class Catalogue:
    """All formulae of one platform, and the other names that lead to them.

    Args:
        casks: empty unless they were asked for.
    """

    platform: str
    formulae: Mapping[str, Formula]
    name_by_alias: Mapping[str, str]
    casks: CaskCatalogue = field(default_factory=lambda: CaskCatalogue(""))

    def resolve(self, name: str) -> str | None:
        """The formula that a name, an alias or a former name means; None when there is none."""
        seen: set[str] = set()
        while name not in self.formulae:
            if name in seen or name not in self.name_by_alias:
                return None
            seen.add(name)
            name = self.name_by_alias[name]
        return name


@collector.paused()
def parse(payload: str, platform: str, where: str, *, with_casks: bool = False) -> Catalogue:
    """Read the payload of ``internal/packages.<platform>.jws.json``, already verified.

    Args:
        with_casks: read those, too.

    Raises:
        UntrustedCatalogue: it is for another platform, or not of the shape that brew reads.
    """
    try:
        document = documents.parse(payload, partial(_reduced, platform=platform))
        told = document.get("metadata", {}).get("bottle_tag", platform)
        if told != platform:
            raise _unreadable(f'made for the platform "{told}", not "{platform}"', where)
        # Six platforms have the same names: kept once, they are found sooner.
        formulae = dict(
            zip(map(intern, document["formulae"]), document["formulae"].values(), strict=True)
        )
        casks = cask_catalogue.of_packages(document, platform) if with_casks else None
        return Catalogue(
            platform, formulae, dict(_other_names(document)), casks or CaskCatalogue(platform)
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _unreadable(f"not the catalogue of a platform: {error!r}", where) from error


def _other_names(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for table in ("formula_renames", "formula_aliases"):
        yield from document.get(table, {}).items()
    for name, formula in document["formulae"].items():
        for other in formula.other_names:
            yield other, name


def _reduced(found: dict[str, Any], platform: str) -> dict[str, Any] | Formula:
    """A formula's entry without what it says for people, while it is still in the CPU's cache."""
    if "stable_version" not in found:
        return found
    digest = found.get("bottle_checksum")
    return Formula(
        intern(_version(found)),
        int(found.get("bottle_rebuild", 0)),
        intern(str(found.get("bottle_tag", platform)).removeprefix(":")),
        None if digest is None else str(digest),
        tuple(map(intern, _dependencies(found, platform))),
        _day(found.get("deprecate_args")),
        _day(found.get("disable_args")),
        (*found.get("oldnames", ()), *found.get("aliases", ())),
    )


def _version(entry: Mapping[str, Any]) -> str:
    revision = int(entry.get("revision", 0))
    return str(entry["stable_version"]) + (f"_{revision}" if revision else "")


def _day(arguments: Mapping[str, Any] | None) -> str:
    """The date of ``{":date": "2026-01-31", ":because": ":unmaintained"}``; without one, ever."""
    return str(arguments.get(":date", date.min.isoformat())) if arguments else ""


def _dependencies(entry: Mapping[str, Any], platform: str) -> Iterator[str]:
    for dependency in entry.get("stable_dependencies", ()):
        if isinstance(dependency, str):  # Nine of ten.
            if not dependency.startswith(":"):
                yield dependency
        else:
            yield from _at_run_time(dependency)
    for dependency, *bounds in entry.get("stable_uses_from_macos", ()):
        since = str(bounds[0].get(":since", "")) if bounds else ""
        if not macos.provides(platform, since.removeprefix(":")):
            yield from _at_run_time(dependency)


def _at_run_time(dependency: Any) -> Iterator[str]:
    """``"jq"``, ``{"pkgconf": ":build"}``; ``":linux"`` and ``{":macos": …}`` are requirements."""
    typed = {dependency: ()} if isinstance(dependency, str) else dependency
    for name, types in typed.items():
        given = {types} if isinstance(types, str) else set(types)
        if not name.startswith(":") and not given & _NOT_AT_RUN_TIME:
            yield name


def _unreadable(problem: str, where: str) -> UntrustedCatalogue:
    return UntrustedCatalogue(
        problem,
        where=where,
        remedy="check upstream.api_url; if Homebrew changed the format, update Airbrew",
    )
