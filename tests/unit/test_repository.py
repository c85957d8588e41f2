"""The repository itself is sound: everything parses, and git hides no test."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
TRACKED = subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines()
PRESENT = [path for path in TRACKED if (ROOT / path).is_file()]
BROKEN_ON_PURPOSE = "tests/data/broken-configurations/"


def files(*suffixes: str) -> list[str]:
    return [
        path
        for path in PRESENT
        if path.endswith(suffixes) and not path.startswith(BROKEN_ON_PURPOSE)
    ]


@pytest.mark.parametrize("path", files(".yaml", ".yml"))
def test_yaml_parses(path):
    assert yaml.safe_load((ROOT / path).read_text()) is not None


@pytest.mark.parametrize("path", files(".py"))
def test_python_parses_and_says_what_it_is(path):
    module = ast.parse((ROOT / path).read_text())

    assert ast.get_docstring(module), f"{path} has no module docstring"


def test_json_parses():
    for path in files(".json"):
        json.loads((ROOT / path).read_text())


def test_toml_parses():
    for path in files(".toml"):
        tomllib.loads((ROOT / path).read_text())


def test_nothing_built_is_kept():
    built = (".whl", ".zip", ".gz", ".pyc", ".so", ".exe", ".tfplan")

    assert files(*built) == []


def test_git_ignores_no_test():
    ours = [str(path.relative_to(ROOT)) for path in ROOT.glob("tests/**/*.py")]

    asked = subprocess.run(
        ["git", "check-ignore", "--no-index", *ours],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert asked.stdout == "", f".gitignore hides tests: {asked.stdout}"


def test_every_package_folder_is_declared():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = {Path(path).parent.as_posix() for path in files("/__init__.py")}
    moved = {folder: name for name, folder in settings["package-dir"].items()}
    names = {moved.get(folder, folder.replace("/", ".")) for folder in folders}

    assert names == set(settings["packages"])


@pytest.mark.parametrize("path", PRESENT)
def test_nothing_names_this_machine(path):
    text = (ROOT / path).read_bytes().decode(errors="replace")
    home = re.escape(str(ROOT.parent) + "/")

    assert not re.search(home, text), f"{path} names {ROOT.parent}"
    assert "/opt/" + "tf-plugins" not in text


@pytest.mark.parametrize("path", [path for path in PRESENT if path.startswith("requirements/")])
def test_requirements_name_where_they_come_from_by_a_path_of_the_tree(path):
    assert "via -r /" not in (ROOT / path).read_text()


@pytest.mark.parametrize("path", files(".md"))
def test_relative_links_lead_somewhere(path):
    text = (ROOT / path).read_text()
    links = re.findall(r"\]\((?!https?://|#|mailto:)([^)#]+)", text)

    missing = [link for link in links if not (ROOT / path).parent.joinpath(link).exists()]

    assert missing == []


def test_decisions_are_numbered_without_gap_or_twin():
    told = sorted(Path(path).name[:4] for path in files(".md") if path.startswith("docs/adr/"))

    assert told == [f"{number:04}" for number in range(1, len(told) + 1)]


@pytest.mark.parametrize("path", [path for path in PRESENT if not path.endswith(".md")])
def test_a_decision_that_is_named_is_there(path):
    text = (ROOT / path).read_bytes().decode(errors="replace")
    named = set(re.findall(r"docs/adr/(\d{4})", text))

    assert named <= {Path(each).name[:4] for each in files(".md") if each.startswith("docs/adr/")}
