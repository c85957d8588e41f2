"""report.json and report.html: what a sync did, what changed, and what to do when it failed."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta

import pytest

from mirror import changes, report_page, reports
from mirror.bottles import Bottle
from mirror.errors import IncompleteSync
from tests.unit.mirror.conftest import EXECUTION, NOW

WEEK = timedelta(days=7)


@pytest.fixture
def report(stored):
    """The report of a sync, by the moment that it began."""

    def read(moment=NOW):
        folder = moment.strftime("syncs/%Y-%m-%dT%H%M%SZ/")
        return json.loads(stored(folder)[f"{folder}report.json"])

    return read


@pytest.fixture
def page(stored):
    """The same as a page."""

    def read(moment=NOW):
        folder = moment.strftime("syncs/%Y-%m-%dT%H%M%SZ/")
        return stored(folder)[f"{folder}report.html"].decode()

    return read


def test_a_report_counts_what_was_brought_and_again_asked_for(upstream, sync, report):
    upstream.add("jq", {"arm64_tahoe": b"jq"})
    upstream.add("source-only", {})
    digest = hashlib.sha256(b"jq").hexdigest()
    upstream.first_answers[f"/storage/{digest}"] = [(503, {})]

    sync.run()

    told = report()
    assert told["counts"] == {
        "formulae": 2,
        "bottles": 1,
        "to_copy": 1,
        "copied": 1,
        "left": 0,
        "failed": 0,
        "without_bottle": 1,
    }
    assert told["bytes"] == {"snapshot": 2, "to_copy": 2, "copied": 2}
    assert told["retries"] == {"answered 503": 1}
    assert told["failures"] == {}
    assert told["seconds"].keys() == {"plan", "copy", "publish", "total"}
    assert [each["formula"] for each in told["without_bottle"]] == ["source-only"]


def test_a_report_says_what_is_different_from_the_snapshot_before(upstream, sync, report):
    for name in ("jq", "fzf", "wget"):
        upstream.add(name, {"arm64_tahoe": name.encode()})
    sync.run()
    upstream.add("jq", {"arm64_tahoe": b"jq 2"}, version="2.0", revision=1)
    upstream.add("git", {"arm64_tahoe": b"git"})
    del upstream.formulae["arm64_tahoe"]["wget"]
    upstream.sign_all()

    sync.run(execution="two", now=NOW + WEEK)

    assert report()["changes"]["against"] is None
    assert report(NOW + WEEK)["changes"] == {
        "against": "2026-11-22T030000Z",
        "new": [{"formula": "git", "version": "1.0"}],
        "updated": [{"formula": "jq", "from": "1.0", "to": "2.0_1"}],
        "removed": [{"formula": "wget", "version": "1.0"}],
    }


def test_a_sync_without_news_says_so(upstream, sync, report):
    upstream.add("jq", {"arm64_tahoe": b"jq"})
    sync.run()

    sync.run(execution="two", now=NOW + WEEK)

    told = report(NOW + WEEK)
    assert told["changes"] == {
        "against": "2026-11-22T030000Z",
        "new": [],
        "updated": [],
        "removed": [],
    }
    assert told["counts"]["copied"] == 0


def test_a_failed_sync_tells_causes_and_what_to_do(upstream, sync, report, page):
    upstream.add("jq", {"arm64_tahoe": b"jq"})
    upstream.add("fzf", {"arm64_tahoe": b"fzf"})
    upstream.blobs[hashlib.sha256(b"jq").hexdigest()].body = b"??"
    planned = sync.plan()
    sync.copy(planned)
    with pytest.raises(IncompleteSync) as failure:
        sync.publish(planned)
    # As Step Functions hands over what a Lambda raised.
    cause = json.dumps({"errorType": "IncompleteSync", "errorMessage": str(failure.value)})

    reports.report_failure(sync.connections.bucket, EXECUTION, "IncompleteSync", cause, now=NOW)

    told = report()
    assert told["outcome"] == "failed"
    assert told["problem"].startswith("1 of 2 bottles are missing: jq 1.0 arm64_tahoe")
    assert told["remedy"].startswith("nothing was published; run `inv mirror.sync` again")
    assert told["failures"] == {"DigestMismatch": 1}
    assert told["failed"][0]["error"] == "DigestMismatch"
    assert told["failed"][0]["problem"].startswith("upstream sent bytes whose SHA-256")
    assert told["counts"]["copied"] == 1
    assert "What to do" in page()
    assert "run `inv mirror.sync` again" in page()


def test_what_upstream_wrote_is_escaped_in_the_page():
    attack = "<script>alert(1)</script>"
    failed = [{"bottle": attack, "error": attack, "problem": attack}]
    page = report_page.page(
        {
            "sync": "2026-11-22T030000Z",
            "outcome": "failed",
            "ended_at": "2026-11-22T03:00:00Z",
            "error": attack,
            "problem": attack,
            "remedy": attack,
            "failed": failed,
            "too_large": [{"formula": attack, "tag": "all", "size_bytes": 1}],
        }
    )

    assert page.count("&lt;script&gt;") == 7
    assert "<script" not in page


def test_the_page_calls_other_bottles_of_the_same_version_no_update():
    changed = {"formula": "openssl@3", "from": "3.6.0", "to": "3.6.0"}
    changes = {"against": "2026-11-15T030000Z", "new": [], "updated": [changed], "removed": []}

    page = report_page.page(
        {
            "sync": "2026-11-22T030000Z",
            "outcome": "published",
            "ended_at": "2026-11-22T03:00:00Z",
            "changes": changes,
        }
    )

    assert "<td>other bottles</td>" in page
    assert "<td>updated</td>" not in page


def test_a_long_list_ends_with_how_much_more_there_is():
    failed = [{"bottle": f"b{at}", "error": "x", "problem": "y"} for at in range(300)]
    head = {"sync": "s", "outcome": "published", "ended_at": "2026-11-22T03:00:00Z"}

    page = report_page.page({**head, "failed": failed})

    assert "and 100 more" in page
    assert "b299" not in page


def test_a_bottle_rebuilt_under_the_same_version_counts_as_updated():
    one = Bottle("jq", "1.8", 0, "arm64_tahoe", "0" * 64, 1)
    other = Bottle("jq", "1.8", 0, "arm64_tahoe", "1" * 64, 1)

    assert changes.between([one], [other])["updated"] == [
        {"formula": "jq", "from": "1.8", "to": "1.8"}
    ]
