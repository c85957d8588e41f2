"""content: the newest finished snapshot, and emptying a bucket to the last version."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from delivery.mirror import content


@pytest.fixture
def bucket(s3):
    """A mirror with two finished snapshots and a newer one that was never finished."""
    s3.create_bucket(Bucket="mirror")
    for day, bottles in (("21", 7), ("22", 9)):
        id_ = f"2026-11-{day}T030000Z"
        document = {
            "id": id_,
            "created_at": f"2026-11-{day}T03:00:00Z",
            "formulae": 3,
            "bottles": bottles,
            "bytes": 100,
        }
        body = json.dumps(document).encode()
        s3.put_object(Bucket="mirror", Key=f"snapshots/{id_}/snapshot.json", Body=body)
    s3.put_object(Bucket="mirror", Key="snapshots/2026-11-23T030000Z/api/formula.jws.json")
    return "mirror"


def test_the_newest_finished_snapshot_counts(cloud, bucket):
    snapshot = content.latest_snapshot(cloud, bucket)

    assert snapshot.id == "2026-11-22T030000Z"
    assert snapshot.bottles == 9


def test_its_age_is_told_in_seconds(cloud, bucket):
    snapshot = content.latest_snapshot(cloud, bucket)

    assert snapshot.age_seconds(datetime(2026, 11, 22, 4, tzinfo=UTC)) == 3600


def test_a_mirror_without_bucket_or_snapshot_has_none(cloud, s3):
    s3.create_bucket(Bucket="empty")

    assert content.latest_snapshot(cloud, "empty") is None
    assert content.latest_snapshot(cloud, "absent") is None


def test_emptying_removes_every_version_and_marker(cloud, s3, bucket):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    key = "snapshots/2026-11-22T030000Z/snapshot.json"
    s3.put_object(Bucket=bucket, Key=key, Body=b"newer")
    s3.delete_object(Bucket=bucket, Key=key)

    content.empty(cloud, bucket)

    left = s3.list_object_versions(Bucket=bucket)
    assert "Versions" not in left
    assert "DeleteMarkers" not in left


def test_what_the_newest_snapshot_holds_is_named_wanted_first_then_the_smallest(cloud, bucket, s3):
    held = [("git", 300), ("jq", 200), ("xz", 100)]
    body = json.dumps([{"formula": name, "size_bytes": size} for name, size in held])
    s3.put_object(
        Bucket="mirror", Key="snapshots/2026-11-22T030000Z/bottles.json", Body=body.encode()
    )

    assert content.formulae(cloud, bucket, ["gone", "git", "*"]) == ["git", "xz", "jq"]


def test_a_mirror_without_a_snapshot_holds_no_formula(cloud, s3):
    s3.create_bucket(Bucket="mirror")

    assert content.formulae(cloud, "mirror", ["jq"]) == []


def test_each_channel_is_told_with_what_it_serves(cloud, bucket, s3):
    for name, snapshot in (("default", "2026-11-21T030000Z"), ("canary", None)):
        body = json.dumps({"channel": name, "snapshot": snapshot}).encode()
        s3.put_object(Bucket=bucket, Key=f"channels/{name}/pointer.json", Body=body)
    s3.put_object(Bucket=bucket, Key="channels/lost/api/formula.jws.json", Body=b"{}")

    assert content.channels(cloud, bucket) == {"default": "2026-11-21T030000Z"}
    assert content.channels(cloud, "absent") == {}
