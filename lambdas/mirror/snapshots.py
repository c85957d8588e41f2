"""Dated sets of what was published; each names the digest of the one before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mirror import keys
from mirror.bottles import Bottle
from mirror.bucket import Bucket


@dataclass(frozen=True)
class Snapshot:
    """A finished snapshot: its id, and the SHA-256 and content of its ``snapshot.json``."""

    id: str
    sha256: str
    document: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def as_json(self) -> dict[str, str]:
        """As the next snapshot records it under ``previous``."""
        return {"id": self.id, "sha256": self.sha256}


def newest(bucket: Bucket, *, before: str = "") -> Snapshot | None:
    """The newest finished snapshot, or None.

    A folder without its ``snapshot.json`` is a publish that did not get that far.

    Args:
        before: only snapshots that are older than this id.
    """
    for folder in reversed(bucket.folders(keys.SNAPSHOTS)):
        snapshot = folder.removeprefix(keys.SNAPSHOTS).rstrip("/")
        if before and snapshot >= before:
            continue
        body = bucket.find(keys.snapshot_document(snapshot))
        if body is not None:
            return Snapshot(snapshot, hashlib.sha256(body).hexdigest(), json.loads(body))
    return None


def bottles(bucket: Bucket, snapshot: Snapshot) -> list[Bottle]:
    """What the snapshot holds, sizes included."""
    body = bucket.read(keys.snapshot_bottles(snapshot.id))
    return [Bottle.from_json(each) for each in json.loads(body)]


def write_bottles(bucket: Bucket, snapshot: str, held: Iterable[Bottle]) -> None:
    """Write ``bottles.json``."""
    bucket.write_json(keys.snapshot_bottles(snapshot), [each.as_json() for each in held])


def too_large(bucket: Bucket, snapshot: Snapshot) -> list[Bottle]:
    """What the snapshot's sync left out for its size, sizes included."""
    body = bucket.find(keys.snapshot_too_large(snapshot.id))
    return [Bottle.from_json(each) for each in json.loads(body)] if body else []


def write_too_large(bucket: Bucket, snapshot: str, left: Sequence[Bottle]) -> None:
    """Write ``too_large.json``, if there is any."""
    if left:
        bucket.write_json(keys.snapshot_too_large(snapshot), [each.as_json() for each in left])


def finish(bucket: Bucket, snapshot: str, document: dict[str, Any]) -> None:
    """Write ``snapshot.json``: from here on the snapshot counts."""
    bucket.write_json(keys.snapshot_document(snapshot), document)
