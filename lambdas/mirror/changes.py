"""What is different between two snapshots, formula by formula."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mirror.bottles import Bottle


def between(earlier: Iterable[Bottle], later: Iterable[Bottle]) -> dict[str, list[dict[str, Any]]]:
    """What came, changed and went; each list sorted by name.

    A formula of which only some platform's bottle came or went stands in `updated` with the
    same version on both sides.

    Returns:
        ``{"new": [{"formula", "version"}], "updated": [{"formula", "from", "to"}],
        "removed": [{"formula", "version"}]}``; versions with revision and rebuild, several
        joined by a comma.
    """
    before, after = _by_formula(earlier), _by_formula(later)
    return {
        "new": [_one(name, after[name]) for name in sorted(after.keys() - before.keys())],
        "updated": [
            {"formula": name, "from": _versions(before[name]), "to": _versions(after[name])}
            for name in sorted(after.keys() & before.keys())
            if before[name] != after[name]
        ],
        "removed": [_one(name, before[name]) for name in sorted(before.keys() - after.keys())],
    }


def _by_formula(bottles: Iterable[Bottle]) -> dict[str, set[tuple[str, str]]]:
    found: dict[str, set[tuple[str, str]]] = {}
    for bottle in bottles:
        found.setdefault(bottle.full_name, set()).add((bottle.manifest_tag, bottle.digest))
    return found


def _versions(held: Iterable[tuple[str, str]]) -> str:
    return ", ".join(sorted({version for version, _ in held}))


def _one(name: str, held: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {"formula": name, "version": _versions(held)}
