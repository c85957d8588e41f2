"""lock: one at a time, for whoever waits long enough."""

from __future__ import annotations

import threading

import pytest

from sandbox.errors import SandboxBusy
from sandbox.lock import held


def test_a_second_one_is_told_that_it_is_busy(tmp_path):
    file = tmp_path / "folder" / "lock"

    with (
        held(file, patience_seconds=0),
        pytest.raises(SandboxBusy, match=r"another command has been starting .* more than 0 s"),
        held(file, patience_seconds=0),
    ):
        pass


def test_a_second_one_goes_on_when_the_first_is_done(tmp_path):
    order = []

    def second():
        with held(tmp_path / "lock", patience_seconds=5):
            order.append("second")

    with held(tmp_path / "lock", patience_seconds=0):
        waiting = threading.Thread(target=second)
        waiting.start()
        waiting.join(0.1)
        order.append("first")
    waiting.join()

    assert order == ["first", "second"]
