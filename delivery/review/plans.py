"""Effects that await approval, by their digest: ``plans/<digest>.json`` in the state bucket."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from delivery import state_bucket
from delivery.cloud import Cloud
from delivery.errors import NotApproved
from delivery.review.effects import Effects

DENIED = {"AccessDenied", "403"}


@dataclass(frozen=True)
class Plans:
    """Where an environment's effects are kept: its state bucket; before there is one, here.

    Args:
        folder: on this machine, for an environment without a state bucket.
    """

    cloud: Cloud
    bucket: str
    folder: Path

    def keep(self, effects: Effects) -> str:
        """Keep them, and say where; keeping the same again changes nothing."""
        name = f"{effects.digest}.json"
        if state_bucket.exists(self.cloud, self.bucket):
            try:
                self._put(f"plans/{name}", effects.canonical)
            except ClientError as error:
                # Who may only look may still plan; the digest holds without what it stands for.
                if error.response["Error"]["Code"] not in DENIED:
                    raise
            else:
                return f"s3://{self.bucket}/plans/{name}"
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_bytes(effects.canonical)
        return str(self.folder / name)

    def read(self, digest: str) -> Mapping[str, Any] | None:
        """The effects of that digest; None when none were kept where this looks.

        Raises:
            NotApproved: what is kept under the digest does not hash to it.
        """
        body = self._get(f"plans/{digest}.json")
        file = self.folder / f"{digest}.json"
        if body is None and file.is_file():
            body = file.read_bytes()
        if body is None:
            return None
        if hashlib.sha256(body).hexdigest() != digest:
            raise NotApproved(
                f"what is kept as plan {digest[:12]}… was changed: it does not hash to its name",
                where=f"s3://{self.bucket}/plans/{digest}.json",
                remedy="find out who did; then plan again and have that approved",
            )
        found: Mapping[str, Any] = json.loads(body)
        return found

    def _put(self, key: str, body: bytes) -> None:
        self.cloud.client("s3").put_object(
            Bucket=self.bucket, Key=key, Body=body, ContentType="application/json"
        )

    def _get(self, key: str) -> bytes | None:
        try:
            answer = self.cloud.client("s3").get_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in state_bucket.NOT_THERE:
                return None
            raise
        body: bytes = answer["Body"].read()
        return body
