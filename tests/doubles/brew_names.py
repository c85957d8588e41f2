"""How brew reads a catalogue: which bottle, under which names, after which dependencies.

Source: Homebrew/brew 6.0.9, ``api/formula_struct.rb``, ``bottle.rb`` (Filename),
``github_packages.rb`` (image_formula_name, version_rebuild), ``utils/bottles.rb``
(find_matching_tag), ``uses_from_macos.rb``; ``api.rb`` (merge_variations) for the older form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

GHCR_URL = "https://ghcr.io/v2/"
CORE_URL = f"{GHCR_URL}homebrew/core"
MACOS = ("tahoe", "sequoia", "sonoma", "ventura", "monterey", "big_sur", "catalina")


@dataclass(frozen=True)
class Entry:
    """A formula and one machine's bottle: `version` with its revision, `digest` empty for none."""

    name: str
    version: str
    rebuild: int
    tag: str
    digest: str
    dependencies: tuple[str, ...]
    repository: str = "homebrew/core"

    @property
    def image(self) -> str:
        return self.name.replace("@", "/").replace("+", "x")

    @property
    def manifest_tag(self) -> str:
        version = self.version.replace("+", ".")  # No "+" in a tag of a registry.
        return f"{version}-{self.rebuild}" if self.rebuild else version

    @property
    def ref_name(self) -> str:
        return f"{self.version}.{self.tag}" + (f".{self.rebuild}" if self.rebuild else "")

    @property
    def file_name(self) -> str:
        rebuild = f".{self.rebuild}" if self.rebuild else ""
        return f"{self.name}-{self.version}.{self.tag}.bottle{rebuild}.tar.gz"


def from_package(payload: Mapping[str, Any], tag: str) -> dict[str, Entry]:
    """``internal/packages.<tag>.jws.json`` and ``internal/formula.<tag>.jws.json``."""
    return {name: _package(name, entry, tag) for name, entry in payload["formulae"].items()}


def from_formula(payload: list[Mapping[str, Any]], tag: str) -> dict[str, Entry]:
    """``formula.jws.json``."""
    return {entry["name"]: _formula(entry, tag) for entry in payload}


def from_tap(payload: Mapping[str, Any], tag: str) -> dict[str, Entry]:
    """What a tap's own git repository says, in the form of ``brew info --json=v2``."""
    return {entry["full_name"]: _formula(entry, tag) for entry in payload["formulae"]}


def _package(name: str, entry: Mapping[str, Any], tag: str) -> Entry:
    plain = [
        each
        for each in entry.get("stable_dependencies", ())
        if isinstance(each, str) and not each.startswith(":")
    ]
    used = [
        use[0]
        for use in entry.get("stable_uses_from_macos", ())
        if isinstance(use[0], str) and not _has(tag, _since(use))
    ]
    return Entry(
        name,
        _version(entry["stable_version"], entry.get("revision", 0)),
        entry.get("bottle_rebuild", 0),
        entry.get("bottle_tag", tag).removeprefix(":"),
        entry.get("bottle_checksum", ""),
        (*plain, *used),
    )


def _formula(entry: Mapping[str, Any], tag: str) -> Entry:
    stable = entry["bottle"].get("stable", {})
    files = stable.get("files", {})
    own = next((each for each in _fitting(tag) if each in files), "")
    bounds = entry.get("uses_from_macos_bounds") or [{}] * len(entry["uses_from_macos"])
    used = [
        use
        for use, bound in zip(entry["uses_from_macos"], bounds, strict=True)
        if isinstance(use, str) and not _has(tag, bound.get("since", ""))
    ]
    varied = entry.get("variations", {}).get(tag, {})
    return Entry(
        entry["name"],
        _version(entry["versions"]["stable"], entry["revision"]),
        stable.get("rebuild", 0),
        own,
        files[own]["sha256"] if own else "",
        (*varied.get("dependencies", entry["dependencies"]), *used),
        stable.get("root_url", CORE_URL).removeprefix(GHCR_URL),
    )


def _version(stable: str, revision: int) -> str:
    return f"{stable}_{revision}" if revision else stable


def _since(use: list[Any]) -> str:
    return str(use[1].get(":since", "")).removeprefix(":") if len(use) > 1 else ""


def _has(tag: str, since: str) -> bool:
    """Whether that macOS brings along what has been in macOS `since`."""
    macos = tag.removeprefix("arm64_")
    if macos not in MACOS:
        return False
    return since not in MACOS or MACOS.index(macos) <= MACOS.index(since)


def _fitting(tag: str) -> Iterator[str]:
    yield from (tag, "all")
    prefix = "arm64_" if tag.startswith("arm64_") else ""
    macos = tag.removeprefix("arm64_")
    if macos in MACOS:
        yield from (prefix + older for older in MACOS[MACOS.index(macos) + 1 :])
