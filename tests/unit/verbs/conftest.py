"""The real `inv`, run in this process: the verbs as a user meets them, without a start-up each."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from invoke.program import Program

# The same small mirror and its keys; fixtures are found by name where they are imported.
from tests.unit.delivery.conftest import cloud, mirror, public_key_pem, signed, signing_key  # noqa: F401

TASKS = Path(__file__).parents[3] / "tasks.py"


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code and what it printed."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def namespace():
    """All verbs, as tasks.py assembles them."""
    spec = importlib.util.spec_from_file_location("tasks", TASKS)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.namespace


@pytest.fixture
def run_program(capsys) -> Callable[..., Ended]:
    """Runs one command line against a collection of tasks, and says how it ended."""

    def run(namespace, *words: str) -> Ended:
        try:
            Program(namespace=namespace, name="inv", binary="inv").run(["inv", *words])
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        printed = capsys.readouterr()
        return Ended(code, printed.out, printed.err)

    return run


@pytest.fixture
def inv(namespace, run_program) -> Callable[..., Ended]:
    """Runs ``inv("config.show", "--env", "dev")``."""
    return lambda *words: run_program(namespace, *words)
