"""tasks.py: every verb is listed, explains itself and its options, and can be tried as shown."""

from __future__ import annotations

import re
import shlex

import pytest
from invoke.parser import Parser

from verbs.words import named


@pytest.fixture
def tasks(namespace):
    """Name → task."""
    return {name: namespace[name] for name in namespace.task_names}


def test_the_list_shows_every_verb_with_a_sentence(inv, tasks):
    ended = inv("--list")

    listed = dict(re.findall(r"^  ([a-z.]+) +(\S.*)$", ended.out, re.MULTILINE))
    assert ended.code == 0
    assert set(listed) == set(tasks)
    assert all(text[0].isupper() for text in listed.values())


def test_the_first_line_of_every_verb_s_help_is_one_sentence(tasks):
    for name, task in tasks.items():
        first = task.__doc__.splitlines()[0]
        assert first.endswith("."), f"{name}: {first}"
        assert len(first) <= 95, f"{name}: {first}"


def test_every_option_is_explained(tasks):
    for name, task in tasks.items():
        options = {argument.name: argument.help for argument in task.get_arguments()}
        unexplained = [option for option, text in options.items() if not text]
        assert not unexplained, f"{name} does not explain {unexplained}"


def test_no_option_is_positional(tasks):
    """Invoke would take the next word, even ``--help``, for its value."""
    for name, task in tasks.items():
        positional = [each.name for each in task.get_arguments() if each.positional]
        assert not positional, f"{name}: {positional}"


def test_the_example_of_every_verb_is_a_command_that_inv_understands(namespace, tasks):
    for name, task in tasks.items():
        (example,) = re.findall(r"^ *Example: inv (.*)$", task.__doc__, re.MULTILINE)
        words = named(shlex.split(example), tasks)
        understood = Parser(contexts=namespace.to_contexts()).parse_argv(words)
        assert [context.name for context in understood] == [name]


def test_a_verb_that_is_not_there_is_refused(inv):
    ended = inv("deply")

    assert ended.code == 1
    assert "deply" in ended.err
