"""verification: damage is found by listing or by hashing, mended from upstream, in steps."""

from __future__ import annotations

import json

import pytest

from mirror import verification
from mirror.errors import OutOfTime, UnknownSnapshot
from mirror.verification import Request
from tests.unit.mirror.conftest import NOW

NAMES = "abcdefg"
V2 = "v2/homebrew/core"


@pytest.fixture
def published(upstream, sync, stored):
    """Seven bottles; name → key of its blob."""
    for name in NAMES:
        upstream.add(name, {"arm64_tahoe": name.encode()})
    sync.run()
    return {key.split("/")[3]: key for key in stored(f"{V2}/") if "/blobs/" in key}


@pytest.fixture
def verify(sync):
    """One call of the function that verifies."""

    def call(run="", seconds_left=lambda: 900.0, **request):
        return verification.verify(
            sync.connections, Request(**request), run, seconds_left=seconds_left, now=NOW
        )

    return call


def test_a_sound_snapshot_is_told_to_be_so_without_reading_a_bottle(published, verify, s3_calls):
    answer = verify()

    assert (answer["damaged"], answer["listed"], answer["finished"]) == (0, 7, True)
    assert s3_calls.count("GetObject") <= 6


def test_hashing_all_finds_nothing_on_a_sound_snapshot(published, verify, stored):
    answer = verify(deep=True)

    assert (answer["hashed"], answer["of"], answer["bytes"], answer["damaged"]) == (7, 7, 7, 0)
    assert json.loads(stored(answer["report"])[answer["report"]])["finished"]


DAMAGED = {
    "flipped at rest": (b"?", "its SHA-256 is", True),
    "cut": (b"", "it has 0 bytes instead of 1", False),
    "gone": (None, "it is gone", False),
}


@pytest.mark.parametrize(("body", "told", "deep"), DAMAGED.values(), ids=DAMAGED)
def test_damage_is_named_and_mended_from_upstream(published, verify, s3, stored, body, told, deep):
    if body is None:
        s3.delete_object(Bucket="mirror", Key=published["c"])
    else:
        s3.put_object(Bucket="mirror", Key=published["c"], Body=body)

    seen = verify(deep=deep)
    mended = verify(deep=deep, repair=True, run="2026-11-22T040000Z")
    after = verify(deep=True, run="2026-11-22T050000Z")

    assert (seen["damaged"], seen["repaired"]) == (1, 0)
    assert seen["examples"][0].startswith(f"c 1.0 arm64_tahoe: {told}")
    assert (mended["damaged"], mended["repaired"]) == (1, 1)
    assert stored(published["c"])[published["c"]] == b"c"
    assert after["damaged"] == 0


def test_a_flipped_bit_is_not_seen_by_a_listing(published, verify, s3):
    s3.put_object(Bucket="mirror", Key=published["c"], Body=b"?")

    assert verify()["damaged"] == 0


def test_what_upstream_no_longer_has_stays_damaged_and_says_why(published, verify, s3, upstream):
    s3.delete_object(Bucket="mirror", Key=published["c"])
    upstream.blobs.clear()

    answer = verify(repair=True)

    assert answer["repaired"] == 0
    assert answer["examples"] == [
        "c 1.0 arm64_tahoe: it is gone; not repaired: upstream answered 404"
    ]


def test_a_manifest_that_is_gone_or_names_another_bottle_is_told(published, verify, s3):
    s3.delete_object(Bucket="mirror", Key=f"{V2}/a/manifests/1.0")
    s3.put_object(Bucket="mirror", Key=f"{V2}/b/manifests/1.0", Body=b'{"manifests": []}')

    answer = verify(deep=True)

    assert answer["examples"][0] == "a 1.0 arm64_tahoe: its manifest is gone"
    assert "the index does not hold b 1.0" in answer["examples"][1]


def test_a_sample_is_the_same_for_the_same_seed(published, verify, s3):
    for key in published.values():
        s3.put_object(Bucket="mirror", Key=key, Body=b"?")

    first, again, other = (
        verify(deep=True, sample=3, seed=seed, run=f"2026-11-22T0{hour}0000Z")["examples"]
        for hour, seed in ((4, 1), (5, 1), (6, 2))
    )

    assert first == again != other
    assert len(first) == 3


def test_a_run_that_is_out_of_time_goes_on_where_it_was(published, verify, s3):
    s3.put_object(Bucket="mirror", Key=published["g"], Body=b"?")
    clock = iter([100.0] * 8 + [1.0] * 100)

    first = verify(deep=True, seconds_left=lambda: next(clock))
    rest = verify(deep=True, run=first["run"])

    assert not first["finished"]
    assert 0 < first["hashed"] < 7
    assert (rest["hashed"], rest["damaged"], rest["finished"]) == (7, 1, True)


def test_a_function_whose_time_does_not_do_for_one_step_says_so(published, verify):
    clock = iter([100.0] + [1.0] * 100)
    began = verify(deep=True, seconds_left=lambda: next(clock))
    clock = iter([100.0] + [1.0] * 100)

    with pytest.raises(OutOfTime, match="the function's time is over"):
        verify(deep=True, run=began["run"], seconds_left=lambda: next(clock))


def test_an_older_snapshot_can_be_looked_at(published, verify, upstream, sync, s3):
    upstream.add("h", {"arm64_tahoe": b"h"})
    sync.run(execution="two")

    assert verify(snapshot="2026-11-22T030000Z")["listed"] == 7
    assert verify()["listed"] == 8


def test_there_is_nothing_to_verify_before_the_first_sync(verify, bucket):
    with pytest.raises(UnknownSnapshot, match="nothing was published yet"):
        verify()
