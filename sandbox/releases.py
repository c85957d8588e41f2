"""New versions that the sample upstream has released since it was set up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from sandbox.sample import RECIPES, Recipe


class Releases:
    """The sample's recipes as of now; what was released stays so across restarts.

    Args:
        file: formula → version, as JSON; need not exist.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._versions: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}

    @property
    def recipes(self) -> Mapping[str, Recipe]:
        """Every recipe by name, at its latest version."""
        return dict(RECIPES) | {
            name: _at(RECIPES[name], version) for name, version in self._versions.items()
        }

    def add(self, name: str, version: str) -> None:
        """Release a version of a formula.

        Raises:
            ValueError: the sample has no such formula, or the version is empty.
        """
        if name not in RECIPES:
            raise ValueError(f"the sample has no formula {name!r}")
        if not version:
            raise ValueError(f"the version of {name!r} is empty")
        self._versions[name] = version
        self._file.write_text(json.dumps(self._versions))


def _at(recipe: Recipe, version: str) -> Recipe:
    return replace(recipe, formula=replace(recipe.formula, version=version, revision=0, rebuild=0))
