"""console: answers to stdout, what goes on to stderr, and a terminal gets one live line a step."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import pytest

from verbs import console


def test_a_table_is_aligned_and_has_no_trailing_blanks(capsys):
    console.table(["key", "value"], [["region", "us-east-1"], ["a", ""]])

    assert capsys.readouterr().out == "key     value\nregion  us-east-1\na\n"


def test_a_document_is_json_on_stdout_alone(capsys):
    console.note("starting")
    console.document({"bottles": 3})

    printed = capsys.readouterr()
    assert json.loads(printed.out) == {"bottles": 3}
    assert printed.err == "starting\n"


@pytest.mark.parametrize(
    ("size_bytes", "shown"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (183402113, "174.9 MiB"),
        (3 << 40, "3.0 TiB"),
    ],
)
def test_sizes_are_read_at_a_glance(size_bytes, shown):
    assert console.size(size_bytes) == shown


def test_without_a_terminal_nothing_is_confirmed(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))

    assert not console.confirm("Destroy dev?")
    assert "--yes" in capsys.readouterr().err


def test_without_a_terminal_steps_are_plain_lines():
    stream = io.StringIO()

    with console.Progress(stream) as progress:
        progress.started("plan")
        progress.detail("12 to create")
        progress.finished("plan", 2.34)
        progress.failed("apply", 1.0)

    assert stream.getvalue() == (
        "plan ...\n  12 to create\nplan done in 2.3 s\napply FAILED after 1.0 s\n"
    )


def test_on_a_terminal_a_step_is_one_line_that_ends_with_its_seconds():
    stream = io.StringIO()
    stream.fileno = lambda: (_ for _ in ()).throw(OSError)

    with console.LiveProgress(stream) as progress:
        progress.started("plan")
        progress.detail("12 to create")
        progress.finished("plan", 2.34)

    drawn = stream.getvalue()
    assert drawn.count("\n") == 1
    assert drawn.endswith("✓\x1b[0m plan          2.3 s\n")
    assert "12 to create" in drawn


def test_a_reader_that_goes_away_ends_the_program_quietly():
    program = "from verbs import console\nfor n in range(100000): console.line('x' * 80)"
    command = f'"{sys.executable}" -c "{program}" | head -1'

    ended = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)

    assert ended.stdout == "x" * 80 + "\n"
    assert ended.stderr == ""
