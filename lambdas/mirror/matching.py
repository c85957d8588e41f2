"""What a name, an alias, a former name or a glob of the settings means in a catalogue."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence, Set
from fnmatch import fnmatchcase

from mirror import settings
from mirror.catalogue import Catalogue
from mirror.errors import UnknownFormula

_GLOB = frozenset("*?[")


def matching(
    catalogues: Sequence[Catalogue], wanted: settings.Selection
) -> Mapping[str, Sequence[Set[str]]]:
    """Each name and glob of the selection → the formulae that it means, per catalogue.

    Raises:
        UnknownFormula: one of them means nothing on any platform.
    """
    matched = {
        pattern: [matches(pattern, catalogue) for catalogue in catalogues]
        for pattern in wanted.formulae
    }
    unknown = [pattern for pattern, found in matched.items() if not any(found)]
    if unknown:
        raise _unknown(unknown, catalogues, wanted)
    return matched


def is_glob(pattern: str) -> bool:
    """Whether it may stand for several names."""
    return not _GLOB.isdisjoint(pattern)


def matches(pattern: str, catalogue: Catalogue) -> Set[str]:
    """The formulae that a name, an alias, a former name or a glob of names means."""
    if pattern == "*":
        return catalogue.formulae.keys()
    if not is_glob(pattern):
        name = catalogue.resolve(pattern)
        return {name} if name else set()
    return {name for name in catalogue.formulae if fnmatchcase(name, pattern)}


def _unknown(
    patterns: Sequence[str], catalogues: Sequence[Catalogue], wanted: settings.Selection
) -> UnknownFormula:
    known = sorted({name for catalogue in catalogues for name in catalogue.formulae})
    told = ", ".join(_with_near_miss(pattern, known) for pattern in patterns)
    problem = f"nothing in the catalogue matches {told}"
    if wanted.is_asked:
        where, remedy = "the formulae that were asked for", "correct the name or glob"
    else:
        where = "selection.formulae in config/airbrew.yaml, or a Brewfile that it names"
        remedy = "correct the name or glob, then run `inv deploy`"
    return UnknownFormula(problem, where=where, remedy=remedy)


def _with_near_miss(pattern: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(pattern, known, n=1)
    return f'"{pattern}" (did you mean "{near[0]}"?)' if near else f'"{pattern}"'
