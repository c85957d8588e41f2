"""assembly: a command line loads the verbs that it names, and no others, or all of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from verbs import assembly

ROOT = Path(__file__).parents[3]
EVERY = assembly.whole().task_names


@pytest.mark.parametrize("verb", EVERY)
def test_each_verb_is_loaded_by_its_own_name(verb):
    found = assembly.needed(["/usr/bin/inv", verb, "--env", "dev"])

    assert found[verb].__doc__ == assembly.whole()[verb].__doc__


def test_a_command_line_loads_no_other_group():
    assert assembly.needed(["inv", "sandbox.up"]).task_names.keys() == {
        name for name in EVERY if name.startswith("sandbox.")
    }


def test_two_verbs_load_both_files():
    found = assembly.needed(["inv", "build", "--env", "dev", "sandbox.up"]).task_names

    assert {"build", "sandbox.up"} <= set(found)


@pytest.mark.parametrize(
    "words",
    [
        ["inv"],
        ["inv", "--list"],
        ["inv", "--help"],
        ["inv", "biuld"],
        ["inv", "mirrors.sync"],
        ["pytest", "-k", "build"],
        ["/lib/pytest/__main__.py", "build"],
    ],
)
def test_what_names_no_verb_or_is_not_inv_gets_all(words):
    assert assembly.needed(words).task_names == EVERY


def test_run_as_a_module_it_is_inv_as_well():
    found = assembly.needed(["/lib/site-packages/invoke/__main__.py", "build"])

    assert "mirror.sync" not in found.task_names


def test_a_build_loads_neither_boto3_nor_the_sandbox_nor_the_probe():
    program = (
        "import sys\nsys.argv = ['inv', 'build']\nimport tasks\n"
        "heavy = {'boto3', 'botocore', 'cryptography', 'sandbox.cloud', 'verbs.mirror'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )

    loaded = subprocess.check_output([sys.executable, "-c", program], cwd=ROOT, text=True)

    assert loaded == "[]\n"


@pytest.mark.parametrize(("forbidden", "kept"), [("", True), ("1", False)])
def test_what_was_compiled_is_kept_unless_its_user_forbids_it(tmp_path, forbidden, kept):
    inv = [sys.executable, "-m", "invoke", "--list", "docs"]
    variables = {
        **os.environ,
        "PYTHONPYCACHEPREFIX": str(tmp_path),
        "PYTHONDONTWRITEBYTECODE": forbidden,
    }

    subprocess.run(inv, cwd=ROOT, env=variables, check=True, capture_output=True)

    assert any(tmp_path.rglob("assembly.*.pyc")) is kept
