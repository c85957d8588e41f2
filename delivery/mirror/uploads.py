"""Putting a file into the mirror so that S3 itself proves the bytes that arrived."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from delivery.errors import DeliveryError

# Source: Amazon S3, "Uploading objects": the largest single PUT.
LIMIT_BYTES = 5 * 1024**3
BLOB_TYPE = "application/octet-stream"
JSON_TYPE = "application/json"
_REFUSED = {"BadDigest", "XAmzContentChecksumMismatch", "InvalidRequest"}


def put(s3: Any, bucket: str, key: str, path: Path, sha256: str, content_type: str) -> None:
    """Upload a file under a key, if its bytes still hash to `sha256` as they go out.

    Raises:
        DeliveryError: it is larger than one PUT can be, or S3 received other bytes; the key
            is as it was.
    """
    if path.stat().st_size > LIMIT_BYTES:
        raise _not_taken("it is larger than the 5 GiB that S3 takes at once", path)
    try:
        with path.open("rb") as file:
            s3.put_object(
                Bucket=bucket,
                Key=key,
                Body=file,
                ContentType=content_type,
                ChecksumSHA256=base64.b64encode(bytes.fromhex(sha256)).decode(),
            )
    except ClientError as error:
        if error.response["Error"]["Code"] not in _REFUSED:
            raise
        raise _not_taken("it changed while it was read", path) from error


def sizes(s3: Any, bucket: str, prefix: str) -> dict[str, int]:
    """Key → bytes of everything below a prefix."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return {each["Key"]: each["Size"] for page in pages for each in page.get("Contents", ())}


def _not_taken(problem: str, path: Path) -> DeliveryError:
    return DeliveryError(
        f'"{path.name}" was not uploaded: {problem}',
        where=str(path),
        remedy="look at the disk, then run the same command again: it goes on from here",
    )
