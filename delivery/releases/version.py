"""Which version a checkout is, as git tells it; the same answer on every machine."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from delivery import process_environment

# Git's own abbreviation grows with the number of objects, which differs between clones.
ABBREVIATED = 7
UNKNOWN = "0.0.0+no.git"


@dataclass(frozen=True)
class Version:
    """A version, its commit, and whether the working tree differed from it.

    `name` is ``1.2.3``, ``1.2.3+4.g9566066`` four commits past that tag, or
    ``0.0.0+412.g9566066`` before the first tag.
    """

    name: str
    commit: str
    dirty: bool


def describe(repository: Path) -> Version:
    """What git says of the checkout in `repository`.

    Where it cannot say, because there is no git, or the tree was exported, the version is
    ``0.0.0+no.git`` without a commit, and dirty: nothing shows that it is not. A shallow
    clone knows neither tags nor a count: ``0.0.0+shallow.g9566066``.
    """
    found = _git(repository, "rev-parse", "--show-prefix", "--is-shallow-repository", "HEAD")
    # A tree below another repository's root is not what that repository speaks of.
    prefix, is_shallow, commit = (found or "below/\n\n").split("\n")
    if prefix or not commit:
        return Version(UNKNOWN, "", dirty=True)
    abbreviated = f"g{commit[:ABBREVIATED]}"
    dirty = _git(repository, "status", "--porcelain", "--untracked-files=normal") != ""
    if is_shallow == "true":
        return Version(f"0.0.0+shallow.{abbreviated}", commit, dirty)
    return Version(_since_tag(repository, abbreviated), commit, dirty)


def _since_tag(repository: Path, abbreviated: str) -> str:
    told = _git(repository, "describe", "--tags", "--long", "--match=v[0-9]*")
    if told is None:
        return f"0.0.0+{_git(repository, 'rev-list', '--count', 'HEAD')}.{abbreviated}"
    tag, commits, _ = told.rsplit("-", 2)
    return tag[1:] if commits == "0" else f"{tag[1:]}+{commits}.{abbreviated}"


def _git(repository: Path, *words: str) -> str | None:
    """What git prints, without its last line end; None when there is none, or it fails."""
    # A hook of git's sets GIT_DIR and the like, which would lead to another repository.
    variables = process_environment.current()
    child = {name: text for name, text in variables.items() if not name.startswith("GIT_")}
    # Else `status` writes what it learned into the index, under a lock that others wait for.
    child["GIT_OPTIONAL_LOCKS"] = "0"
    try:
        ended = subprocess.run(
            ["git", *words], cwd=repository, env=child, capture_output=True, text=True, check=False
        )
    except OSError:  # Not installed, or not to be run.
        return None
    return ended.stdout.removesuffix("\n") if ended.returncode == 0 else None
