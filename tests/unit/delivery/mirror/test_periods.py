"""What the mirror did in a week: its syncs' reports, added up."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from delivery.cloud import Cloud
from delivery.errors import BadInput
from delivery.mirror import net_changes, periods

NOW = datetime(2026, 11, 25, 4, 17, tzinfo=UTC)
BUCKET = "acme-homebrew"
NOTHING = {"new": [], "updated": [], "removed": []}


@pytest.fixture
def cloud(s3):
    """An account with an empty mirror."""
    s3.create_bucket(Bucket=BUCKET)
    return Cloud("AWS", "123456789012", "us-east-1", variables={})


@pytest.fixture
def put(cloud):
    """Write a document of the mirror's."""

    def put(key, document):
        cloud.client("s3").put_object(Bucket=BUCKET, Key=key, Body=json.dumps(document).encode())

    return put


def published(sync, *, against=None, snapshot=None, changes=NOTHING, copied=0, **more):
    return {
        "sync": sync,
        "outcome": "published",
        "ended_at": sync,
        "answer": {"snapshot": snapshot or sync},
        "seconds": {"total": 12.0},
        "changes": {"against": against, **changes},
        "counts": {"copied": copied},
        "bytes": {"copied": copied * 1024},
        "retries": {"answered 503": 2},
        "failed": [],
        **more,
    }


def failed(sync, **more):
    words = {"error": "IncompleteSync", "problem": "1 of 2 is missing", "where": "s3://x"}
    return {"sync": sync, "outcome": "failed", "ended_at": sync, **words, "remedy": "again", **more}


def changed(new=(), updated=(), removed=()):
    return {
        "new": [{"formula": name, "version": version} for name, version in new],
        "updated": [{"formula": name, "from": a, "to": b} for name, a, b in updated],
        "removed": [{"formula": name, "version": version} for name, version in removed],
    }


def test_a_week_is_all_syncs_that_began_in_it_and_no_other(cloud, put):
    for sync in ("2026-11-18T041659Z", "2026-11-18T041700Z", "2026-11-25T030000Z"):
        put(f"syncs/{sync}/report.json", published(sync, copied=3))
        put(f"syncs/{sync}/plan/plan.json", {})
    put("syncs/2026-11-24T030000Z/plan/plan.json", {})
    put("syncs/lease.json", {})

    found = periods.of(cloud, BUCKET, 7, now=NOW)

    assert [each["sync"] for each in found.syncs] == ["2026-11-18T041700Z", "2026-11-25T030000Z"]
    assert found.unreported == ("2026-11-24T030000Z",)
    assert (found.copied, found.copied_bytes, found.retries) == (6, 6144, 4)
    assert (found.since, found.until) == ("2026-11-18T04:17:00Z", "2026-11-25T04:17:00Z")


def test_failed_syncs_are_told_with_what_to_do_and_those_without_news_are_counted(cloud, put):
    first, second, third = (f"2026-11-2{day}T030000Z" for day in (1, 2, 3))
    put(f"syncs/{first}/report.json", published(first, copied=1))
    put(f"syncs/{second}/report.json", failed(second))
    put(f"syncs/{third}/report.json", published(third, against=first, snapshot=first))

    told = periods.of(cloud, BUCKET, 7, now=NOW).as_json()

    assert told["counts"] == {
        "syncs": 3,
        "published": 2,
        "without_news": 1,
        "failed": 1,
        "unreported": 0,
        "copied": 1,
        "retries": 4,
    }
    assert told["syncs"][1]["remedy"] == "again"


def test_the_age_is_that_of_the_newest_snapshot_even_where_no_sync_has_begun(cloud, put):
    snapshot = {
        "id": "2026-11-15T041700Z",
        "created_at": "2026-11-15T04:17:00Z",
        "formulae": 1,
        "bottles": 1,
        "bytes": 1,
    }
    put("snapshots/2026-11-15T041700Z/snapshot.json", snapshot)

    found = periods.of(cloud, BUCKET, 7, now=NOW)

    assert (found.syncs, found.age_seconds) == ((), 10 * 86400)
    assert found.as_json()["snapshot"] == "2026-11-15T041700Z"


def test_a_bottle_that_could_not_be_had_is_told_as_open_until_a_sync_has_it(cloud, put):
    first, second, third = (f"2026-11-2{day}T030000Z" for day in (1, 2, 3))
    jq, git = ({"bottle": name, "error": "NotUpstream", "problem": "404"} for name in ("jq", "git"))
    put(f"syncs/{first}/report.json", failed(first, failed=[jq, git]))
    put(f"syncs/{second}/report.json", published(second, failed=[git]))
    # It had no plan, so that it says nothing of bottles.
    put(f"syncs/{third}/report.json", failed(third))

    found = periods.of(cloud, BUCKET, 7, now=NOW).troubles

    assert [(each.bottle, each.syncs, each.is_open) for each in found] == [
        ("git", 2, True),
        ("jq", 1, False),
    ]


@pytest.mark.parametrize("days", [-1, 0, 367])
def test_a_span_for_which_no_reports_are_kept_is_bad_input(cloud, days):
    with pytest.raises(BadInput, match=f"{days} is no number of days to report on"):
        periods.of(cloud, BUCKET, days)


def test_changes_of_several_syncs_are_told_as_one():
    found = net_changes.formulae(
        [
            {"changes": changed(new=[("jq", "1.8")], updated=[("git", "2.1", "2.2")])},
            {"outcome": "failed"},
            {"changes": changed(updated=[("jq", "1.8", "1.9"), ("git", "2.2", "2.3")])},
            {"changes": changed(new=[("wget", "1.0")], removed=[("curl", "8.0")])},
            {"changes": changed(removed=[("wget", "1.0")], updated=[("xz", "5.0", "5.0")])},
        ]
    )

    assert found == changed(
        new=[("jq", "1.9")],
        updated=[("git", "2.1", "2.3"), ("xz", "5.0", "5.0")],
        removed=[("curl", "8.0")],
    )


def test_casks_are_added_up_for_themselves():
    first = {"new": [{"cask": "zoom", "version": "6"}], "updated": [], "removed": []}
    later = {"new": [], "updated": [{"cask": "zoom", "from": "6", "to": "7"}], "removed": []}
    reports = [{"changes": {**NOTHING, "casks": each}} for each in (first, later)]

    assert net_changes.casks(reports)["new"] == [{"cask": "zoom", "version": "7"}]
    assert net_changes.formulae(reports) == NOTHING


HELD = some.dictionaries(some.sampled_from("abc"), some.sampled_from("123"))


def between(before, after):
    return changed(
        new=[(name, after[name]) for name in sorted(after.keys() - before.keys())],
        updated=[
            (name, before[name], after[name])
            for name in sorted(after.keys() & before.keys())
            if before[name] != after[name]
        ],
        removed=[(name, before[name]) for name in sorted(before.keys() - after.keys())],
    )


@given(some.lists(HELD, min_size=1, max_size=6))
def test_whatever_happened_in_between_the_sum_is_the_difference_of_the_ends(states):
    steps = [{"changes": between(a, b)} for a, b in pairwise(states)]

    assert net_changes.formulae(steps) == between(states[0], states[-1])
