"""One batch: what it hands back when time runs short, and what it says about the rest."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import replace

import pytest

from mirror import worker
from mirror.errors import BadEvent, BucketRefused
from mirror.pacing import Pace
from mirror.registry import Registry

LARGE = bytes(range(256)) * 4 * 1024 * 9  # 9 MiB: a multipart upload.


def clock(*readings):
    """The seconds left, one reading per look; the last one stays."""
    left = list(readings)
    return lambda: left.pop(0) if len(left) > 1 else left[0]


@pytest.fixture
def batch(upstream, sync):
    """A planned batch of two bottles."""
    upstream.add("fzf", {"arm64_tahoe": b"fzf"})
    upstream.add("jq", {"arm64_tahoe": LARGE})
    planned = sync.plan()
    return f"syncs/{planned['sync']}/plan/00000.json"


@pytest.fixture
def one_at_a_time(connections):
    """Connections with one transfer, so that the order is known."""
    object.__setattr__(connections.settings, "transfers", 1)
    return connections


def test_the_answer_points_to_the_result(connections, batch, stored):
    answer = worker.run(connections, batch, seconds_left=clock(900)).as_answer()

    assert answer == {
        "result": "syncs/2026-11-22T030000Z/results/00000.json",
        "copied": 2,
        "bytes": len(LARGE) + 3,
        "left": 0,
        "failed": 0,
    }
    result = json.loads(stored("syncs/")[answer["result"]])
    assert result == {
        "copied": 2,
        "bytes": len(LARGE) + 3,
        "left": 0,
        "failed": [],
        "seconds": pytest.approx(5, abs=5),
        "retries": {},
    }


def test_bottles_that_no_longer_fit_are_handed_back_and_come_with_the_next_try(
    one_at_a_time, batch
):
    # Looks: for the margin, before fzf, at its turn, while it is copied, then before jq.
    first = worker.run(one_at_a_time, batch, seconds_left=clock(*[900] * 4, 44))
    second = worker.run(one_at_a_time, batch, seconds_left=clock(900))

    assert (first.as_answer()["copied"], first.as_answer()["left"]) == (1, 1)
    assert (second.as_answer()["copied"], second.as_answer()["left"]) == (1, 0)


def test_a_bottle_under_way_when_time_runs_short_is_undone(one_at_a_time, batch, s3, stored):
    readings = [900] * 9 + [44]

    answer = worker.run(one_at_a_time, batch, seconds_left=clock(*readings)).as_answer()

    assert (answer["copied"], answer["left"]) == (1, 1)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="mirror")
    assert not stored("v2/homebrew/core/jq/")


def test_a_bottle_that_never_fits_fails_instead_of_coming_back_for_ever(
    one_at_a_time, batch, stored
):
    worker.run(one_at_a_time, batch, seconds_left=clock(*[900] * 9, 44))

    answer = worker.run(one_at_a_time, batch, seconds_left=clock(*[900] * 6, 44)).as_answer()

    assert (answer["copied"], answer["left"], answer["failed"]) == (0, 0, 1)
    (failed,) = json.loads(stored("syncs/")[answer["result"]])["failed"]
    assert failed["bottle"] == "jq 1.0 arm64_tahoe"
    assert "within the worker's timeout" in failed["problem"]


def test_a_pause_that_upstream_asks_for_does_not_outlast_the_function(
    one_at_a_time, batch, upstream
):
    digest = hashlib.sha256(LARGE).hexdigest()
    upstream.first_answers[f"/storage/{digest}"] = [(429, {"Retry-After": "80"})]

    answer = worker.run(one_at_a_time, batch, seconds_left=clock(100)).as_answer()

    assert (answer["copied"], answer["left"]) == (1, 1)


def test_a_pause_before_a_token_does_not_outlast_the_function_either(
    one_at_a_time, batch, upstream, pauses
):
    without_token = Registry(upstream.url, one_at_a_time.fetcher)
    upstream.first_answers["/token"] = [(429, {"Retry-After": "80"})]

    answer = worker.run(
        replace(one_at_a_time, registry=without_token), batch, seconds_left=clock(100)
    ).as_answer()

    assert (answer["copied"], answer["failed"]) == (0, 2)
    assert pauses == []


def test_a_bottle_that_waited_for_its_turn_is_not_begun_when_time_is_over(
    connections, batch, upstream
):
    connections.fetcher.pace = Pace(most=1)

    worker.run(
        connections, batch, seconds_left=lambda: 44.0 if upstream.paths("/storage/") else 900.0
    )

    assert len(upstream.paths("/storage/")) == 1


def test_a_bottle_that_comes_in_drops_is_handed_back_in_time(one_at_a_time, batch, upstream):
    upstream.blobs[hashlib.sha256(LARGE).hexdigest()].pause_seconds = 0.05
    ends_at = time.monotonic() + 1.5

    answer = worker.run(
        one_at_a_time, batch, seconds_left=lambda: ends_at - time.monotonic()
    ).as_answer()

    assert (answer["copied"], answer["left"]) == (1, 1)
    assert time.monotonic() < ends_at + 1


def test_a_function_with_a_short_timeout_gets_something_done(connections, batch):
    answer = worker.run(connections, batch, seconds_left=clock(30)).as_answer()

    assert answer["copied"] == 2


def test_a_broken_connection_is_mended_within_the_batch(connections, batch, upstream, stored):
    upstream.blobs[hashlib.sha256(LARGE).hexdigest()].breaks_at = [5_000_000]

    answer = worker.run(connections, batch, seconds_left=clock(900)).as_answer()

    assert answer["copied"] == 2
    (body,) = stored("v2/homebrew/core/jq/").values()
    assert body == LARGE


def test_the_first_try_takes_the_plan_s_word_and_the_second_looks(connections, batch, s3_calls):
    worker.run(connections, batch, seconds_left=clock(900))
    first = s3_calls.count("HeadObject")

    again = worker.run(connections, batch, seconds_left=clock(900)).as_answer()

    assert (first, s3_calls.count("HeadObject")) == (0, 2)
    assert (again["copied"], again["failed"]) == (0, 0)


def test_a_try_that_was_killed_is_gone_on_with(connections, batch, upstream, s3_refuses):
    allow = s3_refuses("CreateMultipartUpload")
    with pytest.raises(BucketRefused):
        worker.run(connections, batch, seconds_left=clock(900))
    allow()
    upstream.requests.clear()

    answer = worker.run(connections, batch, seconds_left=clock(900)).as_answer()

    assert answer["copied"] == 1
    assert len(upstream.paths("/storage/")) == 1


def test_a_bottle_that_was_damaged_on_its_way_is_fetched_once_more(
    connections, batch, upstream, stored
):
    blob = upstream.blobs[hashlib.sha256(LARGE).hexdigest()]
    blob.damaged_answers = 1

    answer = worker.run(connections, batch, seconds_left=clock(900)).as_answer()

    assert (answer["copied"], answer["failed"]) == (2, 0)
    assert LARGE in stored("v2/").values()


def test_a_bottle_that_stays_damaged_is_fetched_twice_and_no_more(connections, batch, upstream):
    digest = hashlib.sha256(LARGE).hexdigest()
    upstream.blobs[digest].damaged_answers = 99

    answer = worker.run(connections, batch, seconds_left=clock(900)).as_answer()

    assert (answer["copied"], answer["failed"]) == (1, 1)
    assert len(upstream.paths(f"/storage/{digest}")) == 2


@pytest.mark.parametrize(
    "key",
    [
        "syncs/2026-11-22T030000Z/plan/plan.json",
        "syncs/2026-11-22T030000Z/plan/../../../settings/mirror.json",
        "syncs/../plan/00000.json",
        "settings/mirror.json",
        "",
    ],
)
def test_a_key_that_is_no_batch_is_refused(connections, key):
    with pytest.raises(BadEvent, match="is not the key of a batch"):
        worker.run(connections, key, seconds_left=clock(900))


def test_a_batch_that_is_not_there_is_told_with_its_key(connections, bucket):
    key = "syncs/2026-11-22T030000Z/plan/00099.json"

    with pytest.raises(BucketRefused, match=f"where: s3://mirror/{key}"):
        worker.run(connections, key, seconds_left=clock(900))


def test_a_bucket_that_refuses_writes_ends_the_batch(connections, batch, s3_refuses):
    s3_refuses("PutObject")

    with pytest.raises(BucketRefused, match=r"PutObject failed: .*AccessDenied"):
        worker.run(connections, batch, seconds_left=clock(900))


def test_a_part_that_s3_refuses_leaves_no_upload_behind(connections, batch, s3, s3_refuses):
    allow = s3_refuses("UploadPart")

    with pytest.raises(BucketRefused, match="UploadPart failed"):
        worker.run(connections, batch, seconds_left=clock(900))

    allow()
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="mirror")
