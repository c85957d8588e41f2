"""retention: what is kept and why, what goes and when, and that nothing served loses a byte."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from mirror import channels, retention
from mirror.errors import DamagedRecord
from mirror.settings import Channels
from tests.unit.mirror.conftest import NOW, Killed

V2 = "v2/homebrew/core/jq"
WEEK = timedelta(days=7)
FIRST, SECOND, THIRD, FOURTH = (
    f"2026-{day}T030000Z" for day in ("11-22", "11-29", "12-06", "12-13")
)
END = NOW + 4 * WEEK


@pytest.fixture
def four(upstream, sync, retaining):
    """Four snapshots, a week apart, each with another version of jq; kept: the newest, 3 days."""
    for week in range(4):
        upstream.add("jq", {"arm64_tahoe": b"jq %d" % week}, version=f"1.{week}")
        sync.run(execution=f"week {week}", now=NOW + week * WEEK)
    return retaining(sync.connections, keep_snapshots=1, keep_days=3, grace_days=14)


def collect(connections, now):
    found = retention.find(connections, now)
    retention.carry_out(connections.bucket, found, "2027-01-01T000000Z")
    return found


def test_each_kept_snapshot_is_kept_for_a_reason(four, retaining):
    channels.rollback(four, "default", SECOND, END, dry_run=False)

    assert retention.find(four, END).kept == {
        FIRST: "the one before what api/ serves",
        SECOND: "served as api/",
        FOURTH: "one of the newest 1",
    }
    young = retaining(four, keep_snapshots=1, keep_days=15)
    assert retention.find(young, END).kept[THIRD] == "younger than 15 days"


def test_what_one_channel_serves_is_not_told_as_the_one_before_another(four):
    settings = replace(four.settings, channels=Channels(("canary", "stable"), followed="stable"))
    connections = four.with_settings(settings)
    for channel, snapshot in (("canary", FOURTH), ("stable", THIRD)):
        channels.promote(connections, channel, snapshot, END, dry_run=False)

    assert retention.find(connections, END).kept == {
        SECOND: "the one before what api/ serves",
        THIRD: "served as api/",
        FOURTH: 'served as "canary"',
    }


def test_looking_changes_nothing(four, stored):
    before = stored()

    found = retention.find(four, END)

    assert found.dropped == [FIRST, SECOND]
    assert stored() == before


def test_a_bottle_goes_after_its_grace_and_not_before(four, stored):
    first = collect(four, END)
    early = collect(four, END + timedelta(days=13))
    there = stored(V2)
    late = collect(four, END + timedelta(days=14))

    assert (len(first.due), len(first.waiting)) == (0, 4)
    assert (len(early.due), len(late.due), late.as_answer()["bytes"]) == (
        0,
        4,
        sum(late.due.values()),
    )
    assert len(there) == 8
    assert set(stored(f"{V2}/blobs/").values()) == {b"jq 2", b"jq 3"}
    assert sorted(stored(f"{V2}/manifests/")) == [f"{V2}/manifests/1.2", f"{V2}/manifests/1.3"]


def test_a_dropped_snapshot_goes_at_once_and_leaves_its_document(four, stored):
    before = stored(f"snapshots/{FIRST}/")

    collect(four, END)

    assert not stored(f"snapshots/{FIRST}/")
    kept = stored("retention/snapshots/")[f"retention/snapshots/{FIRST}.json"]
    assert kept == before[f"snapshots/{FIRST}/snapshot.json"]


def test_a_version_that_comes_back_during_its_grace_begins_it_anew(four, upstream, sync, stored):
    collect(four, END)
    del upstream.formulae["arm64_tahoe"]["jq"]
    upstream.add("jq", {"arm64_tahoe": b"jq 0"}, version="1.0")
    sync.run(execution="back", now=END + WEEK)
    for week in (2, 3):
        upstream.add("jq", {"arm64_tahoe": b"later %d" % week}, version=f"2.{week}")
        sync.run(execution=f"gone {week}", now=END + week * WEEK)

    found = collect(four, END + 5 * WEEK)

    blobs = {body: key for key, body in stored(f"{V2}/blobs/").items()}
    assert found.waiting[blobs[b"jq 0"]] == END + 5 * WEEK
    assert b"jq 1" not in blobs


def test_a_list_of_what_waits_that_was_spoilt_only_makes_all_wait_anew(four, s3):
    collect(four, END)
    s3.put_object(Bucket="mirror", Key="retention/unreferenced.json", Body=b'{"never": 1}')

    found = retention.find(four, END + 3 * WEEK)

    assert not found.due
    assert len(found.waiting) == 4


@pytest.mark.parametrize("body", [b"[]", b"{"], ids=["emptied", "cut"])
def test_a_kept_snapshot_whose_bottles_cannot_be_trusted_stops_the_collection(
    four, s3, stored, body
):
    s3.put_object(Bucket="mirror", Key=f"snapshots/{FOURTH}/bottles.json", Body=body)
    before = stored()

    with pytest.raises(DamagedRecord, match=r"not the file that snapshot\.json names"):
        collect(four, END)

    assert stored() == before


def test_what_a_sync_left_goes_when_it_is_old_and_the_report_stays_with_its_snapshot(four, stored):
    collect(four, END)

    syncs = {key.split("/")[1] for key in stored("syncs/")} - {"lease.json"}
    assert syncs == {THIRD, FOURTH}
    reports = [f"syncs/{THIRD}/report.html", f"syncs/{THIRD}/report.json"]
    assert list(stored(f"syncs/{THIRD}/")) == reports
    assert f"syncs/{FOURTH}/plan/plan.json" in stored("syncs/")


def test_a_publish_that_was_never_finished_goes_when_it_is_old(four, s3, stored):
    for snapshot in ("2026-11-25T030000Z", "2026-12-19T030000Z"):
        s3.put_object(Bucket="mirror", Key=f"snapshots/{snapshot}/bottles.json", Body=b"[]")

    collect(four, END)

    assert not stored("snapshots/2026-11-25T030000Z/")
    assert stored("snapshots/2026-12-19T030000Z/")


def test_an_api_file_that_the_served_snapshot_does_not_have_goes_before_any_bottle(
    four, s3, stored
):
    s3.put_object(Bucket="mirror", Key="api/internal/packages.sonoma.jws.json", Body=b"old")

    found = collect(four, END)

    assert found.unserved == ["api/internal/packages.sonoma.jws.json"]
    assert list(stored("api/")) == ["api/internal/packages.arm64_tahoe.jws.json"]


def test_while_a_channel_is_half_moved_no_bottle_goes(four, before_each_write, stored):
    collect(four, END)
    writes = []

    def kill():
        writes.append(None)
        if len(writes) == 2:
            raise Killed

    stop = before_each_write(kill)
    with pytest.raises(Killed):
        channels.rollback(four, "default", THIRD, END, dry_run=False)
    stop()

    found = collect(four, END + 3 * WEEK)

    assert (found.moving, found.due) == (["default"], {})
    assert THIRD in found.kept
    assert len(stored(V2)) == 8


def test_a_collection_that_was_killed_anywhere_ends_well_when_it_is_run_again(
    four, before_each_write, stored
):
    collect(four, END)
    later = END + 3 * WEEK
    for killed_at in itertools.count(1):
        writes: list[None] = []

        def kill(limit=killed_at, writes=writes):
            writes.append(None)
            if len(writes) == limit:
                raise Killed

        stop = before_each_write(kill)
        try:
            collect(four, later)
            break
        except Killed:
            channels.rollback(four, "default", FOURTH, later, dry_run=True)  # All is there.
        finally:
            stop()
        later += timedelta(days=15)

    collect(four, later + timedelta(days=15))
    assert set(stored(f"{V2}/blobs/").values()) == {b"jq 2", b"jq 3"}


def test_the_report_says_what_went(four, stored):
    collect(four, END)
    found = collect(four, END + 2 * WEEK)

    report = json.loads(stored("reports/")["reports/gc/2027-01-01T000000Z.json"])
    assert report["due"] == dict(found.due)
    assert report["objects"] == 4
