"""sample: complete in itself, and with every case that a mirror must get right."""

from __future__ import annotations

import pytest

from sandbox.sample import PLATFORMS, RECIPES

DEFAULT_SELECTION = ("jq", "wget", "git", "python@3.13")


def closure(names):
    found, left = set(), list(names)
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            formula = RECIPES[name].formula
            left += [*formula.dependencies, *(use.name for use in formula.uses_from_macos)]
    return found


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_whatever_a_formula_needs_is_in_the_sample(recipe):
    formula = recipe.formula
    needed = {*formula.dependencies, *formula.build_dependencies}
    needed |= {use.name for use in formula.uses_from_macos}

    assert needed <= set(RECIPES)


def test_the_default_selection_is_small_and_has_a_bottle_everywhere():
    selected = [RECIPES[name] for name in closure(DEFAULT_SELECTION)]

    assert sum(recipe.payload_bytes for recipe in selected) < 16 * 1024 * 1024
    assert all(recipe.platforms in (PLATFORMS, ("all",)) for recipe in selected)


def test_every_hard_case_is_there():
    formulae = [recipe.formula for recipe in RECIPES.values()]

    assert any("+" in formula.name and "@" in formula.name for formula in formulae)
    assert any(formula.revision and formula.rebuild for formula in formulae)
    assert any(formula.deprecated for formula in formulae)
    assert any(formula.disabled for formula in formulae)
    assert any(recipe.platforms == () for recipe in RECIPES.values())
    assert max(recipe.payload_bytes for recipe in RECIPES.values()) == 64 * 1024 * 1024
