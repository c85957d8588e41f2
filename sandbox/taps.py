"""A tap of the sample Homebrew beside core: bottles in the same registry, and no API of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.formulae import Formula
from sandbox.sample import PLATFORMS, Recipe

TAP = "acme/tools"
ROOT_URL = f"https://ghcr.io/v2/{TAP}"

RECIPES = (
    Recipe(
        Formula(
            *("acme-deploy", "1.4.0", "Deploys what Acme builds", "https://example.org/deploy"),
            license="MIT",
            revision=1,
            dependencies=("jq", "acme-agent@2"),
        ),
        PLATFORMS,
    ),
    Recipe(
        Formula(
            *("acme-agent@2", "2.0.3", "Runs on every Mac of Acme", "https://example.org/agent"),
            license="MIT",
            rebuild=1,
        ),
        ("arm64_sequoia", "tahoe", "x86_64_linux"),
    ),
)


def brew_info(formulae: Iterable[Formula]) -> dict[str, Any]:
    """``brew info --json=v2 acme/tools/…``. Source: brew, formula.rb (Formula#to_hash)."""
    return {"formulae": [_entry(each) for each in formulae], "casks": []}


def _entry(formula: Formula) -> dict[str, Any]:
    own = {recipe.formula.name for recipe in RECIPES}
    files = {
        tag: {
            "cellar": bottle.cellar,
            "url": f"{ROOT_URL}/{formula.image}/blobs/sha256:{bottle.digest}",
            "sha256": bottle.digest,
        }
        for tag, bottle in formula.bottles.items()
    }
    return {
        "name": formula.name,
        "full_name": f"{TAP}/{formula.name}",
        "tap": TAP,
        "versions": {"stable": formula.version, "head": None, "bottle": True},
        "revision": formula.revision,
        "bottle": {"stable": {"rebuild": formula.rebuild, "root_url": ROOT_URL, "files": files}},
        "dependencies": [f"{TAP}/{name}" if name in own else name for name in formula.dependencies],
        "uses_from_macos": [use.name for use in formula.uses_from_macos],
    }
