"""The hooks of pre-commit: the versions of the gates, and each stops a bad file."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
HOOKS = {hook["id"]: hook for repo in CONFIG["repos"] for hook in repo["hooks"]}
LOCKED = dict(
    re.findall(
        r"^([a-z0-9-]+)==([^ ]+)", (ROOT / "requirements" / "security.txt").read_text(), re.M
    )
)
WORKFLOW = ".github/workflows/bad.yml"
# Put together here, so that no scanner takes this file for the leak.
LEAKED_KEY = "AKIA" + "Z7Q4WERTYUJKLM2P"
BAD = {
    "ruff-format": ("bad.py", '"""A module."""\n\nx = {  1:2 }\n'),
    "ruff-check": ("bad.py", '"""A module."""\n\nimport os\n'),
    "yamllint": ("bad.yaml", "a: 1\na: 2\n"),
    "actionlint": (WORKFLOW, "on: push\njobs:\n  a:\n    runs-on: nowhere\n"),
    "zizmor": (WORKFLOW, "on: pull_request_target\njobs: {a: {runs-on: x, steps: [{run: ls}]}}\n"),
    "workflow-schema": (WORKFLOW, "on: push\njobs: {a: {}}\n"),
    "shellcheck": ("bad.sh", "#!/bin/sh\nrm -rf $1/build\n"),
    "hadolint": ("Dockerfile", "FROM python:latest\nRUN pip install requests\n"),
    "gitleaks": ("bad.txt", f"{LEAKED_KEY}\n"),
    "terraform-fmt": ("bad.tf", 'locals {\n    a="b"\n}\n'),
}


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A repository with the hooks' settings, and nothing that they could complain about."""
    root = tmp_path_factory.mktemp("clone")
    for name in (".pre-commit-config.yaml", ".yamllint.yaml", ".gitignore", "pyproject.toml"):
        shutil.copy2(ROOT / name, root / name)
    (root / "tests" / "data").mkdir(parents=True)
    shutil.copy2(ROOT / "tests/data/not-for-yamllint.txt", root / "tests" / "data")
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    for words in (("init", "-q"), ("add", "-A"), (*identity, "commit", "-q", "-m", "all")):
        subprocess.run(["git", *words], cwd=root, check=True)
    return root


@pytest.fixture(scope="module")
def commit(clone, tmp_path_factory):
    """Stages a file and runs the hooks on it, as `git commit` would; then takes it back."""
    home = {**os.environ, "PRE_COMMIT_HOME": str(tmp_path_factory.mktemp("hooks"))}

    def commit(name, text, *hooks):
        file = clone / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        subprocess.run(["git", "add", name], cwd=clone, check=True)
        ended = subprocess.run(
            ["pre-commit", "run", *hooks],
            cwd=clone,
            env=home,
            capture_output=True,
            text=True,
            check=False,
        )
        subprocess.run(["git", "rm", "-q", "-f", "--cached", name], cwd=clone, check=True)
        file.unlink()
        return ended

    return commit


@pytest.mark.parametrize("hook", BAD)
def test_a_hook_stops_its_bad_file(commit, hook):
    if hook == "terraform-fmt" and shutil.which("terraform") is None:
        pytest.skip("terraform is not installed")

    ended = commit(*BAD[hook], hook)

    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "Failed" in ended.stdout
    assert "An unexpected error has occurred" not in ended.stdout


def test_a_good_file_passes_all_hooks(commit):
    ended = commit("good.py", '"""A module that says what it is."""\n')

    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_every_hook_has_its_bad_file():
    assert set(HOOKS) == set(BAD)


def test_the_hooks_have_the_versions_of_the_gates():
    wanted = [each for hook in HOOKS.values() for each in hook.get("additional_dependencies", ())]
    found = dict(each.split("==") for each in wanted)

    assert found == {name: LOCKED[name] for name in found}


def test_no_hook_comes_from_the_internet():
    assert {repo["repo"] for repo in CONFIG["repos"]} == {"local"}
    assert {hook["language"] for hook in HOOKS.values()} <= {"python", "system"}
