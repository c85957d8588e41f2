"""compare: releases, commits, components, settings and Terraform files that differ, no others."""

from __future__ import annotations

import io
import subprocess
import zipfile

import pytest

from delivery import comparison
from delivery.comparison import Side
from delivery.config import effective, loading
from delivery.releases import history
from delivery.releases.history import Record

CONFIGURATION = """
project: {name: acme}
environments:
  dev: {type: development}
  staging: {type: staging, functions: {orchestrator: {timeout_seconds: 600}}}
  prod: {type: staging}
"""


@pytest.fixture
def sides(tmp_path, cloud, s3):
    """Staging and prod of one account, each with a state bucket and nothing in it."""
    file = tmp_path / "airbrew.yaml"
    file.write_text(CONFIGURATION)
    found = [
        Side(effective.effective(loading.load(file), name), cloud) for name in ("staging", "prod")
    ]
    for side in found:
        s3.create_bucket(Bucket=side.bucket)
    return found


@pytest.fixture
def repository(tmp_path):
    """A clone with three commits, whose ids it knows."""
    folder = tmp_path / "clone"
    folder.mkdir()

    def git(*words):
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words]
        return subprocess.check_output(command, cwd=folder, text=True).strip()

    git("init", "--quiet")
    commits = []
    for subject in ("one", "two", "three"):
        git("commit", "--quiet", "--allow-empty", "--message", subject)
        commits.append(git("rev-parse", "HEAD"))
    return folder, commits


def deployed(side, *, commit="", number=1, outcome="succeeded", **artifacts):
    release = {"id": 64 * "a", "version": "1", "commit": commit, "dirty": False} if commit else {}
    record = Record(
        *(number, side.environment.name, outcome, "f" * 64, "2026-11-24T16:30:00Z"),
        artifacts=artifacts,
        release=release,
    )
    history.append(side.cloud, side.bucket, record)


def keep_tree(side, digest, **files):
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as tree:
        for name, text in files.items():
            tree.writestr(f"{name}.tf", text)
    side.cloud.client("s3").put_object(
        Bucket=side.bucket, Key=f"artifacts/terraform/{digest}.zip", Body=body.getvalue()
    )


def test_the_commits_that_only_one_side_holds_are_named(sides, repository):
    staging, prod = sides
    folder, (first, _, third) = repository
    deployed(staging, commit=third)
    deployed(prod, commit=first)

    found = comparison.compare(staging, prod, folder)

    assert [commit.subject for commit in found.only_left] == ["three", "two"]
    assert found.only_right == []
    assert found.unknown == []


def test_only_components_that_differ_are_named_with_both_digests(sides, repository):
    staging, prod = sides
    deployed(staging, layer="1" * 64, orchestrator="2" * 64)
    deployed(prod, layer="1" * 64, orchestrator="3" * 64)

    found = comparison.compare(staging, prod, repository[0])

    assert found.components == {"orchestrator": ("2" * 64, "3" * 64)}


def test_settings_that_differ_have_a_dotted_path_and_both_values(sides, repository):
    found = comparison.compare(*sides, repository[0])

    ((path, (left, right)),) = found.configuration.items()
    assert (path, left) == ("functions.orchestrator.timeout_seconds", 600)
    assert right != 600


def test_files_of_the_terraform_tree_that_differ_are_named(sides, repository):
    for side, digest, text in zip(sides, ("4" * 64, "5" * 64), ("a", "b"), strict=True):
        deployed(side, terraform=digest)
        keep_tree(side, digest, main="same", variables=text)

    found = comparison.compare(*sides, repository[0])

    assert found.terraform_files == ["variables.tf"]


def test_what_was_put_right_after_a_failure_is_compared_not_the_failure(sides, repository):
    staging, prod = sides
    deployed(staging, layer="1" * 64)
    deployed(staging, number=2, outcome="failed", layer="9" * 64)
    deployed(prod, layer="1" * 64)

    assert comparison.compare(staging, prod, repository[0]).components == {}


def test_what_cannot_be_compared_is_said(sides, repository):
    staging, prod = sides
    deployed(staging, commit=64 * "0", terraform="4" * 64)

    of_one = comparison.compare(staging, prod, repository[0])
    deployed(prod, commit=40 * "1")
    of_both = comparison.compare(staging, prod, repository[0])

    assert of_one.releases[1] is None
    assert "commits: a side is not deployed, or its record names none" in of_one.unknown
    assert "Terraform tree: a side has none in its state bucket" in of_one.unknown
    assert any("git does not know" in each for each in of_both.unknown)
