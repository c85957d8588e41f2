"""Release notes: what the changelog and git hold at the newer release and not at the older."""

from __future__ import annotations

import subprocess

import pytest

from delivery.errors import BadInput
from delivery.releases import commits, notes
from delivery.releases.history import Record

BEFORE = "# Changelog\n\n## Unreleased\n\n### Added\n\n- A thing.\n"
AFTER = """\
# Changelog

## Unreleased

### Added

- A thing.
- Another thing,
  in two lines.

### Fixed

- A flaw.
"""


@pytest.fixture
def clone(tmp_path):
    """A clone: a version with one thing, then two commits, and its commits' ids."""

    def git(*words):
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words]
        return subprocess.check_output(command, cwd=tmp_path, text=True).strip()

    git("init", "--quiet")
    ids = []
    for subject, text in (("one", BEFORE), ("two", AFTER), ("three", AFTER + "\n")):
        (tmp_path / "CHANGELOG.md").write_text(text)
        git("add", "CHANGELOG.md")
        git("commit", "--quiet", "--message", subject)
        ids.append(git("rev-parse", "HEAD"))
    git("tag", "v1.0.0", ids[0])
    return tmp_path, ids


def record(number, commit, outcome="succeeded"):
    release = {"id": f"{number}" * 64, "version": f"1.{number}.0", "commit": commit}
    at = "2026-11-24T16:30:00Z"
    return Record(number, "dev", outcome, "f" * 64, at, release=release if commit else {})


def test_only_what_is_new_is_told_and_a_wrapped_entry_is_one(clone):
    folder, (first, second, _) = clone

    found = notes.between(folder, first, second)

    assert found.changes == [("Added", ["Another thing, in two lines."]), ("Fixed", ["A flaw."])]
    assert [commit.subject for commit in found.commits] == ["two"]


def test_without_a_release_before_everything_is_new(clone):
    folder, (_, _, third) = clone

    found = notes.between(folder, "", third)

    assert found.changes[0] == ("Added", ["A thing.", "Another thing, in two lines."])
    assert [commit.subject for commit in found.commits] == ["three", "two", "one"]


def test_the_nearest_tag_before_is_found_and_a_tag_itself_is_not_before_it(clone):
    folder, (first, _, third) = clone

    assert commits.newest_tag(folder, third) == "v1.0.0"
    assert commits.newest_tag(folder, first) == ""


@pytest.mark.parametrize("name", ["no-such-tag", "--output=file", "0" * 40])
def test_a_name_that_git_does_not_know_is_refused(clone, name):
    with pytest.raises(BadInput, match="git does not know"):
        notes.between(clone[0], "", name)


def test_a_release_is_found_by_its_version_or_the_beginning_of_its_id():
    records = [record(2, "b" * 40), record(1, "a" * 40), record(3, "")]

    assert notes.deployed(records, "1.1.0") == "a" * 40
    assert notes.deployed(records, "222222") == "b" * 40
    assert notes.deployed(records, "v9") == "v9"


def test_the_two_newest_releases_that_succeeded_are_taken():
    records = [
        record(5, "e" * 40, "failed"),
        record(4, "d" * 40),
        record(3, "d" * 40),
        record(2, ""),
        record(1, "a" * 40),
    ]

    assert notes.newest_two(records, "here") == ("a" * 40, "d" * 40)
    assert notes.newest_two(records[1:3], "here") == ("", "d" * 40)


def test_where_no_release_is_known_it_says_how_to_name_one():
    with pytest.raises(BadInput, match=r"no release with a known commit(.|\n)*--from and --to"):
        notes.newest_two([record(1, "")], "here")
