"""One gate as a value, and how a program's findings are had from it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

from delivery import process_environment
from delivery.errors import GateBroken, ToolMissing
from delivery.gates.findings import Finding, from_sarif

# A gate that hangs must end before CI's patience does; mypy without a cache takes the longest.
PATIENCE_SECONDS = 900
NOT_OURS = {
    *(".git", ".venv", ".nox", ".airbrew", "build", ".terraform"),
    *(".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".import_linter_cache"),
}


@dataclass(frozen=True)
class Scene:
    """What the gates look at.

    Args:
        root: a checkout.
        plan: file of a rendered plan in Terraform's JSON form; None where none was rendered.
    """

    root: Path
    plan: Path | None = None

    def files(self, *patterns: str) -> list[str]:
        """The checkout's own files that match one of the globs, relative to its root."""
        found = {path for pattern in patterns for path in self.root.glob(pattern)}
        relative = (path.relative_to(self.root) for path in found if path.is_file())
        return sorted(path.as_posix() for path in relative if not NOT_OURS & {*path.parts})


Look = Callable[[Scene], list[Finding]]
Reader = Callable[["CompletedProcess[str]"], list[Finding]]


@dataclass(frozen=True)
class Gate:
    """A gate of a suite (``lint`` or ``security``): its name, what it wants, how it looks."""

    name: str
    suite: str
    wants: str
    look: Look


def whole(home: str) -> Reader:
    """For a program that writes for people: all that it says is one finding, about `home`."""

    def read(ended: CompletedProcess[str]) -> list[Finding]:
        if ended.returncode == 0:
            return []
        said = (ended.stdout + ended.stderr).strip()
        return [Finding(home, 0, Path(ended.args[0]).name, said)]

    return read


def sarif(ended: CompletedProcess[str]) -> list[Finding]:
    """For a program that writes SARIF to stdout."""
    try:
        found = from_sarif(ended.stdout)
    except ValueError as error:
        raise broken(ended) from error
    if ended.returncode != 0 and not found:
        raise broken(ended)
    return found


def tool(read: Reader, *command: str, patterns: Sequence[str] = ()) -> Look:
    """A gate that is a program: run in the checkout, with the files of `patterns` named to it.

    Raises (when it looks):
        ToolMissing: the program is not installed.
        GateBroken: it ended otherwise than with findings or without.
    """

    def look(scene: Scene) -> list[Finding]:
        files = scene.files(*patterns)
        if patterns and not files:
            return []
        return read(run(scene.root, *command, *files))

    return look


def run(root: Path, *command: str) -> CompletedProcess[str]:
    """Run a program in the checkout.

    Raises:
        ToolMissing: it is not installed.
    """
    try:
        return subprocess.run(
            command,
            cwd=root,
            env=process_environment.current(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    except FileNotFoundError as error:
        raise ToolMissing(
            f"{command[0]!r} is not installed",
            where="PATH",
            remedy="run the gates as `nox -s lint` and `nox -s security` do",
        ) from error


def broken(ended: CompletedProcess[str]) -> GateBroken:
    """The program itself failed: it neither passed nor found anything."""
    said = (ended.stderr or ended.stdout).strip().splitlines()
    return GateBroken(
        f"{ended.args[0]!r} ended with {ended.returncode}: {' / '.join(said[-3:])}",
        where=" ".join(ended.args),
        remedy="run that command by hand; a gate that cannot look has not passed",
    )


def lines_of(scene: Scene, *patterns: str) -> Iterator[tuple[str, int, str]]:
    """Path, number and text of every line in the files that match."""
    for name in scene.files(*patterns):
        text = (scene.root / name).read_bytes().decode(errors="replace")
        for number, line in enumerate(text.splitlines(), start=1):
            yield name, number, line
