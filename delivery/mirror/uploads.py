"""Putting a file into the mirror so that S3 itself proves the bytes that arrived."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from delivery import digests
from delivery.errors import DeliveryError

# Source: Amazon S3, "Uploading objects": the largest single PUT. Some casks are larger.
LIMIT_BYTES = 5 * 1024**3
# S3 takes 10,000 parts: 640 GiB, of which one is in memory at a time.
PART_BYTES = 64 * 1024**2
BLOB_TYPE = "application/octet-stream"
JSON_TYPE = "application/json"
_REFUSED = {"BadDigest", "XAmzContentChecksumMismatch", "InvalidRequest"}


def put(s3: Any, bucket: str, key: str, path: Path, sha256: str, content_type: str) -> None:
    """Upload a file under a key, if its bytes still hash to `sha256` as they go out.

    Raises:
        DeliveryError: they do not, or S3 received other bytes; the key is as it was.
    """
    if path.stat().st_size > LIMIT_BYTES:
        _put_parts(s3, {"Bucket": bucket, "Key": key}, path, sha256, content_type)
        return
    try:
        with path.open("rb") as file:
            s3.put_object(
                Bucket=bucket,
                Key=key,
                Body=file,
                ContentType=content_type,
                ChecksumSHA256=digests.as_base64(sha256),
            )
    except ClientError as error:
        if error.response["Error"]["Code"] not in _REFUSED:
            raise
        raise _changed(path) from error


def _put_parts(s3: Any, place: dict[str, str], path: Path, sha256: str, content_type: str) -> None:
    """In parts, each checked by S3; the object is there only once all of them hash to `sha256`."""
    upload = s3.create_multipart_upload(
        **place, ContentType=content_type, ChecksumAlgorithm="SHA256"
    )
    place |= {"UploadId": upload["UploadId"]}
    digest = hashlib.sha256()
    try:
        parts = [
            _put_part(s3, place, number, part)
            for number, part in enumerate(_parts(path, digest), 1)
        ]
        if digest.hexdigest() != sha256:
            raise _changed(path)  # noqa: TRY301 - whatever ends it, the parts must go
        s3.complete_multipart_upload(**place, MultipartUpload={"Parts": parts})
    except BaseException:
        s3.abort_multipart_upload(**place)
        raise


def _put_part(s3: Any, place: dict[str, str], number: int, part: bytes) -> dict[str, Any]:
    told = digests.as_base64(digests.sha256(part))
    answer = s3.upload_part(**place, PartNumber=number, Body=part, ChecksumSHA256=told)
    return {"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": told}


def _parts(path: Path, digest: Any) -> Iterator[bytes]:
    with path.open("rb") as file:
        while part := file.read(PART_BYTES):
            digest.update(part)
            yield part


def sizes(s3: Any, bucket: str, prefix: str) -> dict[str, int]:
    """Key → bytes of everything below a prefix."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return {each["Key"]: each["Size"] for page in pages for each in page.get("Contents", ())}


def _changed(path: Path) -> DeliveryError:
    return DeliveryError(
        f'"{path.name}" was not uploaded: it changed while it was read',
        where=str(path),
        remedy="look at the disk, then run the same command again: it goes on from here",
    )
