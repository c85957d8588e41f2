"""Which bottles: names, globs and aliases, and what they need at run time, on each platform."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import groupby

from mirror import collector, settings
from mirror.bottles import Bottle
from mirror.catalogue import Catalogue, Formula
from mirror.errors import UntrustedCatalogue
from mirror.matching import is_glob, matches, matching

# What brew's vendor-install.sh fetches; the digests in each brew are those of its bottles.
PORTABLE_RUBY = "portable-ruby"
_NO_BOTTLE = "upstream has no bottle of it for this platform"


@dataclass(frozen=True)
class PlatformSelection:
    """What is selected for one platform.

    Args:
        dependents: every selected name → the one that needs it, by the shortest way; empty
            for what the settings select themselves.
        bottles: those of the formulae that have one.
        without_bottle: the formulae that have none there that can be used, and why;
            reported, never fatal.
        warnings: selected formulae with what an operator should know of them.
        for_others: those that a cask, or a formula of another tap, needs → that one.
    """

    platform: str
    dependents: Mapping[str, str]
    bottles: tuple[Bottle, ...]
    without_bottle: Mapping[str, str]
    warnings: Mapping[str, str]
    for_others: Mapping[str, str] = field(default_factory=dict)

    @property
    def formulae(self) -> Set[str]:
        """Every selected name, dependencies included."""
        return self.dependents.keys()

    def chain(self, name: str) -> tuple[str, ...]:
        """``("wget", "openssl@3", "ca-certificates")``: why the last of them is selected.

        Raises:
            KeyError: it is not selected.
        """
        dependent = self.dependents[name]
        if dependent:
            return (*self.chain(dependent), name)
        other = self.for_others.get(name)
        return (other, name) if other else (name,)


@dataclass(frozen=True)
class Selected:
    """The whole selection: per platform, in the settings' order."""

    platforms: tuple[PlatformSelection, ...]

    @property
    def formulae(self) -> int:
        """How many formulae, each counted once."""
        return len(frozenset().union(*(each.formulae for each in self.platforms)))

    @property
    @collector.paused()
    def bottles(self) -> list[Bottle]:
        """Every bottle once, sorted: one with the tag ``all`` serves several platforms."""
        # Not a set: each platform's are in order already, which makes sorting them cheap.
        found = sorted(bottle for each in self.platforms for bottle in each.bottles)
        return [bottle for bottle, _ in groupby(found)]

    def chain(self, name: str) -> list[str]:
        """Why a name is selected, on the first platform where it is; itself where on none."""
        for each in self.platforms:
            if name in each.formulae:
                return list(each.chain(name))
        return [name]

    @property
    def without_bottle(self) -> list[dict[str, str]]:
        """``[{"formula": "xcodes", "platform": "x86_64_linux", "problem": "…"}, …]``."""
        return _listed((each.platform, each.without_bottle) for each in self.platforms)

    @property
    def warnings(self) -> list[dict[str, str]]:
        """What an operator should know of selected formulae, in the same shape."""
        return _listed((each.platform, each.warnings) for each in self.platforms)

    def holes(self, left_out: Iterable[Bottle]) -> list[dict[str, str]]:
        """What breaks because bottles were left out for their size, in the shape of `warnings`."""
        absent = {bottle.of_size(0) for bottle in left_out}
        return [
            {
                "formula": bottle.formula,
                "platform": each.platform,
                "problem": f"too large to be mirrored, but {dependent} needs it at run time",
            }
            for each in self.platforms
            for bottle in each.bottles
            if bottle in absent
            for dependent in (each.dependents[bottle.formula],)
            if dependent
        ]


@collector.paused()
def select(
    catalogues: Sequence[Catalogue],
    wanted: settings.Selection,
    today: date | None = None,
    *,
    for_others: Mapping[str, Mapping[str, str]] | None = None,
) -> Selected:
    """Apply the settings to what upstream offers.

    Args:
        today: decides what counts as deprecated or disabled; by default the day in UTC.
        for_others: platform → what casks and other taps' formulae need → which of them does.

    Raises:
        UnknownFormula: a name or glob matches nothing on any platform.
        UntrustedCatalogue: a formula that is named, not merely matched by a glob or needed
            by another, has a bottle whose name cannot be part of a key.
    """
    day = today or datetime.now(UTC).date()
    matched = matching(catalogues, wanted)
    return Selected(
        tuple(
            _platform(
                catalogue,
                wanted,
                {name: each[index] for name, each in matched.items()},
                day,
                (for_others or {}).get(catalogue.platform, {}),
            )
            for index, catalogue in enumerate(catalogues)
        )
    )


