"""What git knows between two releases: their commits, and a file as it was at each."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from delivery.errors import BadInput
from delivery.process_environment import current

REMEDY = "fetch the commits first (`git fetch --tags --unshallow` where the clone is shallow)"


@dataclass(frozen=True)
class Commit:
    """One commit: its full id, and the first line of its message."""

    id: str
    subject: str


def between(repository: Path, older: str, newer: str) -> list[Commit]:
    """What `newer` holds and `older` does not, the newest first; merges are left out.

    Raises:
        BadInput: the clone does not hold one of them.
    """
    return _listed(repository, f"{older}..{newer}", missing=f"{older}..{newer}")


def upto(repository: Path, newest: str) -> list[Commit]:
    """Every commit that `newest` builds on, and itself, the newest first.

    Raises:
        BadInput: the clone does not hold it.
    """
    return _listed(repository, newest, missing=newest)


def resolved(repository: Path, name: str) -> str:
    """The full id of a tag, a branch or the beginning of a commit's id.

    Raises:
        BadInput: the clone knows nothing of that name.
    """
    told = _git(
        repository,
        *("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"),
        missing=name,
    )
    return told.strip()


def newest_tag(repository: Path, before: str) -> str:
    """The nearest version tag that `before` builds on; empty before the first."""
    words = ("describe", "--tags", "--abbrev=0", "--match=v[0-9]*", f"{before}^")
    ended = _run(repository, *words)
    return ended.stdout.strip() if ended.returncode == 0 else ""


def file_at(repository: Path, commit: str, path: str) -> str:
    """A file of the tree as it was at a commit; empty where it was not there yet."""
    ended = _run(repository, "show", f"{commit}:{path}")
    return ended.stdout if ended.returncode == 0 else ""


def _listed(repository: Path, span: str, *, missing: str) -> list[Commit]:
    told = _git(repository, "log", "--no-merges", "--format=%H %s", span, "--", missing=missing)
    return [Commit(*line.split(" ", 1)) for line in told.splitlines()]


def _git(repository: Path, *words: str, missing: str) -> str:
    ended = _run(repository, *words)
    if ended.returncode != 0:
        raise BadInput(f'git does not know "{missing}" here', where=str(repository), remedy=REMEDY)
    return ended.stdout


def _run(repository: Path, *words: str) -> subprocess.CompletedProcess[str]:
    # A hook of git's sets GIT_DIR and the like, which would lead to another repository.
    child = {name: text for name, text in current().items() if not name.startswith("GIT_")}
    try:
        return subprocess.run(
            ["git", *words], cwd=repository, env=child, capture_output=True, text=True, check=False
        )
    except OSError as error:  # Not installed.
        return subprocess.CompletedProcess(words, 127, "", str(error))
