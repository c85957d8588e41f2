"""record: what runs, as it was written; anything unreadable is as good as nothing."""

from __future__ import annotations

import pytest

from sandbox import record
from sandbox.record import Record, Running


def test_what_was_written_is_read(tmp_path):
    file = tmp_path / "folder" / "servers.json"
    written = Record("token", {"upstream": Running(8081, 17, "4711")})

    record.write(file, written)

    assert record.read(file) == written
    assert [entry.name for entry in file.parent.iterdir()] == ["servers.json"]


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"token": "x"}', '{"token": "x", "servers": {"a": {"port": 1}}}']
)
def test_a_record_that_cannot_be_read_is_an_empty_one(tmp_path, content):
    file = tmp_path / "servers.json"
    file.write_text(content)

    assert record.read(file).servers == {}


def test_the_port_of_last_time_is_known_and_none_before():
    known = Record("token", {"upstream": Running(8081, 17, "4711")})

    assert (known.port_of("upstream"), known.port_of("ministack")) == (8081, 0)
