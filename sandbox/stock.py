"""A given catalogue as recipes: a small bottle of our own for each that it names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sandbox.api_files import Catalogue
from sandbox.sample import Recipe


def recipes(catalogue: Catalogue) -> Iterator[Recipe]:
    """One recipe per formula, for the platforms that the catalogue has bottles for.

    What is inside the real bottles is not known here, so neither their digests nor their sizes
    can be kept: each is a keg of about a kilobyte.
    """
    for formula in catalogue.formulae.values():
        cellars = {bottle.cellar for bottle in formula.bottles.values()}
        yield Recipe(
            formula=replace(formula, bottles={}),
            platforms=tuple(formula.bottles),
            payload_bytes=0,
            # Empty stands for each platform's own, as in the sample.
            cellar=cellars.pop() if len(cellars) == 1 else "",
        )
