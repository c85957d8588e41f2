"""An S3 in memory that answers the calls of `mirror.bucket`, and fails as a test wants it to.

Hundreds of scenarios need one that is faster than moto's. That it answers as moto does, which
answers as Amazon S3's reference says, is held by tests/unit/mirror/test_s3_double.py.
"""

from __future__ import annotations

import base64
import hashlib
import io
import threading
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

PAGE_KEYS = 1000


class Killed(BaseException):
    """The process is gone: no handler of its own runs to any effect."""


class S3:
    """One bucket, with the part of boto3's client that the mirror uses; shared by threads.

    Args:
        before: called with each call's name and key; what it raises is the call's answer.
    """

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.calls: list[tuple[str, str]] = []
        self.before: Callable[[str, str], None] = no_fault
        self._uploads: dict[str, dict[int, bytes]] = {}
        self._lock = threading.RLock()

    @property
    def open_uploads(self) -> int:
        """Multipart uploads that were neither completed nor aborted."""
        return len(self._uploads)

    def put_object(self, **asked: Any) -> dict[str, Any]:
        key, body = asked["Key"], asked["Body"]
        with self._call("PutObject", key):
            there = self.objects.get(key)
            if "IfMatch" in asked and there is None:
                raise refusal("NoSuchKey", 404)
            if "IfMatch" in asked and etag(there or b"") != asked["IfMatch"]:
                raise refusal("PreconditionFailed", 412)
            if "IfNoneMatch" in asked and there is not None:
                raise refusal("PreconditionFailed", 412)
            _check(body, asked.get("ChecksumSHA256", ""))
            self.objects[key] = bytes(body)
            return {"ETag": etag(body)}

    def get_object(self, **asked: Any) -> dict[str, Any]:
        with self._call("GetObject", asked["Key"]):
            body = self._found(asked["Key"], "NoSuchKey")
            return {"Body": io.BytesIO(body), "ETag": etag(body), "ContentLength": len(body)}

    def head_object(self, **asked: Any) -> dict[str, Any]:
        with self._call("HeadObject", asked["Key"]):
            return {"ContentLength": len(self._found(asked["Key"], "404"))}

    def get_paginator(self, name: str) -> Pages:
        assert name == "list_objects_v2"
        return Pages(self)

    def create_multipart_upload(self, **asked: Any) -> dict[str, Any]:
        with self._call("CreateMultipartUpload", asked["Key"]):
            upload = f"{asked['Key']} {len(self.calls)}"
            self._uploads[upload] = {}
            return {"UploadId": upload}

    def upload_part(self, **asked: Any) -> dict[str, Any]:
        with self._call("UploadPart", asked["Key"]):
            _check(asked["Body"], asked["ChecksumSHA256"])
            self._uploads[asked["UploadId"]][asked["PartNumber"]] = bytes(asked["Body"])
            return {"ETag": etag(asked["Body"])}

    def complete_multipart_upload(self, **asked: Any) -> dict[str, Any]:
        with self._call("CompleteMultipartUpload", asked["Key"]):
            parts = self._uploads[asked["UploadId"]]
            numbers = [part["PartNumber"] for part in asked["MultipartUpload"]["Parts"]]
            assert numbers == sorted(parts), "parts are named in order, each one once"
            self.objects[asked["Key"]] = b"".join(parts[number] for number in numbers)
            del self._uploads[asked["UploadId"]]
            return {}

    def abort_multipart_upload(self, **asked: Any) -> dict[str, Any]:
        with self._call("AbortMultipartUpload", asked["Key"]):
            del self._uploads[asked["UploadId"]]
            return {}

    def page(self, prefix: str, keys: list[str]) -> list[dict[str, Any]]:
        """One page of a listing, which is a call of its own."""
        with self._call("ListObjectsV2", prefix):
            return [{"Key": key, "Size": len(self.objects[key])} for key in keys]

    def _call(self, name: str, key: str) -> threading.RLock:
        self.calls.append((name, key))
        self.before(name, key)
        return self._lock

    def _found(self, key: str, code: str) -> bytes:
        if key not in self.objects:
            raise refusal(code, 404)
        return self.objects[key]


class Pages:
    """The paginator of ListObjectsV2."""

    def __init__(self, s3: S3) -> None:
        self._s3 = s3

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        prefix, delimiter = asked["Prefix"], asked.get("Delimiter", "")
        found = sorted(key for key in list(self._s3.objects) if key.startswith(prefix))
        folders = sorted(
            {
                prefix + key.removeprefix(prefix).split(delimiter)[0] + delimiter
                for key in found
                if delimiter and delimiter in key.removeprefix(prefix)
            }
        )
        keys = [key for key in found if not key.startswith(tuple(folders))]
        told = {"CommonPrefixes": [{"Prefix": folder} for folder in folders]}
        for first in range(0, max(1, len(keys)), PAGE_KEYS):
            yield {"Contents": self._s3.page(prefix, keys[first : first + PAGE_KEYS]), **told}


def no_fault(call: str, key: str) -> None:
    """What comes before a call that goes well."""


def etag(body: bytes) -> str:
    """As S3 makes it for what was put in one piece."""
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'


def refusal(code: str, status: int) -> ClientError:
    """An error as boto3 raises it."""
    answer: Any = {
        "Error": {"Code": code, "Message": code},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(answer, "the call")


def _check(body: bytes, told: str) -> None:
    if told and base64.b64decode(told) != hashlib.sha256(body).digest():
        raise refusal("BadDigest", 400)
