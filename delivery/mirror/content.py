"""What the mirror holds, read from its newest snapshot."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from delivery.cloud import Cloud
from delivery.errors import SmokeTestFailed

# ``api/`` itself.
DEFAULT_CHANNEL = "default"


@dataclass(frozen=True)
class Snapshot:
    """A published state of the mirror: counts, bytes, and when it was made."""

    id: str
    created_at: str
    formulae: int
    bottles: int
    size_bytes: int

    def age_seconds(self, now: datetime | None = None) -> float:
        """How long ago it was published; what `freshness` means everywhere."""
        created = datetime.fromisoformat(self.created_at.replace("Z", "+00:00"))
        return ((now or datetime.now(UTC)) - created).total_seconds()


def latest_snapshot(cloud: Cloud, bucket: str) -> Snapshot | None:
    """The newest finished snapshot, or None when nothing was published yet.

    A folder under snapshots/ without its snapshot.json is a sync that did not get that far.
    """
    s3 = cloud.client("s3")
    for folder in reversed(_folders(s3, bucket, "snapshots/")):
        document = _read(s3, bucket, f"{folder}snapshot.json")
        if document is not None:
            return Snapshot(
                id=document["id"],
                created_at=document["created_at"],
                formulae=document["formulae"],
                bottles=document["bottles"],
                size_bytes=document["bytes"],
            )
    return None


def channels(cloud: Cloud, bucket: str) -> dict[str, str]:
    """Channel → the snapshot that it serves; ``api/`` is the channel ``default``."""
    s3 = cloud.client("s3")
    found = {}
    for folder in _folders(s3, bucket, "channels/"):
        pointer = _read(s3, bucket, f"{folder}pointer.json")
        if pointer and pointer["snapshot"]:
            found[str(pointer["channel"])] = str(pointer["snapshot"])
    return found


def served(cloud: Cloud, bucket: str) -> str | None:
    """The snapshot that ``api/`` serves, else the newest; None when nothing was published yet.

    A newer one than that still soaks, or was taken back.
    """
    found = channels(cloud, bucket).get(DEFAULT_CHANNEL)
    newest = None if found else latest_snapshot(cloud, bucket)
    return newest.id if newest else found


def bottles(cloud: Cloud, bucket: str, snapshot: str) -> Sequence[Mapping[str, Any]]:
    """Every bottle of homebrew/core in a snapshot, as docs/reference/bucket-layout.md has it.

    Those of other taps are left out: no API file names them.

    Raises:
        SmokeTestFailed: the snapshot does not say what it holds.
    """
    return of_core(everything(cloud, bucket, snapshot))


def everything(cloud: Cloud, bucket: str, snapshot: str) -> Sequence[Mapping[str, Any]]:
    """As `bottles`, with those of other taps, which have a ``repository``.

    Raises:
        SmokeTestFailed: the snapshot does not say what it holds.
    """
    found: Sequence[Mapping[str, Any]] = _part(cloud, bucket, snapshot, "bottles.json")
    return found


def casks(cloud: Cloud, bucket: str, snapshot: str) -> Mapping[str, Any]:
    """What a snapshot holds of casks, and what not: as docs/reference/bucket-layout.md has it."""
    key = f"snapshots/{snapshot}/casks.json"
    found: Mapping[str, Any] | None = _read(cloud.client("s3"), bucket, key)
    return found or {"casks": [], "left_out": []}


def platforms(cloud: Cloud, bucket: str, snapshot: str) -> Sequence[str]:
    """The bottle tags that a snapshot was made for.

    Raises:
        SmokeTestFailed: the snapshot does not say.
    """
    found: Sequence[str] = _part(cloud, bucket, snapshot, "snapshot.json")["selection"]["platforms"]
    return found


def _part(cloud: Cloud, bucket: str, snapshot: str, name: str) -> Any:
    key = f"snapshots/{snapshot}/{name}"
    document = _read(cloud.client("s3"), bucket, key)
    if not document:
        raise SmokeTestFailed(
            f'the snapshot "{snapshot}" was published without what it holds',
            where=f"s3://{bucket}/{key}",
            remedy="inv mirror.sync publishes anew",
        )
    return document


def of_core(held: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """The bottles of homebrew/core among them: API files name those, and no others."""
    return [each for each in held if "repository" not in each]


def api_prefix(cloud: Cloud, bucket: str, snapshot: str, platform: str) -> str:
    """Where clients find a snapshot: ``api``, or its own folder while ``api`` shows another one."""
    own, file = f"snapshots/{snapshot}/api", f"internal/packages.{platform}.jws.json"
    s3 = cloud.client("s3")
    shown = [_etag(s3, bucket, f"{prefix}/{file}") for prefix in ("api", own)]
    return "api" if shown[0] == shown[1] else own


def formulae(cloud: Cloud, bucket: str, wanted: Sequence[str]) -> list[str]:
    """What the newest snapshot holds: the wanted names first, then by size, the smallest first."""
    snapshot = latest_snapshot(cloud, bucket)
    key = f"snapshots/{snapshot.id}/bottles.json" if snapshot else ""
    held = of_core((_read(cloud.client("s3"), bucket, key) if key else None) or [])
    names = [each["formula"] for each in sorted(held, key=lambda each: each["size_bytes"])]
    return list(dict.fromkeys([*(name for name in wanted if name in names), *names]))


def empty(cloud: Cloud, bucket: str) -> int:
    """Delete every object and every version; returns how many were deleted."""
    deleted = 0
    for found in _versions(cloud, bucket):
        cloud.client("s3").delete_objects(Bucket=bucket, Delete={"Objects": found, "Quiet": True})
        deleted += len(found)
    return deleted


def versions(cloud: Cloud, bucket: str) -> int:
    """How many `empty` would delete."""
    return sum(map(len, _versions(cloud, bucket)))


def _versions(cloud: Cloud, bucket: str) -> Iterator[list[dict[str, str]]]:
    """Every object, version and delete marker, as S3 wants them to be deleted: 1,000 at a time."""
    s3 = cloud.client("s3")
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        if found:
            yield [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found]


def _folders(s3: Any, bucket: str, prefix: str) -> list[str]:
    """The folders right below a prefix, sorted; none where there is no bucket yet."""
    try:
        pages = s3.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=prefix, Delimiter="/"
        )
        return sorted(found["Prefix"] for page in pages for found in page.get("CommonPrefixes", ()))
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucket":
            return []
        raise


def _etag(s3: Any, bucket: str, key: str) -> str | None:
    try:
        return str(s3.head_object(Bucket=bucket, Key=key)["ETag"])
    except ClientError as error:
        if error.response["Error"]["Code"] in {"NoSuchKey", "404"}:
            return None
        raise


def _read(s3: Any, bucket: str, key: str) -> Any:
    try:
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] in {"NoSuchKey", "404"}:
            return None
        raise
    return json.loads(body)
