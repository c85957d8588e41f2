"""The two forms of Homebrew's catalogue: which bottle a platform gets, and what it needs with it.

Source: Homebrew/brew 6.0, ``api/formula_struct.rb``, ``api.rb`` (merge_variations),
``utils/bottles.rb`` (find_matching_tag).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from delivery.mirror.bottles import Bottle, package_version

MACOS = (
    *("tahoe", "sequoia", "sonoma", "ventura", "monterey"),
    *("big_sur", "catalina", "mojave", "high_sierra", "sierra", "el_capitan"),
)


class Catalogue(Protocol):
    """What a client of one platform learns from its API file."""

    platform: str

    def names(self) -> Iterable[str]:
        """Every formula, in the file's order."""

    def resolve(self, name: str) -> str | None:
        """The formula that a name, an alias or a former name means; None when there is none."""

    def bottle(self, name: str) -> Bottle | None:
        """The bottle that the platform gets; None when there is none, or no such formula."""

    def dependencies(self, name: str) -> Iterator[str]:
        """What has to be installed with it on the platform, one level deep."""


class Packages:
    """``internal/packages.<tag>.jws.json``: made for one platform, read by brew 6."""

    def __init__(self, payload: Mapping[str, Any], platform: str) -> None:
        self.platform = platform
        self._entries: Mapping[str, Any] = payload["formulae"]
        self._aliases: Mapping[str, str] = payload.get("formula_aliases") or {}
        self._renames: Mapping[str, str] = payload.get("formula_renames") or {}

    def names(self) -> Iterable[str]:
        """Every formula, in the file's order."""
        return self._entries

    def resolve(self, name: str) -> str | None:
        """The formula that a name, an alias or a former name means; None when there is none."""
        meant = (name, self._aliases.get(name, ""), self._renames.get(name, ""))
        return next((each for each in meant if each in self._entries), None)

    def bottle(self, name: str) -> Bottle | None:
        """The bottle that the platform gets; the file has already chosen it."""
        entry = self._entry(name)
        return Bottle.of(name, entry, self.platform) if entry.get("bottle_checksum") else None

    def dependencies(self, name: str) -> Iterator[str]:
        """What has to be installed with it on the platform, one level deep."""
        entry = self._entry(name)
        for needed in entry.get("stable_dependencies", []):
            if isinstance(needed, str) and not needed.startswith(":"):
                yield self._aliases.get(needed, needed)
        for needed, *bounds in entry.get("stable_uses_from_macos", []):
            since = str((bounds[0] if bounds else {}).get(":since", "")).removeprefix(":")
            if isinstance(needed, str) and not _comes_with_macos(self.platform, since):
                yield self._aliases.get(needed, needed)

    def _entry(self, name: str) -> Mapping[str, Any]:
        entry: Mapping[str, Any] = self._entries.get(name, {})
        return entry


class Formulae:
    """``formula.jws.json``: one file for all platforms, read by brew 4 and 5."""

    def __init__(self, payload: Iterable[Mapping[str, Any]], platform: str) -> None:
        self.platform = platform
        self._entries = {entry["name"]: entry for entry in payload}

    def names(self) -> Iterable[str]:
        """Every formula, in the file's order."""
        return self._entries

    def resolve(self, name: str) -> str | None:
        """The formula that a name, an alias or a former name means; None when there is none."""
        if name in self._entries:
            return name
        for found, entry in self._entries.items():
            if name in (*(entry.get("aliases") or ()), *(entry.get("oldnames") or ())):
                return str(found)
        return None

    def bottle(self, name: str) -> Bottle | None:
        """The platform's own bottle, else one for all, else that of an older macOS."""
        entry = self._entries.get(name, {})
        stable = entry.get("bottle", {}).get("stable") or {}
        files = stable.get("files", {})
        tag = next((tag for tag in fitting(self.platform) if tag in files), None)
        if tag is None:
            return None
        version = package_version(entry["versions"]["stable"], entry.get("revision", 0))
        return Bottle(name, version, stable.get("rebuild", 0), tag, files[tag]["sha256"])

    def dependencies(self, name: str) -> Iterator[str]:
        """What has to be installed with it on the platform, one level deep."""
        entry = self._entries.get(name, {})
        entry = {**entry, **entry.get("variations", {}).get(self.platform, {})}
        yield from entry.get("dependencies", [])
        bounds = entry.get("uses_from_macos_bounds", [])
        for place, needed in enumerate(entry.get("uses_from_macos", [])):
            since = bounds[place].get("since", "") if place < len(bounds) else ""
            if isinstance(needed, str) and not _comes_with_macos(self.platform, since):
                yield needed


def closure(catalogue: Catalogue, names: Iterable[str]) -> list[str]:
    """The names and everything that they need, each once, in the order in which it is met."""
    found, waiting = dict.fromkeys(names), list(names)
    while waiting:
        fresh = [each for each in catalogue.dependencies(waiting.pop()) if each not in found]
        found.update(dict.fromkeys(fresh))
        waiting += fresh
    return list(found)


def fitting(platform: str) -> Iterator[str]:
    """The bottle tags that a platform can use, the best first."""
    yield platform
    yield "all"
    prefix = "arm64_" if platform.startswith("arm64_") else ""
    macos = platform.removeprefix("arm64_")
    if macos in MACOS:
        yield from (prefix + older for older in MACOS[MACOS.index(macos) + 1 :])


def _comes_with_macos(platform: str, since: str) -> bool:
    macos = platform.removeprefix("arm64_")
    if macos not in MACOS:
        return False
    return since not in MACOS or MACOS.index(macos) <= MACOS.index(since)
