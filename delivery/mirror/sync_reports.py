"""What the mirror wrote down about its syncs: `syncs/<id>/report.json` and `report.html`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from delivery.cloud import Cloud
from delivery.errors import BadInput

_ID = re.compile(r"\d{4}-\d{2}-\d{2}T\d{6}Z")


def find(cloud: Cloud, bucket: str, sync: str = "") -> Mapping[str, Any]:
    """The report of a sync; of the last one that wrote any when none is named.

    Returns:
        As docs/reference/bucket-layout.md has it.

    Raises:
        BadInput: that is not the id of a sync, or it wrote no report.
    """
    if sync and not _ID.fullmatch(sync):
        raise BadInput(
            f'"{sync}" is not the id of a sync',
            where="--sync",
            remedy="give one as 2026-11-22T030000Z, or leave it out for the last one",
        )
    for each in [sync] if sync else reversed(begun_since(cloud, bucket)):
        report = read(cloud, bucket, each)
        if report is not None:
            return report
    raise BadInput(
        f'the sync "{sync}" wrote no report' if sync else "no sync has ended yet",
        where=f"s3://{bucket}/syncs/",
        remedy="inv mirror.sync; a sync that runs writes its report as it ends",
    )


def page(cloud: Cloud, bucket: str, sync: str) -> bytes:
    """The same as a page.

    Raises:
        BadInput: there is none.
    """
    key = f"syncs/{sync}/report.html"
    body = _read(cloud.client("s3"), bucket, key)
    if body is None:
        raise BadInput(
            f'the sync "{sync}" wrote no page',
            where=f"s3://{bucket}/{key}",
            remedy="leave --html out: report.json is there",
        )
    return body


def begun_since(cloud: Cloud, bucket: str, sync: str = "") -> list[str]:
    """The ids of all syncs from this one on, the oldest first; an id says when a sync began."""
    pages = (
        cloud.client("s3")
        .get_paginator("list_objects_v2")
        .paginate(Bucket=bucket, Prefix="syncs/", StartAfter=f"syncs/{sync}", Delimiter="/")
    )
    found = [each["Prefix"] for page in pages for each in page.get("CommonPrefixes", ())]
    return sorted(folder.removeprefix("syncs/").rstrip("/") for folder in found)


def read(cloud: Cloud, bucket: str, sync: str) -> Mapping[str, Any] | None:
    """The report of a sync; None where it left none."""
    body = _read(cloud.client("s3"), bucket, f"syncs/{sync}/report.json")
    # Older reports do not name their sync.
    return None if body is None else {"sync": sync, **json.loads(body)}


def _read(s3: Any, bucket: str, key: str) -> bytes | None:
    try:
        body: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] in {"NoSuchKey", "404"}:
            return None
        raise
    return body
