"""describe: the version that git tells, the same in every clone; a clear word where it cannot."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from delivery.releases.version import describe


@pytest.fixture
def repository(tmp_path):
    """A repository with one commit, and nothing of this machine's git configuration."""
    return Repository(tmp_path / "checkout")


class Repository:
    """A git repository, and what can be done to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit("one")

    def git(self, *words: str) -> str:
        who = ("-c", "user.name=a", "-c", "user.email=a@b")
        command = ["git", *who, *words]
        return subprocess.check_output(command, cwd=self.folder, text=True).strip()

    def commit(self, text: str) -> str:
        (self.folder / "file").write_text(text)
        self.git("add", "file")
        self.git("commit", "--quiet", "--message", text)
        return self.git("rev-parse", "HEAD")


def test_a_tagged_commit_is_that_version(repository):
    repository.git("tag", "v1.2.3")

    assert describe(repository.folder).name == "1.2.3"


def test_past_a_tag_the_version_says_how_far_and_where(repository):
    repository.git("tag", "v1.2.3-rc.1")
    repository.commit("two")
    commit = repository.commit("three")

    found = describe(repository.folder)

    assert (found.name, found.commit) == (f"1.2.3-rc.1+2.g{commit[:7]}", commit)


def test_before_the_first_tag_commits_are_counted(repository):
    repository.git("tag", "nightly")  # Not a version: it does not begin with v and a digit.
    commit = repository.commit("two")

    assert describe(repository.folder).name == f"0.0.0+2.g{commit[:7]}"


def test_how_long_this_clone_abbreviates_does_not_show(repository):
    repository.git("tag", "v1.0.0")
    repository.commit("two")
    before = describe(repository.folder)

    repository.git("config", "core.abbrev", "12")

    assert describe(repository.folder) == before


@pytest.mark.parametrize("file", ["file", "new"])
def test_a_changed_or_a_new_file_makes_it_dirty(repository, file):
    clean = describe(repository.folder).dirty

    (repository.folder / file).write_text("changed")

    assert (clean, describe(repository.folder).dirty) == (False, True)


def test_a_shallow_clone_says_that_it_cannot_count(repository, tmp_path):
    commit = repository.commit("two")
    address = repository.folder.as_uri()
    subprocess.run(["git", "clone", "--quiet", "--depth=1", address, tmp_path / "it"], check=True)

    found = describe(tmp_path / "it")

    assert (found.name, found.commit) == (f"0.0.0+shallow.g{commit[:7]}", commit)
    assert not found.dirty


def test_an_exported_tree_has_no_version_and_proves_nothing(tmp_path):
    found = describe(tmp_path)

    assert (found.name, found.commit, found.dirty) == ("0.0.0+no.git", "", True)


def test_a_tree_inside_another_repository_is_not_what_that_one_speaks_of(repository):
    exported = repository.folder / "build" / "exported"
    exported.mkdir(parents=True)

    assert describe(exported).name == "0.0.0+no.git"


def test_a_repository_without_a_commit_has_no_version(repository):
    repository.git("checkout", "--quiet", "--orphan", "empty")

    assert describe(repository.folder).name == "0.0.0+no.git"


def test_without_git_there_is_no_version(repository, monkeypatch):
    monkeypatch.setenv("PATH", os.devnull)

    assert describe(repository.folder).name == "0.0.0+no.git"


def test_a_git_hook_s_variables_do_not_lead_elsewhere(repository, tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))

    assert describe(repository.folder).commit != ""
