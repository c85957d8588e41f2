"""Which formulae to play: those asked for, or a few that between them have every odd name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

from delivery.errors import BadInput
from delivery.mirror.bottles import Bottle
from delivery.probe.catalogues import Catalogue

FIRST = 3
# Each of these has broken a mirror that had ordinary names only in mind.
ODDITIES: tuple[Callable[[Bottle], bool], ...] = (
    lambda bottle: "@" in bottle.name,
    lambda bottle: "+" in bottle.name,
    lambda bottle: "_" in bottle.version,
    lambda bottle: bottle.rebuild > 0,
    lambda bottle: bottle.tag == "all",
)


def chosen(catalogues: Sequence[Catalogue], wanted: Sequence[str]) -> list[str]:
    """The names to play, from what the catalogues name.

    Args:
        catalogues: of one platform or several; the first decides on the sample.
        wanted: names and globs; empty for a sample.

    Raises:
        BadInput: a name is in none of the catalogues.
    """
    patterns = [each for each in wanted if set(each) & set("*?[")]
    names = [_resolved(name, catalogues) for name in wanted if name not in patterns]
    if names or not catalogues:
        return list(dict.fromkeys(names))
    return sample(catalogues[0], patterns)


def sample(catalogue: Catalogue, patterns: Sequence[str] = ()) -> list[str]:
    """The first few with a bottle, and the first of each oddity."""
    matching = (
        name
        for name in catalogue.names()
        if not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)
    )
    return few(bottle for bottle in map(catalogue.bottle, matching) if bottle is not None)


def few(bottles: Iterable[Bottle]) -> list[str]:
    """The names of the first few, and of the first of each oddity."""
    plain: dict[str, None] = {}
    odd: dict[int, str] = {}
    for bottle in bottles:
        if len(plain) < FIRST:
            plain[bottle.name] = None
        for place, is_odd in enumerate(ODDITIES):
            if is_odd(bottle):
                odd.setdefault(place, bottle.name)
    return list(dict.fromkeys([*plain, *odd.values()]))


def _resolved(name: str, catalogues: Sequence[Catalogue]) -> str:
    """The formula that a name or an alias means: a selection may use either."""
    for catalogue in catalogues:
        if (found := catalogue.resolve(name)) is not None:
            return found
    if not catalogues:  # Nothing could be read; that is a finding, not the user's mistake.
        return name
    raise _unknown(name, {known for catalogue in catalogues for known in catalogue.names()})


def _unknown(name: str, known: Iterable[str]) -> BadInput:
    near = get_close_matches(name, list(known), n=1)
    meant = f'; did you mean "{near[0]}"?' if near else ""
    return BadInput(
        f'the catalogue has no formula "{name}"{meant}',
        where="--formula",
        remedy="name formulae as the mirror's catalogue does, or leave --formula out for a sample",
    )
