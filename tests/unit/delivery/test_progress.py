"""progress: steps are timed, told to the listener, and a failed one says so."""

from __future__ import annotations

import pytest

from delivery.progress import Silence, Steps


class Heard(Silence):
    """A listener that remembers."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def started(self, step: str) -> None:
        self.words.append(f"started {step}")

    def detail(self, text: str) -> None:
        self.words.append(text)

    def finished(self, step: str, seconds: float) -> None:
        self.words.append(f"finished {step}")

    def failed(self, step: str, seconds: float) -> None:
        self.words.append(f"failed {step}")


def test_steps_are_told_in_order_with_their_details():
    heard = Heard()
    steps = Steps(heard)

    with steps.step("plan"):
        steps.detail("12 to create")

    assert heard.words == ["started plan", "12 to create", "finished plan"]
    assert steps.seconds["plan"] >= 0


def test_a_failed_step_is_told_and_the_error_goes_on():
    heard = Heard()
    steps = Steps(heard)

    with pytest.raises(ValueError, match="no"), steps.step("apply"):
        raise ValueError("no")

    assert heard.words == ["started apply", "failed apply"]
    assert steps.current == "apply"


def test_a_step_entered_twice_adds_up():
    steps = Steps()

    for _ in range(2):
        with steps.step("sync"):
            pass

    assert list(steps.seconds) == ["sync"]
