"""Which suites a change needs: never too few, and never none."""

from __future__ import annotations

import subprocess

import pytest

from delivery.ci import changes

EVERYTHING = changes.ALL_SUITES


@pytest.fixture
def repository(tmp_path):
    """A repository with one commit; `commit` adds files in another."""

    def git(*words):
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        subprocess.run(["git", *identity, *words], cwd=tmp_path, check=True, capture_output=True)

    def commit(*paths):
        for path in paths:
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text("changed")
        git("add", "-A")
        git("commit", "-q", "--allow-empty", "-m", "change")

    git("init", "-q", "-b", "main")
    commit("README.md")
    commit.root = tmp_path
    return commit


@pytest.mark.parametrize(
    ("path", "components", "suites"),
    [
        ("lambdas/mirror/keys.py", ("mirror",), EVERYTHING),
        ("delivery/paths.py", ("delivery",), EVERYTHING),
        ("terraform/modules/storage/main.tf", ("terraform",), EVERYTHING),
        ("tests/unit/test_repository.py", ("tests",), EVERYTHING),
        (".github/workflows/cicd.yml", ("pipeline",), ("lint", "unit", "security", "e2e")),
        ("docs/how-to/set-up-ci.md", ("docs",), ("lint", "unit", "security")),
        ("docs/tutorial/first-mirror.md", ("delivery", "docs"), EVERYTHING),
    ],
)
def test_a_file_s_component_says_which_suites_are_needed(repository, path, components, suites):
    repository(path)

    found = changes.since(repository.root, "HEAD~1")

    assert (found.components, found.suites) == (components, suites)


@pytest.mark.parametrize("path", ["pyproject.toml", "noxfile.py", "requirements/desk.txt", "new"])
def test_a_file_of_no_component_is_of_all(repository, path):
    repository("docs/page.md", path)

    assert changes.since(repository.root, "HEAD~1").suites == EVERYTHING


@pytest.mark.parametrize("base", ["", "f" * 40, "no-such-branch", "--output=x"])
def test_what_cannot_be_compared_counts_as_changed(repository, base):
    assert changes.since(repository.root, base).suites == EVERYTHING


def test_a_commit_that_changes_nothing_still_has_a_suite(repository):
    repository()

    found = changes.since(repository.root, "HEAD~1")

    assert (found.components, found.suites) == ((), ("lint",))


def test_what_the_other_side_changed_since_is_not_ours(repository):
    git = ["git", "-C", str(repository.root)]
    subprocess.run([*git, "checkout", "-q", "-b", "ours"], check=True)
    repository("docs/page.md")
    subprocess.run([*git, "checkout", "-q", "main"], check=True)
    repository("lambdas/mirror/keys.py")
    subprocess.run([*git, "checkout", "-q", "ours"], check=True)

    assert changes.since(repository.root, "main").components == ("docs",)


def test_a_renamed_file_is_of_both_its_components(repository):
    repository("lambdas/a.py")
    git = ["git", "-C", str(repository.root)]
    subprocess.run([*git, "mv", "lambdas/a.py", "docs_a.md"], check=True)
    repository()

    assert changes.since(repository.root, "HEAD~1").components == ("mirror", "docs")
