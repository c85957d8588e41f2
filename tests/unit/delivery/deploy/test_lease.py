"""lease: one holder at a time, told by S3's own clock; a number that only grows goes with each."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from delivery.deploy import lease
from delivery.deploy.lease import Asked, Terms
from delivery.errors import DeployUnderWay, LeaseLost
from delivery.progress import Steps
from tests.doubles.rig import CALLER, Identity, RigCloud
from tests.doubles.s3 import refusal
from tests.doubles.state_s3 import StateS3

QUICK = Terms(lives_seconds=60, renewed_seconds=0.01)


@pytest.fixture
def bucket():
    return StateS3()


def held(bucket, token="one", **more):
    clients = {"s3": bucket, "sts": Identity()}
    cloud = RigCloud("AWS", "123456789012", "us-east-1", {}, clients=clients)
    return lease.held(cloud, "state", Asked("dev", "deploy", token, **more), Steps())


def test_a_second_one_is_told_who_since_when_and_for_what(bucket):
    told = rf"process \d+ \({CALLER}\), since 20.*, for deploy"
    with held(bucket), pytest.raises(DeployUnderWay, match=told) as refused, held(bucket, "two"):
        pass

    assert "--wait" in refused.value.remedy
    assert "free in 60 s" in refused.value.remedy


def test_who_holds_it_can_be_asked_without_taking_it_and_one_that_died_is_forgotten(bucket):
    clients = {"s3": bucket, "sts": Identity()}
    cloud = RigCloud("AWS", "123456789012", "us-east-1", {}, clients=clients)
    before = lease.holder(cloud, "state", "dev")

    with held(bucket) as mine:
        told = lease.holder(cloud, "state", "dev")
        bucket.later += timedelta(seconds=61)
        dead = lease.holder(cloud, "state", "dev")

    assert (before, dead, lease.holder(cloud, "state", "dev")) == (None, None, None)
    assert (told["number"], told["by"], told["reason"]) == (mine.number, CALLER, "deploy")
    assert told["free_in_seconds"] == 60


def test_the_number_grows_with_each_holder_and_is_never_forgotten(bucket):
    numbers = []
    for _ in range(3):
        with held(bucket) as mine:
            numbers.append(mine.number)

    assert numbers == [1, 2, 3]


def test_a_lease_that_was_not_renewed_is_free_after_its_time(bucket):
    with held(bucket) as first:
        bucket.later += timedelta(seconds=61)
        with held(bucket, "two") as second:
            assert second.number == first.number + 1
            with pytest.raises(LeaseLost, match="lease 1 has passed on to"):
                first.check()


def test_a_lease_is_renewed_for_as_long_as_its_holder_lives(bucket):
    with held(bucket, terms=QUICK):
        bucket.later += timedelta(seconds=59)
        time.sleep(0.1)
        bucket.later += timedelta(seconds=59)
        with pytest.raises(DeployUnderWay), held(bucket, "two"):
            pass


def test_a_holder_from_this_checkout_that_is_dead_is_not_waited_for(bucket):
    with held(bucket, "dead"), held(bucket, "two", dead="dead") as second:
        assert second.number == 2


def test_one_with_patience_gets_it_when_the_other_ends(bucket):
    first = held(bucket)
    first.__enter__()
    threading.Timer(0.2, first.__exit__, (None, None, None)).start()

    with held(bucket, "two", patience_seconds=30) as second:
        assert second.number == 2


def test_a_renewal_whose_answer_was_lost_meets_itself(bucket):
    lost = []

    def lose(call: str, _key: str) -> None:
        """The write takes effect; its answer does not arrive, so boto3 makes it again."""
        if call == "PutObject" and not lost:
            lost.append(call)
            bucket.put_object(**request)

    with held(bucket) as mine:
        found = mine._document
        request = {
            "Bucket": "state",
            "Key": "lease/dev.json",
            "Body": bucket.objects["lease/dev.json"] + b" ",
        }
        bucket.before = lose
        assert mine.renew()
        bucket.before = lambda _call, _key: None
        mine.check()
        assert mine.number == found["number"]


def test_an_outage_of_s3_does_not_end_a_lease_that_nobody_took(bucket):
    def outage(call: str, _key: str) -> None:
        if call == "PutObject":
            raise refusal("InternalError", 500)

    with held(bucket, terms=QUICK) as mine:
        bucket.before = outage
        time.sleep(0.05)
        bucket.before = lambda _call, _key: None
        mine.check()


@given(some.lists(some.sampled_from(["take", "late", "kill"]), min_size=1, max_size=12))
def test_no_two_hold_it_and_numbers_only_grow_whatever_happens(happenings):
    bucket, numbers, open_ = StateS3(), [], []
    for index, happening in enumerate(happenings):
        if happening == "late":
            bucket.later += timedelta(seconds=61)
            continue
        try:
            context = held(bucket, f"token {index}")
            mine = context.__enter__()
        except DeployUnderWay:
            continue
        numbers.append(mine.number)
        # All earlier ones know that they are not the holder any more.
        for earlier in open_:
            with pytest.raises(LeaseLost):
                earlier[1].check()
        mine.check()
        if happening == "kill":
            mine.end()
            open_.append((context, mine))
        else:
            context.__exit__(None, None, None)

    assert numbers == sorted(set(numbers))
