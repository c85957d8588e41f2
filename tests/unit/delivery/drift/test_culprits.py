"""Who changed it: the newest change of the right service that names the resource."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from delivery.cloud import Cloud
from delivery.drift import culprits
from delivery.drift.differences import Drift

SINCE = "2026-11-24T16:30:00Z"
START = datetime(2026, 11, 24, 16, 30, tzinfo=UTC)
PAGE = 50


class Trail:
    """CloudTrail as MiniStack plays it: the newest 50 of a span of time, and no token.

    Source: MiniStack 1.5.33, `services/cloudtrail.py`; boto3 sends times in whole seconds.
    """

    def __init__(self, events):
        self.events, self.asked = sorted(events, key=lambda each: each["EventTime"]), 0

    def lookup_events(self, *, LookupAttributes, StartTime, EndTime):  # noqa: N803 - AWS's names
        self.asked += 1
        assert LookupAttributes == [{"AttributeKey": "ReadOnly", "AttributeValue": "false"}]
        until = EndTime.replace(microsecond=0)
        found = [each for each in self.events if StartTime <= each["EventTime"] <= until]
        return {"Events": found[::-1][:PAGE]}


class Refusing:
    """CloudTrail to whoever may not ask."""

    def lookup_events(self, **_request):
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "LookupEvents")


class OneService(Cloud):
    """A cloud of which only CloudTrail is asked for."""

    def client(self, service):
        assert service == "cloudtrail"
        return self.variables["trail"]


def event(number, name, *, source="logs", who="ada", seconds=60.0, **parameters):
    identity = {"arn": f"arn:aws:iam::1:user/{who}"}
    return {
        "EventId": str(number),
        "EventName": name,
        "EventSource": f"{source}.amazonaws.com",
        "EventTime": START + timedelta(seconds=seconds),
        "Resources": [],
        "CloudTrailEvent": json.dumps({"userIdentity": identity, "requestParameters": parameters}),
    }


def asked(*events, drift=None, trail=None):
    trail = trail or Trail(events)
    cloud = OneService("AWS", "1", "us-east-1", {"trail": trail})
    found = drift or Drift("a", "b", 1, 2, names=("worker",), type="aws_cloudwatch_log_group")
    return culprits.named(cloud, [found], SINCE)[0]


def test_the_newest_change_that_names_the_resource_is_told_with_who_and_when():
    found = asked(
        event(1, "PutRetentionPolicy", seconds=10, who="bob", logGroupName="worker"),
        event(2, "PutRetentionPolicy", seconds=20, logGroupName="worker"),
        event(3, "PutRetentionPolicy", seconds=30, who="eve", logGroupName="another"),
    )

    assert (found.who, found.when, found.event) == (
        "arn:aws:iam::1:user/ada",
        "2026-11-24T16:30:20Z",
        "PutRetentionPolicy",
    )


@pytest.mark.parametrize(
    "other",
    [
        event(1, "UpdateRole", source="iam", roleName="worker"),
        event(1, "Invoke", source="logs", functionName="worker"),
        event(1, "PutRetentionPolicy", seconds=-10, logGroupName="worker"),
        event(1, "PutRetentionPolicy", logGroupName="worker-2"),
    ],
    ids=["another service", "work of the mirror", "before the deploy", "a longer name"],
)
def test_what_cannot_have_been_it_is_not_told(other):
    assert asked(other).who == ""


def test_names_are_found_however_deep_they_stand():
    found = asked(event(1, "TagResource", tags=[{"on": {"group": "worker"}}]))

    assert found.event == "TagResource"


def test_older_pages_are_reached_without_a_token():
    crowd = [event(number, "CreateLogGroup", seconds=100 + number / 10) for number in range(200)]

    found = asked(event("x", "PutRetentionPolicy", seconds=5, logGroupName="worker"), *crowd)

    assert found.when == "2026-11-24T16:30:05Z"


def test_an_account_that_is_too_busy_is_left_at_a_limit():
    trail = Trail([event(number, "CreateLogGroup", seconds=number) for number in range(3000)])

    assert asked(trail=trail).who == ""
    assert trail.asked < 50


def test_the_change_of_an_object_is_not_laid_to_a_change_of_its_bucket():
    bucket = Drift("a", "b", 1, 2, names=("mirror",), type="aws_s3_bucket")
    put = event(1, "PutObject", source="s3", bucketName="mirror")

    assert asked(put, drift=bucket).who == ""


def test_who_may_not_ask_the_trail_still_gets_the_drift():
    assert asked(trail=Refusing()) == Drift(
        "a", "b", 1, 2, names=("worker",), type="aws_cloudwatch_log_group"
    )
