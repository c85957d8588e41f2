"""What is new between two releases, from the changelog and the commits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from delivery.errors import BadInput
from delivery.releases import commits
from delivery.releases.commits import Commit
from delivery.releases.history import Record

CHANGELOG = "CHANGELOG.md"
BEFORE_ALL = ""  # Where there is no release before, everything is new.


@dataclass(frozen=True)
class Notes:
    """What came after `older` (a commit; empty: the beginning) up to `newer`.

    `changes` are (heading, entries) as the changelog has them now and had not then.
    """

    older: str
    newer: str
    changes: Sequence[tuple[str, Sequence[str]]]
    commits: Sequence[Commit]


def between(repository: Path, older: str, newer: str) -> Notes:
    """The notes from one commit to another.

    Args:
        older: a commit, tag or branch; empty for everything.

    Raises:
        BadInput: the clone does not hold one of them.
    """
    newer = commits.resolved(repository, newer)
    older = commits.resolved(repository, older) if older else BEFORE_ALL
    before = commits.file_at(repository, older, CHANGELOG) if older else ""
    known = {entry for _, entries in _sections(before) for entry in entries}
    sections = _sections(commits.file_at(repository, newer, CHANGELOG))
    return Notes(older, newer, _new(sections, known), _commits(repository, older, newer))


def deployed(records: Iterable[Record], name: str) -> str:
    """The commit of a release that the environment's history knows, else `name` itself.

    Args:
        records: the environment's, the newest first.
        name: a version, or the beginning of a release's id.
    """
    for record in records:
        release = record.release
        if name == release.get("version") or str(release.get("id", "")).startswith(name):
            return str(release["commit"])
    return name


def newest_two(records: Iterable[Record], where: str) -> tuple[str, str]:
    """The commits of the release before and of the one in service; the first may be empty.

    Raises:
        BadInput: nothing is deployed there whose commit is known.
    """
    found: list[str] = []
    for record in records:
        commit = str(record.release.get("commit", ""))
        if record.outcome == "succeeded" and commit and commit not in found:
            found.append(commit)
        if len(found) == 2:
            return found[1], found[0]
    if not found:
        raise BadInput(
            "no release with a known commit is deployed there",
            where=where,
            remedy="name two releases or commits with --from and --to",
        )
    return BEFORE_ALL, found[0]


def _commits(repository: Path, older: str, newer: str) -> list[Commit]:
    return commits.between(repository, older, newer) if older else commits.upto(repository, newer)


def _new(
    sections: Sequence[tuple[str, Sequence[str]]], known: set[str]
) -> list[tuple[str, list[str]]]:
    """The entries that were not there, headings of the same name together."""
    found: dict[str, list[str]] = {}
    for heading, entries in sections:
        for entry in entries:
            if entry not in known and entry not in found.get(heading, ()):
                found.setdefault(heading, []).append(entry)
    return list(found.items())


def _sections(changelog: str) -> list[tuple[str, list[str]]]:
    """``### Added`` and the like, with their entries; a wrapped entry is one."""
    found: list[tuple[str, list[str]]] = []
    for line in changelog.splitlines():
        if line.startswith("### "):
            found.append((line[4:].strip(), []))
        elif line.startswith("- ") and found:
            found[-1][1].append(line[2:].strip())
        elif line.startswith("  ") and found and found[-1][1]:
            found[-1][1][-1] += f" {line.strip()}"
    return found
