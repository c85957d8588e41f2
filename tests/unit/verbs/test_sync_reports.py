"""mirror.report: what the mirror wrote about a sync, as a person reads it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from delivery.deploy import deployment
from delivery.errors import SyncFailed
from mirror import lease, reports
from mirror.bottles import Bottle
from mirror.bucket import Bucket
from mirror.plans import Account, Plan
from tests.doubles.stand import Stand
from verbs.sync_reports import pointing_to_report

NOW = datetime(2026, 11, 22, 3, 0, 0, tzinfo=UTC)
SYNC = "2026-11-22T030000Z"
CAUSE = "1 of 2 bottles are missing: jq\n  where: s3://mirror/x\n  next:  run it again"


@pytest.fixture
def bucket(inv, tmp_path, mirror, public_key_pem, monkeypatch, s3):
    """The mirror's own half, on the bucket of an environment that is deployed."""
    stand = Stand(tmp_path, public_key_pem)
    monkeypatch.setattr("verbs.target.CONFIG_FILE", tmp_path / "airbrew.yaml")
    monkeypatch.setattr("delivery.cloud.aws", lambda *_: stand.cloud)
    monkeypatch.setattr(deployment, "Checkout", lambda: stand.checkout)
    assert inv("deploy", "--env", "dev").code == 0
    return Bucket(s3, mirror)


def plan(**more):
    bottle = Bottle("jq", "1.8.1", 0, "arm64_tahoe", "0" * 64, 2048)
    account = Account(NOW.timestamp(), 1.5, 2048, {"answered 503": 2})
    lacking = ({"formula": "xcodes", "platform": "arm64_tahoe", "problem": "none was built"},)
    fixed = {"manifests": (), "failed": (), "api_files": {}, "without_bottle": lacking}
    return Plan(SYNC, {}, formulae=2, bottles=(bottle,), to_copy=1, account=account, **fixed | more)


def publish(bucket, changes):
    seconds = {"plan": 1.5, "copy": 10.0, "publish": 0.5, "total": 12.0}
    bucket.write_json(f"syncs/{SYNC}/results/00000.json", {"copied": 1, "bytes": 2048})
    reports.write_published(bucket, plan(), {}, seconds=seconds, changes=changes, now=NOW)


CHANGES = {
    "against": "2026-11-15T030000Z",
    "new": [{"formula": "jq", "version": "1.8.1"}],
    "updated": [{"formula": "git", "from": "2.54", "to": "2.55"}],
    "removed": [{"formula": "wget", "version": "1.25"}],
}


def test_a_published_sync_tells_what_it_brought_and_what_changed(inv, bucket):
    publish(bucket, CHANGES)

    ended = inv("mirror.report", "--env", "dev")

    assert ended.code == 0
    assert f"sync {SYNC}: published, 2026-11-22T03:00:00Z\n" in ended.out
    assert "copied    1 of 1, 2.0 KiB\n" in ended.out
    assert "seconds   plan 1.5, copy 10.0, publish 0.5, total 12.0\n" in ended.out
    assert "retries   answered 503 2\n" in ended.out
    assert "  + jq 1.8.1\n  ~ git 2.54 -> 2.55\n  - wget 1.25\n" in ended.out
    assert "  xcodes on arm64_tahoe: none was built\n" in ended.out


def test_what_is_larger_than_the_limit_is_told_with_its_size(inv, bucket):
    large = Bottle("llvm", "21.1.0", 0, "arm64_tahoe", "1" * 64, 3 * 2**20)
    reports.write_published(
        bucket, plan(too_large=(large,)), {}, seconds={}, changes=CHANGES, now=NOW
    )

    ended = inv("mirror.report", "--env", "dev")

    assert "left out, larger than selection.max_bottle_mib: 1\n" in ended.out
    assert "  llvm 21.1.0 arm64_tahoe: 3.0 MiB\n" in ended.out


def test_changed_casks_are_told_beside_the_formulae(inv, bucket):
    casks = {
        "new": [{"cask": "code", "version": "1.9"}],
        "updated": [{"cask": "firefox", "from": "144.0", "to": "145.0"}],
        "removed": [{"cask": "zoom", "version": "6.1"}],
    }
    publish(bucket, CHANGES | {"casks": casks})

    ended = inv("mirror.report", "--env", "dev")

    assert "casks against 2026-11-15T030000Z: 1 new, 1 updated, 1 removed\n" in ended.out
    assert "  + code 1.9\n  ~ firefox 144.0 -> 145.0\n  - zoom 6.1\n" in ended.out


def test_other_files_of_the_same_version_are_no_update_to_itself(inv, bucket):
    same = {"from": "3.6.0", "to": "3.6.0"}
    casks = {"new": [], "updated": [{"cask": "firefox", **same}], "removed": []}
    updated = [{"formula": "openssl@3", **same}]
    publish(bucket, CHANGES | {"updated": updated, "casks": casks})

    ended = inv("mirror.report", "--env", "dev")

    assert "  ~ openssl@3 3.6.0, other bottles\n" in ended.out
    assert "  ~ firefox 3.6.0, another file\n" in ended.out


def test_casks_of_a_first_snapshot_and_unchanged_ones_are_told_apart(inv, bucket):
    none = {"new": [], "updated": [], "removed": []}
    publish(
        bucket,
        none | {"against": None, "casks": none | {"new": [{"cask": "code", "version": "1"}]}},
    )
    first = inv("mirror.report", "--env", "dev").out
    publish(bucket, CHANGES | {"casks": none})

    later = inv("mirror.report", "--env", "dev").out

    assert "the first snapshot: 1 cask\n" in first
    assert "no cask changed since 2026-11-15T030000Z\n" in later


