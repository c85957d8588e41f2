"""Which formulae to play: those asked for, or a few that between them have every odd name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

from delivery.bottles import Bottle
from delivery.errors import BadInput
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
    known = dict.fromkeys(name for catalogue in catalogues for name in catalogue.names())
    patterns = [each for each in wanted if set(each) & set("*?[")]
    for name in wanted:
        if name not in patterns and name not in known:
            raise _unknown(name, known)
    names = [name for name in wanted if name not in patterns]
    if names or not catalogues:
        return list(dict.fromkeys(names))
    return sample(catalogues[0], patterns)


def sample(catalogue: Catalogue, patterns: Sequence[str] = ()) -> list[str]:
    """The first few with a bottle, and the first of each oddity."""
    plain: list[str] = []
    odd: dict[int, str] = {}
    for name in catalogue.names():
        if patterns and not any(fnmatchcase(name, pattern) for pattern in patterns):
            continue
        bottle = catalogue.bottle(name)
        if bottle is None:
            continue
        if len(plain) < FIRST:
            plain.append(name)
        for place, is_odd in enumerate(ODDITIES):
            if is_odd(bottle):
                odd.setdefault(place, name)
    return list(dict.fromkeys([*plain, *odd.values()]))


def _unknown(name: str, known: Iterable[str]) -> BadInput:
    near = get_close_matches(name, list(known), n=1)
    meant = f'; did you mean "{near[0]}"?' if near else ""
    return BadInput(
        f'the catalogue has no formula "{name}"{meant}',
        where="--formula",
        remedy="name formulae as the mirror's catalogue does, or leave --formula out for a sample",
    )
