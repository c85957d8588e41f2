"""The real `inv`, run in this process: the verbs as a user meets them, without a start-up each."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from invoke.collection import Collection
from invoke.program import Program

from verbs import config, main


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code and what it printed."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def namespace():
    """All verbs, as tasks.py assembles them."""
    namespace = Collection.from_module(main)
    namespace.add_collection(Collection.from_module(config))
    return namespace


@pytest.fixture
def inv(namespace, capsys):
    """Runs a command line, ``inv("config.show", "--env", "dev")``, and says how it ended."""

    def run(*words: str) -> Ended:
        try:
            Program(namespace=namespace, name="inv", binary="inv").run(["inv", *words])
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        printed = capsys.readouterr()
        return Ended(code, printed.out, printed.err)

    return run
