"""docs/tutorial/first-mirror.md, run from its first command to its last."""

from __future__ import annotations

import re
import shlex

import pytest

from tests.integration.conftest import ROOT

PAGE = ROOT / "docs" / "tutorial" / "first-mirror.md"
BLOCK = re.compile(r"^```(console|text|yaml)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def steps() -> list[tuple[str, str]]:
    """The page's blocks, in order: what to type, what is printed, what to write into the file."""
    return BLOCK.findall(PAGE.read_text(encoding="utf-8"))


def edit(checkout, written: str) -> None:
    """Put the page's ``dev`` in place of the file's own."""
    file = checkout.root / "config" / "airbrew.yaml"
    text = file.read_text(encoding="utf-8")
    changed = re.sub(r"^  dev:\n(    .*\n)+", written, text, flags=re.MULTILINE)
    assert changed != text
    file.write_text(changed, encoding="utf-8")


def run(checkout, commands: str) -> str:
    """What the commands print; each has to succeed."""
    printed = ""
    for command in commands.splitlines():
        program, *words = shlex.split(command)
        assert program == ".venv/bin/inv"
        ended = checkout.inv(*words)
        assert ended.returncode == 0, f"{command}: {ended.stdout}{ended.stderr}"
        printed += ended.stdout
    return printed


def missing(promised: str, printed: str) -> list[str]:
    """The lines of the page that the program did not print; ``…`` is anything within a line."""
    return [
        line
        for line in promised.splitlines()
        if not re.search(
            rf"^{'.*'.join(map(re.escape, line.split('…')))}", printed, flags=re.MULTILINE
        )
    ]


def test_the_tutorial_s_commands_print_what_it_says(checkout):
    printed = ""
    for kind, body in steps():
        if kind == "console":
            printed = run(checkout, body)
        elif kind == "yaml":
            edit(checkout, body)
        else:
            assert missing(body, printed) == [], printed


@pytest.mark.parametrize("line", ["deploy 1: … created", "a … b"])
def test_a_line_that_is_not_printed_would_be_noticed(line):
    assert missing(line, "deploy 2: 25 created\nab\n") == [line]
