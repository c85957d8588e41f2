"""inv sandbox.…: what is down is no failure, what is deleted was asked about."""

from __future__ import annotations

import json
import sys

import pytest
from invoke.context import Context
from invoke.exceptions import Exit

from sandbox.record import Record, Running, write
from verbs import sandbox


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A checkout in which no sandbox was ever started."""
    monkeypatch.setattr(sandbox, "ROOT", tmp_path)
    return tmp_path


def test_a_sandbox_that_is_down_says_so_and_how_to_start_it(root, capsys):
    sandbox.status(Context())

    said = capsys.readouterr().out
    assert "ministack   down   -        -" in said
    assert "the sandbox is down; `inv sandbox.up`" in said


def test_a_program_reads_the_same_as_json(root, capsys):
    sandbox.status(Context(), json=True)

    found = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in found] == ["ministack", "cloudwatch", "upstream"]
    assert found[0]["is_up"] is False


def test_down_of_what_is_down_says_so(root, capsys):
    sandbox.down(Context())

    assert capsys.readouterr().out == "the sandbox was not running\n"


def test_reset_asks_and_without_an_answer_deletes_nothing(root, monkeypatch):
    kept = root / ".airbrew" / "sandbox" / "ministack" / "state"
    kept.mkdir(parents=True)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)

    with pytest.raises(Exit, match="nothing was deleted") as refused:
        sandbox.reset(Context())

    assert refused.value.code == 1
    assert kept.exists()


def test_reset_with_yes_leaves_nothing_but_the_lock(root, capsys):
    folder = root / ".airbrew" / "sandbox"
    (folder / "ministack" / "state").mkdir(parents=True)
    write(folder / "servers.json", Record("token", {"upstream": Running(1, 2**22 - 1, "long ago")}))

    sandbox.reset(Context(), yes=True)

    assert [entry.name for entry in folder.iterdir()] == ["lock"]
    assert "the sandbox is empty" in capsys.readouterr().out
