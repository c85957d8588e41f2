"""loading: values as YAML means them, each with its line, and nothing that grows without end."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.config.loading import load
from delivery.errors import BadConfiguration, BadInput


@pytest.fixture
def write(tmp_path):
    """Writes a file and gives its path."""

    def write(text):
        path = tmp_path / "airbrew.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_every_key_and_item_has_its_line(write):
    document = load(write("a:\n  b:\n    - x\n    - y\n\n  c: 1\n"))

    assert document.values == {"a": {"b": ["x", "y"], "c": 1}}
    assert document.lines[("a",)] == 1
    assert document.lines[("a", "b")] == 2
    assert document.lines[("a", "b", 1)] == 4
    assert document.lines[("a", "c")] == 6


def test_what_is_not_written_down_has_the_line_of_what_is_around_it(write):
    document = load(write("a:\n  b: {c: 1}\n"))

    assert document.line_of(("a", "b", "missing", "too")) == 2
    assert document.line_of(("elsewhere",)) == 1


def test_a_scalar_is_remembered_as_it_was_typed(write):
    document = load(write("a: yes\nb: 0x10\nc: '4'\n"))

    assert document.values == {"a": True, "b": 16, "c": "4"}
    assert document.typed == {("a",): "yes", ("b",): "0x10", ("c",): "4"}


def test_a_value_may_be_written_once_and_named_twice(write):
    document = load(write("a: &it [x]\nb: *it\n"))

    assert document.values == {"a": ["x"], "b": ["x"]}


def test_an_alias_bomb_is_refused_before_it_costs_anything(write):
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 30)]
    since = time.monotonic()

    with pytest.raises(BadConfiguration, match="aliases grow without end"):
        load(write("\n".join(["l0: &l0 [x]", *levels])))

    assert time.monotonic() - since < 2


def test_a_folder_is_not_a_configuration(tmp_path):
    with pytest.raises(BadInput, match="Is a directory"):
        load(tmp_path)


@given(st.binary(max_size=200))
def test_bytes_whatever_are_read_or_refused_but_never_a_crash(tmp_path_factory, body):
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(body)

    with suppress(BadConfiguration):
        load(path)


@given(st.text(alphabet="{}[]:,-*&!|>'\"%@`#?<a1 \n\t", max_size=40))
def test_yaml_s_own_signs_in_any_order_are_read_or_refused_but_never_a_crash(
    tmp_path_factory, text
):
    path = tmp_path_factory.getbasetemp() / "signs.yaml"
    path.write_text(text)

    with suppress(BadConfiguration):
        load(path)
