"""What the file of a tap says: its formulae, and the digests of their bottles.

It is what ``brew info --json=v2 acme/tools/deploy …`` prints, committed beside the configuration: a
tap has no signed API. Source: Homebrew/brew, ``formula.rb`` (Formula#to_hash), ``cmd/info.rb``;
``github_packages.rb`` (root_url, image_formula_name).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from delivery.paths import ROOT

# Only addresses there are rewritten by HOMEBREW_ARTIFACT_DOMAIN (curl_download_strategy.rb).
GHCR = "https://ghcr.io/v2/"
CORE = "homebrew/"
# Terraform carries what is read; a tap of this size wants to be mirrored as a core of its own.
MOST_FORMULAE = 1000

_REPOSITORY = r"[a-z0-9]+([._-]+[a-z0-9]+)*/[a-z0-9]+([._-]+[a-z0-9]+)*"
_NAME = r"[A-Za-z0-9][A-Za-z0-9@+._-]*"
_DIGEST = r"[0-9a-f]{64}"
REMEDY = "the path of a file that `brew info --json=v2 <tap>/<formula> …` has written"


class UnfitTap(Exception):
    """A file that cannot be used; `problem` and `remedy` say why and what to do."""

    def __init__(self, problem: str, remedy: str = REMEDY) -> None:
        super().__init__(problem, remedy)
        self.problem, self.remedy = problem, remedy


@dataclass(frozen=True)
class TapFormula:
    """One formula: `tap` as brew names it, and the rest as the mirror gets it."""

    tap: str
    repository: str
    formula: str
    version: str
    rebuild: int
    digests: Mapping[str, str]
    dependencies: tuple[str, ...]
    linux_dependencies: tuple[str, ...]

    @property
    def full_name(self) -> str:
        """``acme/tools/deploy``, as a Brewfile has it."""
        return f"{self.tap}/{self.formula}"

    def as_settings(self) -> dict[str, Any]:
        """As docs/reference/terraform-variables.md has it."""
        return {
            "repository": self.repository,
            "formula": self.formula,
            "version": self.version,
            "rebuild": self.rebuild,
            "digests": dict(self.digests),
            "dependencies": list(self.dependencies),
            "linux_dependencies": list(self.linux_dependencies),
        }


def read(file: str) -> list[TapFormula]:
    """The formulae of a file, whose path is relative to the checkout.

    Raises:
        UnfitTap: there is none, or it is not what brew prints of a tap on GHCR.
    """
    try:
        text = (ROOT / file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        told = getattr(error, "strerror", None) or "it is not UTF-8"
        raise UnfitTap(f'"{file}" cannot be read: {told}') from error
    try:
        return parse(text)
    except UnfitTap as error:
        raise UnfitTap(f"{file}: {error.problem}", error.remedy) from error


def parse(text: str) -> list[TapFormula]:
    """As `read`, of the file's text."""
    try:
        entries = json.loads(text)["formulae"]
        found = [_formula(each) for each in entries]
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise UnfitTap(f"not what brew prints: {error!r}") from error
    if not found:
        raise UnfitTap("it has no formulae")
    if len(found) > MOST_FORMULAE:
        raise UnfitTap(f"{len(found)} formulae, more than {MOST_FORMULAE}")
    return found


def _formula(entry: Mapping[str, Any]) -> TapFormula:
    tap, name = str(entry["tap"]), str(entry["name"])
    if tap.startswith(CORE):
        raise UnfitTap(
            f'"{name}" is of {tap}, whose API is signed',
            "leave it out of the file, and name it in selection.formulae",
        )
    bottle = (entry.get("bottle") or {}).get("stable")
    if not bottle or not bottle["files"]:
        raise UnfitTap(
            f'"{tap}/{name}" has no bottle', "leave it out of the file, or build its bottles first"
        )
    revision = int(entry.get("revision") or 0)
    found = TapFormula(
        tap,
        _repository(str(bottle["root_url"]), f"{tap}/{name}"),
        name,
        str(entry["versions"]["stable"]) + (f"_{revision}" if revision else ""),
        int(bottle.get("rebuild") or 0),
        {str(tag): str(file["sha256"]) for tag, file in sorted(bottle["files"].items())},
        tuple(_of_core(entry.get("dependencies", ()))),
        tuple(_of_core(_named(each) for each in entry.get("uses_from_macos", ()))),
    )
    _check(found)
    return found


def _repository(root_url: str, name: str) -> str:
    """``acme/tools`` of ``https://ghcr.io/v2/acme/tools``."""
    repository = root_url.removeprefix(GHCR).rstrip("/")
    if not root_url.startswith(GHCR) or not re.fullmatch(_REPOSITORY, repository):
        raise UnfitTap(
            f'the bottles of "{name}" are at {root_url}, where brew asks no mirror for them',
            f"a tap whose bottles are below {GHCR}<owner>/<tap>",
        )
    if repository.startswith(CORE):
        raise UnfitTap(f'the bottles of "{name}" claim to be {repository}\'s')
    return repository


def _of_core(names: Any) -> Iterator[str]:
    """Those without a tap; the tap's own are in the file, if they are wanted."""
    return (str(name) for name in names if "/" not in str(name))


def _named(use: Any) -> str:
    """``"zlib"``; ``{"zlib": "build"}`` is not needed at run time, and becomes nothing's name."""
    return use if isinstance(use, str) else "/"


def _check(found: TapFormula) -> None:
    unfit = [each for each in found.digests.values() if not re.fullmatch(_DIGEST, each)]
    if unfit:
        raise UnfitTap(f'"{found.full_name}" has "{unfit[0]}" for a SHA-256')
    if not re.fullmatch(_NAME, found.formula) or ".." in found.formula:
        raise UnfitTap(f'"{found.formula}" is no name of a formula')
