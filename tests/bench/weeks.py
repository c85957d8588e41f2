"""All of homebrew/core for a few platforms, week after week: who changes, and how large it is."""

from __future__ import annotations

import json
import lzma
import random
from collections.abc import Mapping, Sequence
from copy import deepcopy
from math import log
from pathlib import Path
from typing import Any

# Lies beside the checkout on machines that have it; nothing needs it.
REAL = Path(__file__).parents[3] / "shared" / "data" / "homebrew-core-2026-08-22.json.xz"
# A catalogue of the same shape, for machines that have not.
FORMULAE, NAMES_PER_DEPENDENCY = 8548, 4
PLATFORMS = ("arm64_tahoe", "arm64_sequoia", "x86_64_linux")
CHURN = 0.08

# Sizes are not in the catalogue: drawn from a log-normal with this median and mean, cut at this.
MEDIAN_BYTES, MEAN_BYTES, MAX_BYTES = 0.5e6, 9e6, 2e9
SIGMA = (2 * log(MEAN_BYTES / MEDIAN_BYTES)) ** 0.5

Catalogue = dict[str, Any]


def first(file: Path, platforms: Sequence[str], limit: int | None) -> Catalogue:
    """The catalogue in the file, else one of its shape; only these platforms and so many formulae.

    Args:
        file: .json.xz; need not be there.
        platforms: of other bottles nothing is said.
        limit: formulae at most; None takes all.
    """
    found = json.loads(lzma.decompress(file.read_bytes())) if file.is_file() else _made_up()
    kept = found["formulae"][:limit]
    names = {each["name"] for each in kept}
    for each in kept:
        tags = {*platforms, "all"} & set(each["bottles"])
        each["bottles"] = {tag: each["bottles"][tag] for tag in sorted(tags)}
        each["dependencies"] = [name for name in each["dependencies"] if name in names]
    return {"formulae": kept, "formula_renames": {}, "tap_migrations": {}}


def following(week: Catalogue, seed: int) -> Catalogue:
    """The same a week later: `CHURN` of the formulae have a new version."""
    after = deepcopy(week)
    formulae = after["formulae"]
    for each in random.Random(seed).sample(formulae, round(len(formulae) * CHURN)):
        each["version"] += ".1"
    return after


def sizes(bottles: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Digest → bytes that the real bottle might have: the same for a formula, version and tag."""
    return {each["digest"]: _size(each) for each in bottles}


def _size(bottle: Mapping[str, Any]) -> float:
    # By name alone: a new version of a large thing is large.
    drawn = random.Random(f"{bottle['formula']} {bottle['tag']}")
    return min(drawn.lognormvariate(log(MEDIAN_BYTES), SIGMA), MAX_BYTES)


def _made_up() -> Catalogue:
    names = [f"formula{number}" for number in range(FORMULAE)]
    return {
        "formulae": [
            {
                "name": name,
                "version": "1.0",
                "bottles": {tag: {"cellar": ":any", "sha256": "0" * 64} for tag in PLATFORMS},
                "dependencies": names[number // NAMES_PER_DEPENDENCY : number : FORMULAE // 2],
            }
            for number, name in enumerate(names)
        ]
    }
