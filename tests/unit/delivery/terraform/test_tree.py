"""tree: real Terraform over a small tree that needs no provider, so that nothing is fetched."""

from __future__ import annotations

import os
import re
import shutil

import pytest

from delivery.errors import TerraformFailed
from delivery.terraform.tree import Tree

MODULE = """\
variable "word" {
  type = string

  validation {
    condition     = var.word != ""
    error_message = "word is empty."
  }
}

resource "terraform_data" "kept" {
  input = var.word
}

output "word" {
  value = terraform_data.kept.output
}
"""
TEST = """\
variables {
  word = "one"
}

run "the_word_comes_back" {
  assert {
    condition     = output.word == "one"
    error_message = "The word is ${output.word}."
  }
}

run "an_empty_word_is_refused" {
  command = plan

  variables {
    word = ""
  }

  expect_failures = [var.word]
}
"""
ENVIRONMENT = """\
module "word" {
  source = "../../modules/word"
  word   = "one"
}
"""
PROVIDER = """\
terraform {
  required_providers {
    terraform = {
      source = "terraform.io/builtin/terraform"
    }
  }
}
"""
FILES = {
    "modules/word/main.tf": MODULE,
    "modules/word/tests/word.tftest.hcl": TEST,
    "environments/dev/main.tf": ENVIRONMENT,
    "environments/dev/.terraform.lock.hcl": "# No provider is needed.\n",
}


@pytest.fixture
def folder(tmp_path):
    """A tree of one module and one environment, sound in every way."""
    for name, text in FILES.items():
        file = tmp_path / "terraform" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path / "terraform"


@pytest.fixture
def tree(folder, tmp_path, terraform):
    """The tree, and the Terraform to look at it with."""
    variables = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TF_WORKSPACE": "elsewhere"}
    return Tree.at(folder, variables=variables, state_dir=tmp_path / "airbrew")


def contents(folder):
    return {
        str(file.relative_to(folder)): file.read_text()
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_a_sound_tree_is_formatted_valid_and_tested(tree):
    tree.check_format()
    valid = tree.validate()
    tested = tree.test()

    assert valid == ["modules/word", "environments/dev"]
    assert [(each.module, each.runs, each.passed) for each in tested] == [("modules/word", 2, True)]


def test_looking_leaves_nothing_in_the_tree(tree, folder):
    tree.check_format()
    tree.validate()
    tree.test()

    assert contents(folder) == FILES


def test_format_rewrites_what_needs_it_and_says_so(tree, folder):
    untidy = folder / "modules" / "word" / "main.tf"
    untidy.write_text(MODULE.replace("  input = ", "input="))

    files = tree.format()

    assert files == [str(untidy)]
    assert contents(folder) == FILES


def test_checking_the_format_names_the_files_and_rewrites_none(tree, folder):
    untidy = MODULE.replace("  input = ", "input=")
    (folder / "modules" / "word" / "main.tf").write_text(untidy)

    with pytest.raises(
        TerraformFailed, match=r"^1 not formatted: .*/modules/word/main\.tf"
    ) as told:
        tree.check_format()

    assert told.value.remedy == "inv terraform.format"
    assert (folder / "modules" / "word" / "main.tf").read_text() == untidy


@pytest.mark.parametrize("look", [Tree.format, Tree.check_format])
def test_a_file_that_does_not_parse_is_named(tree, folder, look):
    (folder / "modules" / "word" / "main.tf").write_text('variable "word" {')

    with pytest.raises(TerraformFailed, match=r"modules/word/main\.tf line 1"):
        look(tree)


def test_everything_that_is_invalid_is_told_at_once_with_its_line(tree, folder):
    (folder / "modules" / "word" / "main.tf").write_text(MODULE.replace("data.kept.", "data.lost."))
    (folder / "environments" / "dev" / "main.tf").write_text('output "x" {\n  value = local.y\n}\n')

    with pytest.raises(TerraformFailed) as told:
        tree.validate()

    first, dev, module = told.value.problem.splitlines()
    assert first == "the Terraform tree is not valid:"
    assert re.search(r"terraform/environments/dev/main\.tf:2: Reference to undeclared local", dev)
    assert re.search(r"terraform/modules/word/main\.tf:15: .* undeclared resource", module)
    assert told.value.remedy == "correct what it names and run `inv terraform.validate`"


def test_a_module_that_takes_a_provider_is_validated_where_it_is_called(tree, folder):
    module = folder / "modules" / "word" / "main.tf"
    takes = PROVIDER.replace(
        "\n    }", "\n      configuration_aliases = [terraform.other]\n    }", 1
    )
    module.write_text(MODULE + takes)
    root = folder / "environments" / "dev" / "main.tf"
    called = ENVIRONMENT.replace('one"', 'one"\n  providers = { terraform.other = terraform }')
    root.write_text(called + PROVIDER)

    valid = tree.validate()
    module.write_text(MODULE.replace("var.word\n", "var.work\n") + takes)

    assert valid == ["environments/dev"]
    with pytest.raises(TerraformFailed, match=r"modules/word/main.tf:11: .*work"):
        tree.validate()


def test_what_three_environments_meet_in_one_module_is_told_once(tree, folder):
    for name in ("staging", "prod"):
        shutil.copytree(folder / "environments" / "dev", folder / "environments" / name)
    (folder / "modules" / "word" / "main.tf").write_text(MODULE.replace("data.kept.", "data.lost."))

    with pytest.raises(TerraformFailed) as told:
        tree.validate()

    _, as_called, by_itself = sorted(told.value.problem.splitlines(), key=len)
    assert by_itself.endswith("has not been declared in the root module.")
    assert as_called.endswith("has not been declared in module.word.")


def test_a_failed_assertion_tells_its_line_and_what_was_expected(tree, folder):
    (folder / "modules" / "word" / "main.tf").write_text(
        MODULE.replace("input = v", 'input = "2" # v')
    )

    (tested,) = tree.test()

    assert not tested.passed
    assert tested.runs == 2
    assert re.search(
        r"modules/word/tests/word\.tftest\.hcl:7: Test assertion failed: The word is 2\.$",
        tested.failures[0],
    )


def test_a_refusal_that_does_not_come_is_a_failure(tree, folder):
    (folder / "modules" / "word" / "main.tf").write_text(
        MODULE.replace('word != ""', 'word != "x"')
    )

    (tested,) = tree.test()

    assert len(tested.failures) == 1
    assert "Missing expected failure" in tested.failures[0]


def test_a_module_without_a_test_has_not_passed(tree, folder):
    (folder / "modules" / "word" / "tests" / "word.tftest.hcl").unlink()

    (tested,) = tree.test()

    assert not tested.passed
    assert re.search(r"terraform/modules/word: there is no test$", tested.failures[0])


def test_a_module_that_cannot_be_initialised_is_a_failure_of_its_own(tree, folder):
    (folder / "modules" / "word" / "main.tf").write_text('module "x" {\n  source = "../none"\n}\n')

    (tested,) = tree.test()

    assert (tested.runs, tested.passed) == (0, False)
    assert re.search(
        r"terraform/modules/word: Unreadable module directory: .*\.\./none", tested.failures[0]
    )