def _platform(
    catalogue: Catalogue,
    wanted: settings.Selection,
    matched: Mapping[str, Set[str]],
    today: date,
    for_others: Mapping[str, str],
) -> PlatformSelection:
    excluded = set().union(*(matches(pattern, catalogue) for pattern in wanted.exclude))
    named = set().union(*(found for pattern, found in matched.items() if not is_glob(pattern)))
    roots = [name for name in _roots(catalogue, wanted, matched, today) if name not in excluded]
    needed = {catalogue.resolve(name) or name: other for name, other in for_others.items()}
    alone = needed.keys() - roots
    dependents = dict.fromkeys(sorted((*roots, *alone)), "")
    if wanted.include_dependencies:
        _add_dependencies(dependents, catalogue)
    bottles, without = _bottles(catalogue, dependents.keys(), named)
    warnings = {
        **_old(catalogue, named & dependents.keys(), today),
        **{
            name: f"excluded, but {dependent or needed[name]} needs it at run time: it stays in"
            for name, dependent in dependents.items()
            if name in excluded
        },
    }
    return PlatformSelection(
        catalogue.platform,
        dependents,
        tuple(bottles),
        without,
        dict(sorted(warnings.items())),
        {name: other for name, other in needed.items() if name in alone},
    )


def _roots(
    catalogue: Catalogue,
    wanted: settings.Selection,
    matched: Mapping[str, Set[str]],
    today: date,
) -> Iterator[str]:
    """What the settings select, in the catalogue's order: names in order are sorted in no time."""
    named = {PORTABLE_RUBY} if wanted.portable_ruby else set()
    named.update(*(found for pattern, found in matched.items() if not is_glob(pattern)))
    globs = [found for pattern, found in matched.items() if is_glob(pattern)]
    globbed = globs[0] if len(globs) == 1 else set().union(*globs)
    for name, formula in catalogue.formulae.items():
        if (name in globbed and not _is_left_to_its_name(formula, wanted, today)) or name in named:
            yield name


def _is_left_to_its_name(formula: Formula, wanted: settings.Selection, today: date) -> bool:
    """Whether a glob alone does not select it."""
    if not formula.disabled_from and not formula.deprecated_from:
        return False
    if formula.is_disabled(today):
        return not wanted.include_disabled
    return formula.is_deprecated(today) and not wanted.include_deprecated


def _old(catalogue: Catalogue, named: Iterable[str], today: date) -> dict[str, str]:
    warnings = {}
    for name in named:
        if catalogue.formulae[name].is_disabled(today):
            warnings[name] = "disabled upstream: brew refuses to install it"
        elif catalogue.formulae[name].is_deprecated(today):
            warnings[name] = "deprecated upstream"
    return warnings


def _add_dependencies(dependents: dict[str, str], catalogue: Catalogue) -> None:
    """Add all that the names need at run time, nearest first.

    A dependency that the catalogue does not know comes in under the name it was given, so
    that it is reported as without a bottle.
    """
    to_visit = list(dependents)
    for dependent in to_visit:
        formula = catalogue.formulae.get(dependent)
        for asked in formula.dependencies if formula else ():
            # Nearly all are there already, by their own names.
            name = asked if asked in dependents else catalogue.resolve(asked) or asked
            if name not in dependents:
                dependents[name] = dependent
                to_visit.append(name)


def _bottles(
    catalogue: Catalogue, names: Set[str], named: Set[str]
) -> tuple[list[Bottle], dict[str, str]]:
    """The bottles, and the names without a usable one, with the reason."""
    bottles = []
    without = dict.fromkeys(names - catalogue.formulae.keys(), _NO_BOTTLE)
    for name, formula in catalogue.formulae.items():
        if name not in names:
            continue
        bottle = formula.bottle(name)
        if bottle is None:
            without[name] = _NO_BOTTLE
            continue
        try:
            bottles.append(bottle.checked())
        except UntrustedCatalogue as error:
            # One odd entry among thousands must not keep all others from being mirrored.
            if name in named:
                raise
            without[name] = error.problem
    return sorted(bottles), dict(sorted(without.items()))


def _listed(told: Iterable[tuple[str, Mapping[str, str]]]) -> list[dict[str, str]]:
    return [
        {"formula": name, "platform": platform, "problem": problem}
        for platform, by_name in told
        for name, problem in by_name.items()
    ]
