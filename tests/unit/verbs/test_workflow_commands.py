"""What the workflows call exists: each verb with its options, each session, each file."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml
from invoke.parser import Parser

ROOT = Path(__file__).parents[3]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
LINES = [
    line.strip()
    for file in WORKFLOWS
    for job in yaml.safe_load(file.read_text())["jobs"].values()
    for step in job.get("steps", ())
    for line in step.get("run", "").splitlines()
]
CALLS = sorted({line for line in LINES if line.startswith("python -m invoke ")})


@pytest.mark.parametrize("call", CALLS)
def test_a_call_of_inv_is_one_that_inv_understands(namespace, call):
    words = shlex.split(re.split(r" [|>]", call)[0])[3:]

    understood = Parser(contexts=namespace.to_contexts()).parse_argv(words)

    assert [context.name for context in understood] == [words[0]]


def test_a_step_calls_inv_nox_or_what_is_needed_for_them():
    allowed = ("python -m invoke ", "python -m nox ", "python -m pip install --require-hashes ")
    others = {line for line in LINES if not line.startswith(allowed)}

    assert {line.partition(" ")[0] for line in others} == {"mkdir", "gh"}


def test_a_session_that_is_called_is_one_of_nox():
    sessions = re.findall(r"^def (\w+)\(session", (ROOT / "noxfile.py").read_text(), re.MULTILINE)
    called = {line.split()[-1].strip('"') for line in LINES if line.startswith("python -m nox")}

    assert called - {"$SUITE"} <= set(sessions)


def test_what_is_installed_is_a_locked_file():
    files = {line.split()[-1] for line in LINES if line.startswith("python -m pip")}

    assert all((ROOT / file).is_file() for file in files)
