"""audit: a published set that was rewritten anywhere is found, and a sound chain is not accused."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from mirror import audit, retention
from tests.unit.mirror.conftest import NOW

API = "internal/packages.arm64_tahoe.jws.json"
FIRST, SECOND, THIRD = "2026-11-22T030000Z", "2026-11-29T030000Z", "2026-12-06T030000Z"


@pytest.fixture
def three(upstream, sync):
    """Three snapshots, a week apart."""
    for week in range(3):
        upstream.add("jq", {"arm64_tahoe": b"jq %d" % week}, version=f"1.{week}")
        sync.run(execution=f"week {week}", now=NOW + week * timedelta(days=7))
    return sync.connections.bucket


def test_a_chain_that_nobody_touched_is_intact(three):
    found = audit.audit(three)

    assert found["intact"]
    assert found["first"] is None
    assert (found["snapshots"], found["dropped"], found["breaks"]) == (3, 0, 0)
    assert found["files"] == 3 * 2 + 1  # An API file and bottles.json each, and the served one.
    assert found["newest"]["id"] == THIRD


def test_a_digest_that_was_noted_down_vouches_for_all_up_to_it(three):
    noted = audit.audit(three)["newest"]["sha256"]

    assert audit.audit(three, noted)["intact"]


def test_a_chain_that_was_written_anew_to_its_end_is_found_by_a_digest_noted_before(
    three, s3, stored
):
    noted = audit.audit(three)["newest"]["sha256"]
    key = f"snapshots/{THIRD}/snapshot.json"
    document = json.loads(stored(key)[key]) | {"formulae": 99}
    s3.put_object(Bucket="mirror", Key=key, Body=json.dumps(document).encode())

    unasked, found = audit.audit(three), audit.audit(three, noted)

    assert unasked["intact"]  # Nothing in the bucket can tell: hence the note.
    assert not found["intact"]
    assert found["first"]["problem"] == f"no document has the digest sha256:{noted} that was noted"


TAMPERED = {
    "an API file of an old snapshot": (f"snapshots/{FIRST}/api/{API}", "does not hold what"),
    "the bottles of an old snapshot": (f"snapshots/{SECOND}/bottles.json", "does not hold what"),
    "what is served": (f"api/{API}", "does not hold what"),
}


@pytest.mark.parametrize(("key", "told"), TAMPERED.values(), ids=TAMPERED)
def test_a_rewritten_file_is_named(three, s3, key, told):
    s3.put_object(Bucket="mirror", Key=key, Body=b"[]")

    found = audit.audit(three)

    assert not found["intact"]
    assert found["breaks"] == 1
    assert found["first"]["key"] == key
    assert told in found["first"]["problem"]


def test_a_document_that_was_rewritten_with_its_files_is_found_by_the_next_one(three, s3, stored):
    key = f"snapshots/{SECOND}/snapshot.json"
    document = json.loads(stored(key)[key])
    s3.put_object(Bucket="mirror", Key=key, Body=json.dumps(document | {"formulae": 99}).encode())

    found = audit.audit(three)

    assert found["first"] == {
        "key": key,
        "problem": "was rewritten after the next one was published",
    }


@pytest.mark.parametrize(
    ("snapshot", "told"),
    [(SECOND, f"names {SECOND} before it, which is not there"), (FIRST, f"names {FIRST} before")],
    ids=["from the middle", "from the end"],
)
def test_a_snapshot_that_was_taken_out_of_the_chain_is_missed(three, s3, snapshot, told):
    s3.delete_object(Bucket="mirror", Key=f"snapshots/{snapshot}/snapshot.json")

    assert told in audit.audit(three)["first"]["problem"]


def test_a_snapshot_that_was_put_between_two_is_found(three, s3, stored):
    key = f"snapshots/{FIRST}/snapshot.json"
    forged = json.loads(stored(key)[key]) | {"id": "2026-11-25T030000Z", "api_files": {}}
    s3.put_object(
        Bucket="mirror",
        Key="snapshots/2026-11-25T030000Z/snapshot.json",
        Body=json.dumps(forged).encode(),
    )

    found = audit.audit(three)

    assert found["first"]["problem"] == (
        f"names {FIRST} before it, but 2026-11-25T030000Z stands there"
    )


def test_a_document_that_cannot_be_read_is_a_break_not_a_crash(three, s3):
    s3.put_object(Bucket="mirror", Key=f"snapshots/{THIRD}/snapshot.json", Body=b"{")

    assert "not a snapshot's document" in str(audit.audit(three)["first"])


def test_a_pointer_to_what_is_not_there_is_a_break(three, s3, stored):
    key = "channels/default/pointer.json"
    pointer = json.loads(stored(key)[key]) | {"snapshot": "2020-01-01T000000Z"}
    s3.put_object(Bucket="mirror", Key=key, Body=json.dumps(pointer).encode())

    assert audit.audit(three)["first"] == {
        "key": key,
        "problem": "points to 2020-01-01T000000Z, which is not there",
    }


def test_a_pointer_that_cannot_be_read_is_a_break(three, s3):
    s3.put_object(Bucket="mirror", Key="channels/default/pointer.json", Body=b"{")

    assert "not a channel's pointer" in audit.audit(three)["first"]["problem"]


def test_a_snapshot_that_was_collected_keeps_its_place_in_the_chain(three, sync, stored, retaining):
    connections = retaining(sync.connections, keep_snapshots=1, keep_days=0, grace_days=0)
    found = retention.find(connections, NOW + timedelta(days=60))
    retention.carry_out(three, found, THIRD)

    audited = audit.audit(three)

    assert found.dropped == [FIRST]  # SECOND is the one before what api/ serves.
    assert (audited["intact"], audited["snapshots"], audited["dropped"]) == (True, 2, 1)
    assert not stored(f"snapshots/{FIRST}/")


def test_nothing_published_is_nothing_rewritten(bucket):
    assert audit.audit(bucket)["intact"]
