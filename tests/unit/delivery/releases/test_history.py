"""history: records are numbered, never overwritten, and the newest is found."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from delivery.errors import DeployUnderWay
from delivery.releases import history
from delivery.releases.history import Record


@pytest.fixture
def bucket(s3):
    """An empty state bucket."""
    s3.create_bucket(Bucket="state")
    return "state"


def record(number: int, environment: str = "dev") -> Record:
    return Record(number, environment, "succeeded", "f" * 64, "2026-11-24T16:30:00Z")


def test_the_newest_record_comes_back_as_it_was_written(cloud, bucket):
    for number in range(1, 12):
        history.append(cloud, bucket, record(number))

    assert history.latest(cloud, bucket, "dev") == record(11)


def test_every_record_comes_back_the_newest_first(cloud, bucket):
    for number in range(1, 4):
        history.append(cloud, bucket, record(number))

    found = history.newest_first(cloud, bucket, "dev")

    assert [each.number for each in found] == [3, 2, 1]


def test_a_record_of_an_older_or_a_newer_airbrew_can_still_be_read(cloud, s3, bucket):
    old = {name: getattr(record(1), name) for name in ("number", "environment", "outcome", "at")}
    body = json.dumps(old | {"fingerprint": "f" * 64, "not_known_yet": {"a": 1}})
    s3.put_object(Bucket=bucket, Key="releases/dev/000001.json", Body=body)

    assert history.latest(cloud, bucket, "dev") == record(1)


def test_one_can_go_back_to_what_succeeded_since_the_last_destroy():
    outcomes = ["failed", "succeeded", "succeeded", "destroyed", "succeeded"]
    records = [
        replace(record(5 - place), outcome=outcome) for place, outcome in enumerate(outcomes)
    ]

    assert [each.number for each in history.good(records)] == [4, 3]


def test_environments_do_not_see_each_other(cloud, bucket):
    history.append(cloud, bucket, record(1, "prod"))

    assert history.latest(cloud, bucket, "dev") is None


def test_no_bucket_means_no_history(cloud):
    assert history.latest(cloud, "absent", "dev") is None


def test_a_number_that_is_taken_is_not_overwritten(cloud, s3, bucket):
    history.append(cloud, bucket, record(1))

    with pytest.raises(DeployUnderWay, match=r"000001\.json"):
        history.append(cloud, bucket, replace(record(1), at="2026-11-24T16:31:00Z"))


def test_a_write_whose_answer_was_lost_meets_itself(cloud, bucket):
    history.append(cloud, bucket, record(1))

    key = history.append(cloud, bucket, record(1))

    assert key == "releases/dev/000001.json"


def test_numbers_count_from_one():
    assert history.next_number(None) == 1
    assert history.next_number(record(41)) == 42
