"""S3 in a dictionary: the calls that `mirror.bucket` makes, thousands of times a second.

What it copies: strong consistency, keys in the order of their bytes, common prefixes, conditional
writes answered with 412 (Amazon S3, API reference: ListObjectsV2, PutObject).
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError
from botocore.response import StreamingBody


class MemoryS3:
    """One bucket, whatever name it is asked for.

    Args:
        before_write: called before anything changes; what it raises is what the caller sees.
    """

    def __init__(self, before_write: Callable[[], None] = lambda: None) -> None:
        self.objects: dict[str, bytes] = {}
        self.before_write = before_write

    def get_paginator(self, _: str) -> MemoryS3:
        return self

    def paginate(self, **asked: str) -> Iterator[dict]:
        prefix, delimiter = asked["Prefix"], asked.get("Delimiter")
        keys = sorted(key for key in self.objects if key.startswith(prefix))
        if not delimiter:
            yield {"Contents": [{"Key": key, "Size": len(self.objects[key])} for key in keys]}
            return
        rests = (key.removeprefix(prefix) for key in keys)
        folders = {rest.partition(delimiter)[0] for rest in rests if delimiter in rest}
        yield {"CommonPrefixes": [{"Prefix": f"{prefix}{name}/"} for name in sorted(folders)]}

    def get_object(self, **asked: str) -> dict:
        body = self.objects.get(asked["Key"])
        if body is None:
            raise _error("NoSuchKey", "GetObject")
        return {"Body": StreamingBody(io.BytesIO(body), len(body)), "ETag": _etag(body)}

    def put_object(self, **asked: Any) -> None:
        held, etag = self.objects.get(asked["Key"]), asked.get("IfMatch")
        if ("IfNoneMatch" in asked and held is not None) or (etag and _etag(held or b"") != etag):
            raise _error("PreconditionFailed", "PutObject")
        self.before_write()
        self.objects[asked["Key"]] = asked["Body"]

    def delete_objects(self, **asked: Any) -> dict:
        # S3 deletes them one by one, and may be seen in between.
        for each in asked["Delete"]["Objects"]:
            self.before_write()
            self.objects.pop(each["Key"], None)
        return {}


def _etag(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def _error(code: str, call: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, call)
