"""Who changed a resource last, as far as CloudTrail tells.

Source: AWS CloudTrail API reference, LookupEvents: management events of the last 90 days, asked
for twice a second at most.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from delivery.cloud import Cloud
from delivery.drift.differences import Drift

# Of a busy account only the newest events are gone through.
MOST_EVENTS = 1000
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
    is_object = drift.address.startswith("s3://")
    for event in events:
        about_objects = event.name in OF_OBJECTS
        if event.texts.intersection(drift.names) and about_objects == is_object:
            return replace(drift, who=event.who, when=event.when, event=event.name)
    return drift


def _events(cloud: Cloud, since: str) -> list[Event]:
    """Changes since then, newest first; none where there is no CloudTrail, or no right to ask."""
    pages = cloud.client("cloudtrail").get_paginator("lookup_events")
    try:
        answer = pages.paginate(
            LookupAttributes=[{"AttributeKey": "ReadOnly", "AttributeValue": "false"}],
            StartTime=datetime.strptime(since, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC),
        )
        told = [each for page in islice(answer, MOST_EVENTS // 50) for each in page["Events"]]
    except ClientError:
        # Who it was is a help, not a condition: the drift itself is known without it.
        return []
    return [_event(each) for each in told if each["EventName"] not in WORK]


def _event(told: dict[str, Any]) -> Event:
    raw = json.loads(told.get("CloudTrailEvent") or "{}")
    texts = {each["ResourceName"] for each in told.get("Resources", ()) if "ResourceName" in each}
    return Event(
        who=str(raw.get("userIdentity", {}).get("arn") or told.get("Username") or "?"),
        when=f"{told['EventTime'].astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
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
