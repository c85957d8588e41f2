"""Which bottles: names, globs and aliases, and what they need at run time, on each platform."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from mirror import settings
from mirror.bottles import Bottle
from mirror.catalogue import Catalogue
from mirror.errors import UnknownFormula, UntrustedCatalogue

_GLOB = frozenset("*?[")


@dataclass(frozen=True)
class PlatformSelection:
    """What is selected for one platform.

    Args:
        formulae: every selected name, dependencies included.
        bottles: those of the formulae that have one.
        without_bottle: the formulae that have none there that can be used, and why;
            reported, never fatal.
    """

    platform: str
    formulae: frozenset[str]
    bottles: tuple[Bottle, ...]
    without_bottle: Mapping[str, str]


@dataclass(frozen=True)
class Selected:
    """The whole selection: per platform, in the settings' order."""

    platforms: tuple[PlatformSelection, ...]

    @property
    def formulae(self) -> int:
        """How many formulae, each counted once."""
        return len(frozenset().union(*(each.formulae for each in self.platforms)))

    @property
    def bottles(self) -> list[Bottle]:
        """Every bottle once, sorted: one with the tag ``all`` serves several platforms."""
        return sorted({bottle for each in self.platforms for bottle in each.bottles})

    @property
    def without_bottle(self) -> list[dict[str, str]]:
        """``[{"formula": "xcodes", "platform": "x86_64_linux", "problem": "…"}, …]``."""
        return [
            {"formula": name, "platform": each.platform, "problem": problem}
            for each in self.platforms
            for name, problem in each.without_bottle.items()
        ]


def select(catalogues: Sequence[Catalogue], wanted: settings.Selection) -> Selected:
    """Apply the settings to what upstream offers.

    Raises:
        UnknownFormula: a name or glob matches nothing on any platform.
        UntrustedCatalogue: a formula that is named, not merely matched by a glob or needed
            by another, has a bottle whose name cannot be part of a key.
    """
    matched = {
        pattern: [_matches(pattern, catalogue) for catalogue in catalogues]
        for pattern in wanted.formulae
    }
    _check_each_matches(matched, catalogues)
    platforms = []
    for index, catalogue in enumerate(catalogues):
        names = set().union(*(found[index] for found in matched.values()))
        if wanted.include_dependencies:
            names = _closure(names, catalogue)
        named = {name for pattern in wanted.formulae if (name := catalogue.resolve(pattern))}
        platforms.append(_platform(catalogue, names, named))
    return Selected(tuple(platforms))


def _matches(pattern: str, catalogue: Catalogue) -> set[str]:
    if _GLOB.isdisjoint(pattern):
        name = catalogue.resolve(pattern)
        return {name} if name else set()
    return {name for name in catalogue.formulae if fnmatchcase(name, pattern)}


def _closure(names: Iterable[str], catalogue: Catalogue) -> set[str]:
    """The names and all that they need at run time.

    A dependency that the catalogue does not know stays in under the name it was given, so
    that it is reported as without a bottle.
    """
    found: set[str] = set()
    to_visit = list(names)
    while to_visit:
        asked = to_visit.pop()
        name = catalogue.resolve(asked) or asked
        if name not in found:
            found.add(name)
            if name in catalogue.formulae:
                to_visit += catalogue.formulae[name].dependencies
    return found


def _platform(catalogue: Catalogue, names: set[str], named: set[str]) -> PlatformSelection:
    bottles, without = [], {}
    for name in sorted(names):
        formula = catalogue.formulae.get(name)
        if formula is None or formula.bottle is None:
            without[name] = "upstream has no bottle of it for this platform"
            continue
        try:
            bottles.append(formula.bottle.checked())
        except UntrustedCatalogue as error:
            # One odd entry among thousands must not keep all others from being mirrored.
            if name in named:
                raise
            without[name] = error.problem
    return PlatformSelection(catalogue.platform, frozenset(names), tuple(bottles), without)


def _check_each_matches(
    matched: Mapping[str, list[set[str]]], catalogues: Sequence[Catalogue]
) -> None:
    unknown = [pattern for pattern, found in matched.items() if not any(found)]
    if not unknown:
        return
    known = sorted({name for catalogue in catalogues for name in catalogue.formulae})
    told = ", ".join(_with_near_miss(pattern, known) for pattern in unknown)
    raise UnknownFormula(
        f"nothing in the catalogue matches {told}",
        where="selection.formulae in config/airbrew.yaml",
        remedy="correct the name or glob, then run `inv deploy`",
    )


def _with_near_miss(pattern: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(pattern, known, n=1)
    return f'"{pattern}" (did you mean "{near[0]}"?)' if near else f'"{pattern}"'
