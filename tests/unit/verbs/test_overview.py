"""history, diff, status of all, release.notes: what is printed, and that it fits a terminal."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from delivery import state_bucket
from delivery.cloud import Cloud
from delivery.releases import history
from delivery.releases.history import Record
from verbs import overview, release

CONFIGURATION = """
project: {name: acme}
environments:
  dev: {type: development, account_id: "111111111111"}
  staging: {type: staging, account_id: "222222222222"}
  prod: {type: production, account_id: "333333333333"}
"""
ARN = "arn:aws:sts::111111111111:assumed-role/airbrew-prod-deployer/GitHubActions-1234567890"


@pytest.fixture
def clone(tmp_path):
    """A clone with one commit."""

    def git(*words):
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words]
        return subprocess.check_output(command, cwd=tmp_path, text=True).strip()

    git("init", "--quiet")
    for subject in ("Begin", "Go on"):
        (tmp_path / "CHANGELOG.md").write_text(f"### Added\n\n- {subject} well.\n")
        git("add", "CHANGELOG.md")
        git("commit", "--quiet", "--message", subject)
    return [git("rev-parse", "HEAD~1"), git("rev-parse", "HEAD")]


@pytest.fixture
def cloud(tmp_path, s3, clone, monkeypatch):
    """Three accounts behind one configuration; nothing is deployed in any."""
    (tmp_path / "airbrew.yaml").write_text(CONFIGURATION)
    monkeypatch.setattr("verbs.target.CONFIG_FILE", tmp_path / "airbrew.yaml")
    monkeypatch.setattr(
        "delivery.cloud.aws", lambda account, region, _: Cloud("AWS", account, region, {})
    )
    for module in (overview, release):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    return Cloud("AWS", "222222222222", "us-east-1", {})


def keep(cloud, number, outcome="succeeded", **more):
    bucket = state_bucket.name("acme", "staging", cloud.account_id)
    state_bucket.ensure(cloud, bucket)
    at = f"2026-11-24T16:3{number}:00Z"
    history.append(cloud, bucket, Record(number, "staging", outcome, "f" * 64, at, **more))


@pytest.fixture
def lived_in(cloud, clone):
    """Staging with a history: a release of long ago, one of today, a deploy that was undone."""
    release = {"id": "ab" * 32, "version": "1.0.0", "commit": clone[0], "dirty": False}
    keep(cloud, 1, seconds={"build": 1.25, "apply": 60.5}, artifacts={"layer": "1" * 64})
    keep(cloud, 2, by=ARN, release=release, rehearsal={"alias_seconds": 1.5, "seconds": 21.0})
    newer = release | {"id": "cd" * 32, "commit": clone[1], "dirty": True}
    keep(cloud, 3, by=ARN, release=newer, artifacts={"layer": "2" * 64})
    undone = {"to": "cd" * 32, "outcome": "succeeded", "alias_seconds": 0.84, "seconds": 30.02}
    error = "smoke test: the new version of orchestrator answers with an error, " + "long " * 20
    keep(cloud, 4, "failed", by=ARN, release=newer, error=error, rollback=undone)


def test_history_is_a_row_for_each_record_the_newest_first(inv, lived_in):
    ended = inv("history", "--env", "staging")

    lines = ended.out.splitlines()
    rows = [line.split()[0] for line in lines[2:] if not line.startswith(" ")]
    assert ended.code == 0
    assert rows == ["4", "3", "2", "1"]
    assert (
        "    rolled back to cdcdcdcdcdcd: succeeded, aliases after 0.8 s, all after 30.0 s" in lines
    )
    assert "    rollback rehearsed, aliases after 1.5 s, all after 21.0 s" in lines
    assert "    error: smoke test: the new version of orchestrator answers" in ended.out
    assert max(map(len, lines)) <= 100


def test_a_record_from_before_releases_is_shown_with_what_it_has(inv, lived_in):
    ended = inv("history", "--env", "staging", "--limit", "4")

    assert ended.out.splitlines()[-1].split() == [
        *("1", "2026-11-24", "16:31", "deploy", "succeeded", "-", "-", "61.8")
    ]


def test_history_as_json_is_limited_and_complete(inv, lived_in):
    ended = inv("history", "--env", "staging", "--limit", "2", "--json")

    found = json.loads(ended.out)
    assert [each["number"] for each in found] == [4, 3]
    assert found[0]["rollback"]["alias_seconds"] == 0.84


def test_history_of_nothing_says_so(inv, cloud):
    assert "nothing was ever deployed in prod\n" in inv("history", "--env", "prod").out


def test_diff_tells_what_differs_and_what_could_not_be_compared(inv, lived_in):
    ended = inv("diff", "--env", "staging", "--env", "prod")

    assert ended.code == 0
    assert re.search(r"^release +cdcdcdcdcdcd +-$", ended.out, re.MULTILINE)
    assert "components  staging       prod\nlayer       222222222222  -\n" in ended.out
    assert "\ntype " in ended.out
    assert "not compared: commits: a side is not deployed" in ended.out
    assert max(map(len, ended.out.splitlines())) <= 100


def test_diff_as_json_is_one_document(inv, lived_in):
    found = json.loads(inv("diff", "--env", "staging", "--env", "prod", "--json").out)

    assert found["environments"] == ["staging", "prod"]
    assert found["configuration"]["account_id"] == ["222222222222", "333333333333"]


@pytest.mark.parametrize("names", [(), ("dev",), ("dev", "prod", "staging")])
def test_diff_of_other_than_two_is_refused(inv, cloud, names):
    ended = inv("diff", *(word for name in names for word in ("--env", name)))

    assert ended.code == 2
    assert "two environments are compared" in ended.err


def test_status_of_all_is_one_table_and_names_what_is_not_deployed(inv, lived_in):
    ended = inv("status")

    header, *rows = ended.out.splitlines()
    assert ended.code == 0
    assert header.split() == ["dev", "staging", "prod"]
    assert rows[0].split() == ["state", "undeployed", "deployed", "undeployed"]
    assert rows[1].split() == ["release", "-", "cdcdcdcdcdcd", "-"]
    assert rows[4].split() == ["health", "-", "deploy", "4", "failed", "-"]
    assert "staging: deploy 4 failed, rolled back" in rows
    assert "dev: nothing was ever deployed" in rows


def test_status_of_all_as_json_has_one_entry_for_each(inv, lived_in):
    found = json.loads(inv("status", "--json").out)

    assert [each["environment"] for each in found] == ["dev", "staging", "prod"]
    assert found[1]["health"] == "deploy 4 failed, rolled back"


def test_notes_are_those_of_the_newest_release_of_an_environment(inv, lived_in):
    ended = inv("release.notes", "--env", "staging")

    assert ended.out.startswith("### Added\n\n- Go on well.\n\n### Commits (1)\n\n- ")
    assert ended.out.endswith(" Go on\n")


def test_notes_of_releases_that_are_named_and_of_git_alone_agree(inv, lived_in, clone):
    named = inv("release.notes", "--env", "staging", "--from", "abab", "--to", "cdcd")
    of_git = inv("release.notes", "--from", clone[0])

    assert named.out == of_git.out != ""


def test_notes_from_what_git_does_not_know_are_refused(inv, cloud):
    ended = inv("release.notes", "--from", "v9.9.9")

    assert ended.code == 2
    assert 'git does not know "v9.9.9"' in ended.err
