"""What is different between two snapshots, formula by formula and cask by cask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mirror.bottles import Bottle
from mirror.casks import CaskFile

# Name → version and digest of each of its files.
_Held = Mapping[str, set[tuple[str, str]]]


def between(
    earlier: Iterable[Bottle],
    later: Iterable[Bottle],
    earlier_casks: Iterable[CaskFile] = (),
    later_casks: Iterable[CaskFile] = (),
) -> dict[str, Any]:
    """What came, changed and went; each list sorted by name.

    A formula of which only some platform's bottle came or went stands in `updated` with the
    same version on both sides; so does a cask whose vendor put another file in place.

    Returns:
        ``{"new": [{"formula", "version"}], "updated": [{"formula", "from", "to"}],
        "removed": [{"formula", "version"}]}``; versions with revision and rebuild, several
        joined by a comma. Where either side has casks, also ``"casks"``: the same three lists,
        with ``"cask"`` in place of ``"formula"``.
    """
    found: dict[str, Any] = _between("formula", _bottles(earlier), _bottles(later))
    casks_before, casks_after = _casks(earlier_casks), _casks(later_casks)
    if casks_before or casks_after:
        found["casks"] = _between("cask", casks_before, casks_after)
    return found


def _between(kind: str, before: _Held, after: _Held) -> dict[str, list[dict[str, str]]]:
    return {
        "new": [
            {kind: name, "version": _versions(after[name])}
            for name in sorted(after.keys() - before.keys())
        ],
        "updated": [
            {kind: name, "from": _versions(before[name]), "to": _versions(after[name])}
            for name in sorted(after.keys() & before.keys())
            if before[name] != after[name]
        ],
        "removed": [
            {kind: name, "version": _versions(before[name])}
            for name in sorted(before.keys() - after.keys())
        ],
    }


def _bottles(bottles: Iterable[Bottle]) -> _Held:
    found: dict[str, set[tuple[str, str]]] = {}
    for bottle in bottles:
        found.setdefault(bottle.full_name, set()).add((bottle.manifest_tag, bottle.digest))
    return found


def _casks(casks: Iterable[CaskFile]) -> _Held:
    found: dict[str, set[tuple[str, str]]] = {}
    for cask in casks:
        found.setdefault(cask.token, set()).add((cask.version, cask.digest))
    return found


def _versions(held: Iterable[tuple[str, str]]) -> str:
    return ", ".join(sorted({version for version, _ in held}))
