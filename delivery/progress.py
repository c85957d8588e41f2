"""Named steps, timed, told to whoever listens: the delivery itself prints nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Listener(Protocol):
    """Somebody who shows progress; `verbs.console.Progress` is one."""

    def started(self, step: str) -> None:
        """A step begins."""

    def detail(self, text: str) -> None:
        """Something worth a line happened inside the step."""

    def finished(self, step: str, seconds: float) -> None:
        """The step ended well."""

    def failed(self, step: str, seconds: float) -> None:
        """The step ended with an error."""


class Silence:
    """A listener for callers who want no progress."""

    def started(self, step: str) -> None:
        """Say nothing."""

    def detail(self, text: str) -> None:
        """Say nothing."""

    def finished(self, step: str, seconds: float) -> None:
        """Say nothing."""

    def failed(self, step: str, seconds: float) -> None:
        """Say nothing."""


class Steps:
    """Runs steps one after the other and remembers how long each took.

    `seconds` maps each finished or failed step to its seconds, in the order they ran;
    `current` is the step that is running, or the last one that ran.
    """

    def __init__(self, listener: Listener | None = None) -> None:
        self.listener: Listener = listener or Silence()
        self.seconds: dict[str, float] = {}
        self.current = ""
        self._phase = ""

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Steps in the body are those of `name`, and told apart by it: ``undo: apply``."""
        before, self._phase = self._phase, f"{name}: "
        try:
            yield
        finally:
            self._phase = before

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time the body as the step `name`; a step entered twice adds up."""
        name = f"{self._phase}{name}"
        self.current = name
        self.listener.started(name)
        since = time.monotonic()
        try:
            yield
        except BaseException:
            self.listener.failed(name, self._add(name, since))
            raise
        self.listener.finished(name, self._add(name, since))

    def detail(self, text: str) -> None:
        """Tell the listener something about the running step."""
        self.listener.detail(text)

    def _add(self, name: str, since: float) -> float:
        seconds = time.monotonic() - since
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds
        return seconds
