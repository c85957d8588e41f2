"""The catalogue of what can be wrong with a mirror; its texts are in defects.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

CATALOGUE_FILE = Path(__file__).with_name("defects.yaml")
BREAKS = "breaks"
WARNS = "warns"


@dataclass(frozen=True)
class Defect:
    """A way to fail a client.

    `level` is ``breaks`` (a client cannot do its work) or ``warns`` (it can, at a price that
    `why` names); `id` never changes, so that scripts can wait for it.
    """

    id: str
    level: str
    what: str
    why: str
    remedy: str


@dataclass(frozen=True)
class Sighting:
    """A defect as it was met: at which URL, and what was seen there."""

    defect: str
    problem: str
    url: str


class Stumble(Exception):
    """A request could not be followed to its end; the sighting says why."""

    def __init__(self, defect: str, problem: str, url: str) -> None:
        super().__init__(defect, problem, url)
        self.sighting = Sighting(defect, problem, url)


@cache
def defects() -> dict[str, Defect]:
    """Every defect that the probe knows, by id, in the order of a client's requests."""
    entries = yaml.safe_load(CATALOGUE_FILE.read_text("utf-8"))
    return {name: Defect(name, **texts) for name, texts in entries.items()}
