"""Who changed a resource last, as far as CloudTrail tells.

Source: AWS CloudTrail API reference, LookupEvents: management events of the last 90 days, asked
for twice a second at most.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from delivery.cloud import Cloud
from delivery.drift.differences import Drift

# Of a busy account only the newest events are gone through.
MOST_EVENTS = 1000
A_SECOND = timedelta(seconds=1)
# Which service's calls change a type of resource; of another type any call counts that names it.
SERVICES = {
    "aws_cloudwatch_log": "logs",
    "aws_iam": "iam",
    "aws_lambda": "lambda",
    "aws_s3": "s3",
    "aws_scheduler": "scheduler",
    "aws_sfn": "states",
}
# What the mirror does at work; it changes no resource.
WORK = frozenset(
    {
        "AbortMultipartUpload",
        "AssumeRole",
        "CompleteMultipartUpload",
        "CreateLogStream",
        "CreateMultipartUpload",
        "DeleteObject",
        "Invoke",
        "POST.s3",
        "POST.sts",
        "PutLogEvents",
        "StartExecution",
        "UploadPart",
    }
)
# An object's change is a data event: LookupEvents has it in the sandbox only.
OF_OBJECTS = frozenset({"PutObject", "CopyObject", "PUT.s3"})


@dataclass(frozen=True)
class Event:
    """One change: by whom, when, by which call, and every text that the call named."""

    who: str
    when: str
    service: str
    name: str
    texts: frozenset[str]


def named(cloud: Cloud, found: Iterable[Drift], since: str) -> list[Drift]:
    """The same drift, with who and when where CloudTrail knows.

    Args:
        since: when the environment was last deployed, ``2026-11-24T16:30:00Z``.
    """
    drifts = list(found)
    events = _events(cloud, since) if drifts else []
    return [_with_culprit(drift, events) for drift in drifts]


def _with_culprit(drift: Drift, events: Sequence[Event]) -> Drift:
    services = [name for prefix, name in SERVICES.items() if drift.type.startswith(prefix)]
    is_object = drift.type == "aws_s3_object"
    for event in events:
        fits = not services or event.service in services
        if fits and (event.name in OF_OBJECTS) == is_object and event.texts & set(drift.names):
            return replace(drift, who=event.who, when=event.when, event=event.name)
    return drift


def _events(cloud: Cloud, since: str) -> list[Event]:
    """Changes since then, newest first; none where there is no CloudTrail, or no right to ask."""
    start = datetime.strptime(since, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    try:
        told = list(islice(_pages(cloud.client("cloudtrail"), start), MOST_EVENTS))
    except ClientError:
        # Who it was is a help, not a condition: the drift itself is known without it.
        return []
    return [_event(each) for each in told if each["EventName"] not in WORK]


def _pages(trail: Any, start: datetime) -> Iterator[dict[str, Any]]:
    """Goes back by time: MiniStack tells its newest 50 and no token for the next."""
    seen: set[str] = set()
    end = datetime.now(UTC) + A_SECOND
    while end > start and len(seen) < MOST_EVENTS:
        page = trail.lookup_events(
            LookupAttributes=[{"AttributeKey": "ReadOnly", "AttributeValue": "false"}],
            StartTime=start,
            EndTime=end,
        )["Events"]
        new = [each for each in page if each["EventId"] not in seen]
        yield from new
        seen |= {each["EventId"] for each in new}
        if not page:
            return
        # Times are asked for in whole seconds, so that one second is asked for twice.
        end = page[-1]["EventTime"] + A_SECOND if new else end - A_SECOND


def _event(told: dict[str, Any]) -> Event:
    raw = json.loads(told.get("CloudTrailEvent") or "{}")
    texts = {each["ResourceName"] for each in told.get("Resources", ()) if "ResourceName" in each}
    return Event(
        who=str(raw.get("userIdentity", {}).get("arn") or told.get("Username") or "?"),
        when=f"{told['EventTime'].astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        service=str(told.get("EventSource", "")).partition(".")[0],
        name=told["EventName"],
        texts=frozenset(texts | set(_texts(raw.get("requestParameters")))),
    )


def _texts(value: Any) -> list[str]:
    """Every text in a call's parameters."""
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _texts(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in _texts(inner)]
    return [value] if isinstance(value, str) else []
