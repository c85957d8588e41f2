"""The S3 in memory with what the delivery asks of it besides: dates, versions, buckets."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from tests.doubles.s3 import S3, refusal


class StateS3(S3):
    """Whatever bucket is asked for, it is there and one and the same; `later` moves its clock on.

    A version that was told is kept for whoever names it, until it is taken out of `versions`.

    Source: Amazon S3, API reference: Last-Modified and Date are in whole seconds.
    """

    def __init__(self) -> None:
        super().__init__()
        self.later = timedelta()
        self.modified: dict[str, datetime] = {}
        self.counts: dict[str, int] = {}
        self.versions: dict[str, bytes] = {}

    @property
    def now(self) -> datetime:
        return (datetime.now(UTC) + self.later).replace(microsecond=0)

    def put_object(self, **asked: Any) -> dict[str, Any]:
        answer = super().put_object(**asked)
        self.modified[asked["Key"]] = self.now
        return answer

    def list_object_versions(self, **asked: Any) -> dict[str, Any]:
        """As many as `counts` says of the bucket: what another release has made of its own."""
        return {"Versions": [{"Key": "it"}] * self.counts.get(asked["Bucket"], 0)}

    def get_object(self, **asked: Any) -> dict[str, Any]:
        answer = self._version(**asked) if "VersionId" in asked else super().get_object(**asked)
        if "VersionId" not in answer:
            answer["VersionId"] = answer["ETag"].strip('"')
            self.versions[answer["VersionId"]] = self.objects[asked["Key"]]
        headers = {"date": format_datetime(self.now, usegmt=True)}
        return {
            **answer,
            "ContentType": "application/json",
            "LastModified": self.modified.get(asked["Key"], self.now),
            "ResponseMetadata": {"HTTPHeaders": headers},
        }

    def _version(self, **asked: Any) -> dict[str, Any]:
        # The name of the permission, which is another than that of the newest one.
        with self._call("GetObjectVersion", asked["Key"]):
            if asked["VersionId"] not in self.versions:
                raise refusal("NoSuchVersion", 404)
            body = self.versions[asked["VersionId"]]
            return {"Body": io.BytesIO(body), "VersionId": asked["VersionId"]}

    def head_object(self, **asked: Any) -> dict[str, Any]:
        return {**super().head_object(**asked), "ETag": "", "ContentType": "application/json"}

    def delete_object(self, **asked: Any) -> None:
        with self._call("DeleteObject", asked["Key"]):
            self.objects.pop(asked["Key"], None)

    def list_objects_v2(self, **asked: Any) -> dict[str, Any]:
        found = sorted(key for key in self.objects if key.startswith(asked["Prefix"]))
        return {"Contents": self.page(asked["Prefix"], found)}

    def head_bucket(self, **asked: Any) -> None:
        self._call("HeadBucket", asked["Bucket"])

    def get_bucket_versioning(self, **asked: Any) -> dict[str, str]:
        self._call("GetBucketVersioning", asked["Bucket"])
        return {"Status": "Enabled"}
