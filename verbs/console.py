"""The only place that prints: lines, tables, questions, live progress, one JSON document."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TextIO

TICK_SECONDS = 0.5


def line(text: str = "") -> None:
    """Print one line of the answer to stdout."""
    _write(sys.stdout, text)


def note(text: str) -> None:
    """Print one line about what is going on to stderr, so that stdout stays the answer."""
    _write(sys.stderr, text)


def document(value: Any) -> None:
    """Print `value` to stdout as one JSON document."""
    line(json.dumps(value, indent=2, default=str))


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print aligned columns, as wide as their widest cell; the last column is not padded."""
    for text in aligned(headers, rows):
        line(text)


def aligned(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table: the headers' and one for each row."""
    cells = [list(headers), *[list(row) for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headers))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def facts(pairs: Sequence[tuple[str, str]]) -> None:
    """Print names and values in two aligned columns, indented."""
    width = max((len(name) for name, _ in pairs), default=0)
    for name, value in pairs:
        line(f"  {name.ljust(width)}  {value}".rstrip())


def red(text: str) -> str:
    """The text in red where stdout is a terminal."""
    return f"\033[31m{text}\033[0m" if sys.stdout.isatty() else text


def confirm(question: str) -> bool:
    """Ask on the terminal; without one the answer is no, so that a script must say --yes."""
    if not sys.stdin.isatty():
        note(f"{question} [no: there is no terminal to ask on; use --yes]")
        return False
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def progress() -> Progress:
    """What to hand to a long operation: live on a terminal, plain lines elsewhere."""
    return LiveProgress(sys.stderr) if sys.stderr.isatty() else Progress(sys.stderr)


def size(size_bytes: int) -> str:
    """``183402113`` as ``174.9 MiB``."""
    value, unit = float(size_bytes), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return f"{size_bytes} B" if unit == "B" else f"{value:.1f} {unit}"


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(f"{text}\n")
        stream.flush()
    except BrokenPipeError:
        # `inv … | head` closed the pipe: nobody reads on, and Python would complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        raise SystemExit(0) from None


class Progress:
    """Steps with their seconds, one plain line each: for logs and pipes."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def started(self, step: str) -> None:
        """A step begins."""
        _write(self.stream, f"{step} ...")

    def detail(self, text: str) -> None:
        """Something worth a line happened inside the step."""
        _write(self.stream, f"  {text}")

    def finished(self, step: str, seconds: float) -> None:
        """The step ended well."""
        _write(self.stream, f"{step} done in {seconds:.1f} s")

    def failed(self, step: str, seconds: float) -> None:
        """The step ended with an error, which is printed by whoever catches it."""
        _write(self.stream, f"{step} FAILED after {seconds:.1f} s")

    def close(self) -> None:
        """No more is coming."""


class LiveProgress(Progress):
    """One line a step, rewritten in place with the seconds and the latest detail."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._step, self._detail, self._since = "", "", 0.0
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)
        self._ticker.start()

    def started(self, step: str) -> None:
        """Open the step's line."""
        with self._lock:
            self._step, self._detail, self._since = step, "", time.monotonic()
            self._draw()

    def detail(self, text: str) -> None:
        """Show the latest detail behind the step."""
        with self._lock:
            self._detail = text
            self._draw()

    def finished(self, step: str, seconds: float) -> None:
        """Replace the live line by the final one."""
        self._end_line(f"\033[32m✓\033[0m {step:<10} {seconds:6.1f} s")

    def failed(self, step: str, seconds: float) -> None:
        """Replace the live line by the final one."""
        self._end_line(f"\033[31m✗\033[0m {step:<10} {seconds:6.1f} s")

    def close(self) -> None:
        """Stop the clock."""
        self._ended.set()
        self._ticker.join()

    def _tick(self) -> None:
        while not self._ended.wait(TICK_SECONDS):
            with self._lock:
                self._draw()

    def _draw(self) -> None:
        if not self._step:
            return
        seconds = time.monotonic() - self._since
        text = f"· {self._step:<10} {seconds:6.1f} s  {self._detail}"
        self._put(f"\r\033[K{text[: _columns(self.stream) - 1]}")

    def _end_line(self, text: str) -> None:
        with self._lock:
            self._step = ""
            self._put(f"\r\033[K{text}\n")

    def _put(self, text: str) -> None:
        with suppress(BrokenPipeError):  # The answer matters; the progress line does not.
            self.stream.write(text)
            self.stream.flush()


def _columns(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns
    except OSError:
        return 80
