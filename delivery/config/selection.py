"""What an environment selects: the settings, and what its Brewfiles ask for besides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from delivery.config import brewfiles, taps
from delivery.config.brewfiles import BadBrewfile, Brewfile
from delivery.config.taps import TapFormula
from delivery.environment import Environment
from delivery.paths import ROOT

SAID = {"environment", "defaults"}


class UnfitBrewfile(Exception):
    """A Brewfile that cannot be read; `problem` and `remedy` say what and what to do."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem, remedy)
        self.problem, self.remedy = problem, remedy


def read(file: str) -> Brewfile:
    """A Brewfile, whose path is relative to the checkout.

    Raises:
        UnfitBrewfile: there is none, or a line of it is not understood.
    """
    try:
        return brewfiles.parse((ROOT / file).read_text(encoding="utf-8"))
    except BadBrewfile as error:
        raise UnfitBrewfile(
            f"{file}:{error.line}: {error.problem}",
            "plain statements only, for example: brew \"jq\", args: ['HEAD']",
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        told = getattr(error, "strerror", None) or "it is not UTF-8"
        raise UnfitBrewfile(
            f'"{file}" cannot be read: {told}', "the path of a Brewfile, relative to the checkout"
        ) from error


def selection(environment: Environment) -> Mapping[str, Any]:
    """The settings of `selection` as the mirror gets them: names, and no files any more.

    Where Brewfiles are named and formulae are not, the Brewfiles' are all that is wanted;
    their casks always come besides.

    Raises:
        UnfitBrewfile, UnfitTap: a file was spoilt since the configuration was checked.
    """
    settings = dict(environment.settings["selection"])
    found = [read(file) for file in settings.pop("brewfiles")]
    asked = [name for each in found for name in each.formulae]
    casks = [token for each in found for token in each.casks]
    files = settings.pop("tap_files")
    settings["taps"] = [each.as_settings() for file in files for each in taps.read(file)]
    settings["casks"] = list(dict.fromkeys([*settings["casks"], *casks]))
    is_said = environment.origins["selection.formulae"].kind in SAID
    if asked:
        own = settings["formulae"] if is_said else []
        settings["formulae"] = list(dict.fromkeys([*own, *asked]))
    return settings


def notes(environment: Environment) -> Iterator[str]:
    """``Brewfile:7: mas is nothing that a mirror holds``: what was left alone, line by line."""
    files = environment.settings["selection"]["tap_files"]
    held = [each for file in files for each in taps.read(file)]
    for file in environment.settings["selection"]["brewfiles"]:
        found = read(file)
        for line, note in sorted([*found.notes.items(), *_absent(found, held)]):
            yield f"{Path(file).as_posix()}:{line}: {note}"


def _absent(found: Brewfile, held: Sequence[TapFormula]) -> Iterator[tuple[int, str]]:
    """Line, and what it asks of other taps that no file of `selection.tap_files` has."""
    known = {each.tap for each in held}
    formulae = {each.full_name for each in held}
    for line, tap in found.taps:
        if tap not in known and not tap.startswith("homebrew/"):
            yield line, f"the tap {tap} is not mirrored: no file of selection.tap_files has it"
    for line, name in found.tapped:
        if name not in formulae:
            yield line, f'"{name}" is in no file of selection.tap_files: it is not mirrored'
