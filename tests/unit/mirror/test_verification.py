"""verification: damage is found by listing or by hashing, mended from upstream, in steps."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mirror import mending, verification
from mirror.errors import BadEvent, OutOfTime, UnknownSnapshot
from mirror.verification_reports import Request
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


@pytest.fixture
def mend(sync):
    """One call of the function that may write manifests."""

    def call(run, seconds_left=lambda: 900.0):
        return mending.mend(sync.connections, run, seconds_left=seconds_left)

    return call


DAMAGED_INDEXES = {
    "gone": (None, False),
    "cut": (b'{"manifests": [', True),
    "empty": (b"", True),
    "of another bottle": (b'{"manifests": []}', True),
}


@pytest.mark.parametrize(("body", "deep"), DAMAGED_INDEXES.values(), ids=DAMAGED_INDEXES)
def test_a_damaged_manifest_is_brought_back_byte_for_byte(
    published, verify, mend, s3, stored, upstream, body, deep
):
    key = f"{V2}/c/manifests/1.0"
    if body is None:
        s3.delete_object(Bucket="mirror", Key=key)
    else:
        s3.put_object(Bucket="mirror", Key=key, Body=body)

    seen = verify(deep=deep, repair=True)
    mended = mend(seen["run"])

    assert (seen["damaged"], seen["repaired"], seen["to_mend"]) == (1, 0, 1)
    assert (mended["damaged"], mended["repaired"], mended["to_mend"]) == (1, 1, 0)
    assert mended["examples"][0].endswith("; repaired")
    assert stored(key)[key] == upstream.manifests["c", "1.0"]
    assert s3.head_object(Bucket="mirror", Key=key)["ContentType"].endswith("index.v1+json")
    assert verify(deep=True, run="2026-11-22T050000Z")["damaged"] == 0


def test_a_bottle_and_its_manifest_can_both_be_damaged(published, verify, mend, s3):
    s3.put_object(Bucket="mirror", Key=published["c"], Body=b"longer than it was")
    s3.put_object(Bucket="mirror", Key=f"{V2}/c/manifests/1.0", Body=b"spoilt")

    seen = verify(deep=True, repair=True)
    answer = mend(seen["run"])

    assert (seen["damaged"], seen["repaired"], seen["hashed"]) == (2, 1, 7)
    assert (answer["damaged"], answer["repaired"]) == (2, 2)


def test_the_entry_of_a_manifest_that_promises_another_size_is_damage(
    published, verify, mend, s3, upstream
):
    index = json.loads(upstream.manifests["c", "1.0"])
    index["manifests"][0]["annotations"]["sh.brew.bottle.size"] = "7"
    s3.put_object(Bucket="mirror", Key=f"{V2}/c/manifests/1.0", Body=json.dumps(index).encode())

    seen = verify(deep=True, repair=True)

    assert seen["examples"] == ["c 1.0 arm64_tahoe: its manifest promises 7 bytes instead of 1"]
    assert mend(seen["run"])["repaired"] == 1


def test_a_manifest_of_two_platforms_is_one_damage_and_mended_for_both(
    upstream, sync, verify, mend, s3
):
    upstream.add("jq", {"arm64_tahoe": b"a", "all": b"b"}, platforms=("arm64_tahoe", "tahoe"))
    settings = sync.connections.settings
    both = replace(settings.selection, platforms=("arm64_tahoe", "tahoe"))
    sync.connections = sync.connections.with_settings(replace(settings, selection=both))
    sync.run()
    s3.put_object(Bucket="mirror", Key=f"{V2}/jq/manifests/1.0", Body=b"{}")

    seen = verify(deep=True, repair=True)

    assert (seen["listed"], seen["damaged"]) == (2, 1)
    assert mend(seen["run"])["repaired"] == 1
    assert verify(deep=True, run="2026-11-22T050000Z")["damaged"] == 0


def _gone(upstream):
    del upstream.manifests["c", "1.0"]


def _replaced(upstream):
    upstream.add("c", {"arm64_tahoe": b"built anew"})


def _resized(upstream):
    index = json.loads(upstream.manifests["c", "1.0"])
    index["manifests"][0]["annotations"]["sh.brew.bottle.size"] = "7"
    upstream.manifests["c", "1.0"] = json.dumps(index).encode()


BEYOND_REPAIR = {
    "gone": (_gone, "upstream answered 404"),
    "another bottle": (_replaced, "the index does not hold c 1.0 arm64_tahoe"),
    "another size": (_resized, "promises 7 bytes of c 1.0 arm64_tahoe, not 1"),
}


@pytest.mark.parametrize(("lose", "told"), BEYOND_REPAIR.values(), ids=BEYOND_REPAIR)
def test_a_manifest_that_upstream_has_no_more_stays_damaged_and_is_named_first(
    published, verify, mend, s3, stored, upstream, lose, told
):
    for name in "ac":
        s3.delete_object(Bucket="mirror", Key=f"{V2}/{name}/manifests/1.0")
    lose(upstream)

    answer = mend(verify(repair=True)["run"])

    assert (answer["damaged"], answer["repaired"], answer["to_mend"]) == (2, 1, 0)
    assert answer["examples"][0].startswith("c 1.0 arm64_tahoe: its manifest is gone; not repaired")
    assert told in answer["examples"][0]
    assert f"{V2}/c/manifests/1.0" not in stored(V2)
    assert mend(answer["run"])["repaired"] == 1


def test_mending_goes_on_where_time_was_over(published, verify, mend, s3, monkeypatch):
    monkeypatch.setattr(mending, "REQUESTS", 2)
    for name in NAMES:
        s3.delete_object(Bucket="mirror", Key=f"{V2}/{name}/manifests/1.0")
    run = verify(repair=True)["run"]
    clock = iter([100.0] * 3 + [1.0] * 100)

    first = mend(run, seconds_left=lambda: next(clock))
    rest = mend(run)

    assert (first["repaired"], first["to_mend"]) == (4, 3)
    assert (rest["repaired"], rest["to_mend"]) == (7, 0)


def test_a_function_without_time_to_mend_anything_says_so(published, verify, mend, s3):
    s3.delete_object(Bucket="mirror", Key=f"{V2}/a/manifests/1.0")
    run = verify(repair=True)["run"]
    clock = iter([100.0] + [1.0] * 100)

    with pytest.raises(OutOfTime, match="the function's time is over"):
        mend(run, seconds_left=lambda: next(clock))


def test_a_formula_that_is_called_as_a_folder_is_mended_as_any(upstream, sync, verify, stored, s3):
    upstream.add("manifests", {"arm64_tahoe": b"jq"})
    sync.run()
    (key,) = stored(f"{V2}/manifests/blobs/")
    s3.put_object(Bucket="mirror", Key=key, Body=b"??")

    answer = verify(deep=True, repair=True)

    assert (answer["damaged"], answer["repaired"], answer["to_mend"]) == (1, 1, 0)


def test_without_repair_no_manifest_is_mended(published, verify, mend, s3, stored):
    s3.delete_object(Bucket="mirror", Key=f"{V2}/a/manifests/1.0")

    answer = mend(verify()["run"])

    assert (answer["repaired"], answer["to_mend"]) == (0, 0)
    assert f"{V2}/a/manifests/1.0" not in stored(V2)


def test_there_is_nothing_to_mend_before_a_verification(published, mend):
    with pytest.raises(BadEvent, match="there is no verification"):
        mend("2026-11-22T050000Z")


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


def test_what_goes_between_two_calls_of_a_run_is_damage_and_no_end_of_it(published, verify, s3):
    clock = iter([100.0] + [1.0] * 100)
    began = verify(deep=True, repair=True, seconds_left=lambda: next(clock))
    manifest = f"{V2}/c/manifests/1.0"
    for key in (published["b"], manifest):
        s3.delete_object(Bucket="mirror", Key=key)

    rest = verify(run=began["run"])

    assert (rest["hashed"], rest["finished"]) == (7, True)
    assert (rest["damaged"], rest["repaired"], rest["to_mend"]) == (2, 1, 1)
    assert rest["examples"] == [
        "c 1.0 arm64_tahoe: its manifest is gone",
        "b 1.0 arm64_tahoe: it is gone; repaired",
    ]


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