def test_the_page_is_written_to_a_file(inv, bucket, tmp_path):
    publish(bucket, CHANGES | {"new": [{"formula": "<script>", "version": "1"}]})
    file = tmp_path / "report.html"

    ended = inv("mirror.report", "--env", "dev", "--html", str(file))

    page = file.read_text()
    assert ended.code == 0
    assert "<!doctype html>" in page
    assert "&lt;script&gt;" in page
    assert "<script" not in page


def test_a_failed_sync_tells_what_to_do_and_how_far_it_came(inv, bucket):
    lease.acquire(bucket, "one", lambda _: True, NOW)
    problem = {"bottle": "jq 1.8.1 arm64_tahoe", "error": "NotUpstream", "problem": "404"}
    plan(failed=(problem,)).write(bucket)
    reports.report_failure(bucket, "one", "IncompleteSync", CAUSE, now=NOW)

    ended = inv("mirror.report", "--env", "dev", "--sync", SYNC)

    assert f"sync {SYNC}: failed" in ended.out
    assert "problem   1 of 2 bottles are missing: jq\n" in ended.out
    assert "next      run it again\n" in ended.out
    assert "failures  NotUpstream 1\n" in ended.out
    assert "  jq 1.8.1 arm64_tahoe: NotUpstream: 404\n" in ended.out


def test_a_sync_that_failed_before_it_had_a_plan_is_reported_as_well(inv, bucket, capsys):
    lease.acquire(bucket, "one", lambda _: True, NOW)
    reports.report_failure(bucket, "one", "States.Timeout", "too slow", now=NOW)
    capsys.readouterr()  # The mirror's own log line.

    ended = inv("mirror.report", "--env", "dev", "--json")

    document = json.loads(ended.out)
    assert document["error"] == "States.Timeout"
    assert document["remedy"].startswith("mend what the problem names")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "no sync has ended yet"),
        (("--sync", "yesterday"), '"yesterday" is not the id of a sync'),
        (("--sync", SYNC), f'the sync "{SYNC}" wrote no report'),
    ],
)
def test_a_report_that_is_not_there_is_bad_input(inv, bucket, words, told):
    ended = inv("mirror.report", "--env", "dev", *words)

    assert ended.code == 2
    assert told in ended.err


def test_a_report_without_a_page_says_so(inv, bucket):
    bucket.write_json(f"syncs/{SYNC}/report.json", {"outcome": "failed", "ended_at": "now"})

    ended = inv("mirror.report", "--env", "dev", "--html", "x.html")

    assert ended.code == 2
    assert f'the sync "{SYNC}" wrote no page' in ended.err


def test_a_sync_that_fails_points_to_its_report(capsys):
    error = SyncFailed("it failed", where="x", remedy="y")

    with pytest.raises(SyncFailed), pointing_to_report("dev"):
        raise error

    assert capsys.readouterr().err == "report: inv mirror.report --env dev\n"


def test_a_page_that_cannot_be_written_is_told_and_nothing_of_the_report_shown(
    inv, bucket, tmp_path
):
    publish(bucket, CHANGES)

    ended = inv("mirror.report", "--env", "dev", "--html", str(tmp_path / "nowhere" / "r.html"))

    assert ended.code == 2
    assert 'nowhere/r.html" cannot be written: No such file or directory' in ended.err
    assert f"sync {SYNC}" not in ended.out


def test_the_days_of_a_mirror_are_told_together(inv, bucket, tmp_path):
    today, changes = datetime.now(UTC), CHANGES | {"new": [{"formula": "<script>", "version": "1"}]}
    before = replace(plan(), sync=(today - timedelta(days=2)).strftime("%Y-%m-%dT%H%M%SZ"))
    bucket.write_json(f"syncs/{before.sync}/results/00000.json", {"copied": 1, "bytes": 2048})
    reports.write_published(bucket, before, {}, seconds={"total": 1.0}, changes=changes, now=today)
    lease.acquire(bucket, "one", lambda _: True, today)
    reports.report_failure(bucket, "one", "IncompleteSync", CAUSE, now=today)
    file = tmp_path / "week.html"

    ended = inv("mirror.report", "--env", "dev", "--days", "7", "--html", str(file))

    assert ended.code == 0
    assert "2 syncs, 1 published, 1 failed\n" in ended.out
    assert "brought          1 file, 2.0 KiB\n" in ended.out
    assert "  next: run it again\n" in ended.out
    assert "formulae: 1 new, 1 updated, 1 removed\n" in ended.out
    assert "  ~ git 2.54 -> 2.55\n" in ended.out
    page = file.read_text()
    assert "Syncs that failed: 1" in page
    assert "2.54 → 2.55" in page
    assert "&lt;script&gt;" in page
    assert "<script" not in page


def test_days_without_any_sync_are_told_and_are_no_error(inv, bucket):
    ended = inv("mirror.report", "--env", "dev", "--days", "7", "--json")

    document = json.loads(ended.out)
    assert ended.code == 0
    assert (document["counts"]["syncs"], document["syncs"]) == (0, [])
    # The deploy of the double has published one, whenever that was.
    assert document["freshness_seconds"] > 0


def test_a_report_is_of_one_sync_or_of_days_and_not_of_both(inv, bucket):
    ended = inv("mirror.report", "--env", "dev", "--days", "7", "--sync", SYNC)

    assert ended.code == 2
    assert "a report is of one sync or of some days" in ended.err
