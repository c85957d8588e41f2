"""What was deployed where, when and with what outcome: ``releases/<env>/<n>.json``, append-only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any

from botocore.exceptions import ClientError

from delivery.cloud import Cloud
from delivery.errors import DeployUnderWay

NUMBER_DIGITS = 6


@dataclass(frozen=True)
class Record:
    """One deploy or destroy of one environment.

    `outcome` is ``succeeded``, ``failed`` or ``destroyed``; `fingerprint` is equal for two
    deploys that would do the same; `seconds` maps each step to how long it took. The rest is
    in docs/reference/release-record.md.
    """

    number: int
    environment: str
    outcome: str
    fingerprint: str
    at: str
    seconds: Mapping[str, float] = field(default_factory=dict)
    artifacts: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    sync: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    kind: str = "deploy"
    by: str = ""
    release: Mapping[str, Any] = field(default_factory=dict)
    settings: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    plan: Mapping[str, Any] = field(default_factory=dict)
    lease: int = 0
    rollback: Mapping[str, Any] = field(default_factory=dict)
    rehearsal: Mapping[str, Any] = field(default_factory=dict)
    protected: Sequence[str] = field(default_factory=list)
    state_version: str = ""


def latest(cloud: Cloud, bucket: str, environment: str) -> Record | None:
    """The newest record, or None when nothing was ever deployed there."""
    return next(newest_first(cloud, bucket, environment), None)


def newest_first(cloud: Cloud, bucket: str, environment: str) -> Iterator[Record]:
    """Every record, the newest first; each is read only when it is asked for."""
    s3 = cloud.client("s3")
    try:
        keys = _keys(s3, bucket, environment)
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucket":
            return
        raise
    for key in reversed(keys):
        yield _parsed(s3.get_object(Bucket=bucket, Key=key)["Body"].read())


def good(records: Iterable[Record]) -> list[Record]:
    """Those that the environment can go back to: succeeded, and not destroyed since.

    Args:
        records: the newest first.
    """
    standing = takewhile(lambda record: record.outcome != "destroyed", records)
    return [record for record in standing if record.outcome == "succeeded"]


def append(cloud: Cloud, bucket: str, record: Record) -> str:
    """Write `record` as the next number and return its key.

    Raises:
        DeployUnderWay: somebody else wrote that number first; nothing was overwritten.
    """
    key = f"releases/{record.environment}/{record.number:0{NUMBER_DIGITS}d}.json"
    body = json.dumps(asdict(record), indent=2, default=str).encode()
    s3 = cloud.client("s3")
    try:
        s3.put_object(
            Bucket=bucket, Key=key, Body=body, ContentType="application/json", IfNoneMatch="*"
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "PreconditionFailed":
            raise
        # A write whose answer was lost is made again, and then meets itself.
        if s3.get_object(Bucket=bucket, Key=key)["Body"].read() == body:
            return key
        raise DeployUnderWay(
            f'another deploy of "{record.environment}" finished while this one ran',
            where=f"s3://{bucket}/{key}",
            remedy=f"inv status --env {record.environment}, then deploy again if needed",
        ) from error
    return key


def next_number(previous: Record | None) -> int:
    """Numbers count from 1 without gaps."""
    return 1 if previous is None else previous.number + 1


def canonical(document: Any) -> bytes:
    """JSON with sorted keys and no spaces: equal documents are equal bytes."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), default=str).encode()


def settings_digest(settings: Mapping[str, Any]) -> str:
    """What ``settings/<sha256>.json`` is called by."""
    return hashlib.sha256(canonical(settings)).hexdigest()


def now() -> str:
    """The moment as ``2026-11-24T16:30:00Z``."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _parsed(body: bytes) -> Record:
    """A record, of a newer Airbrew too: what this one does not know, it does not need."""
    document = json.loads(body)
    known = Record.__dataclass_fields__.keys() & document.keys()
    return Record(**{name: document[name] for name in known})


def _keys(s3: Any, bucket: str, environment: str) -> list[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix=f"releases/{environment}/"
    )
    return sorted(found["Key"] for page in pages for found in page.get("Contents", ()))
