"""The Terraform tree with the real provider: valid, formatted, and each module's own tests pass."""

from __future__ import annotations

import os

import pytest

from delivery.paths import TERRAFORM_DIR
from delivery.terraform.tree import Tree

MODULES = sorted(f"modules/{folder.name}" for folder in (TERRAFORM_DIR / "modules").iterdir())


@pytest.fixture(scope="module")
def tree(tmp_path_factory, terraform):
    """The repository's tree; providers come from a mirror or the registry, as for a user."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return Tree.at(variables=kept, state_dir=tmp_path_factory.mktemp("airbrew"))


@pytest.fixture(scope="module")
def tested(tree):
    """How each module's tests ended: run once, two at a time, for all the tests below."""
    return {each.module: each for each in tree.test()}


def test_every_file_is_formatted(tree):
    tree.check_format()


def test_every_module_and_environment_is_valid(tree):
    environments = {"environments/dev", "environments/staging", "environments/prod"}
    # These take a provider, and are validated with each environment.
    called = {"modules/airbrew", "modules/monitoring"}

    assert {*environments, "access", *MODULES} - called == set(tree.validate())


@pytest.mark.parametrize("module", MODULES)
def test_the_modules_own_tests_pass(tested, module):
    assert tested[module].failures == ()
    assert tested[module].runs >= 4
