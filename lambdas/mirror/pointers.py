"""What a channel serves: API files that change one by one, and a document that says so last."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Self

from mirror import keys
from mirror.bucket import Bucket
from mirror.errors import DamagedRecord
from mirror.snapshots import Document

# Enough to know what soaked for a month while newer snapshots came by the hour; 90 KB at most.
STAYS = 1000
BY_SYNC, BY_SOAK, BY_HAND, BY_ROLLBACK = "sync", "soak", "hand", "rollback"


@dataclass(frozen=True)
class Stay:
    """A snapshot in a channel: since when, and what brought it there."""

    snapshot: str
    since: datetime
    by: str


@dataclass(frozen=True)
class Pointer:
    """``channels/<name>/pointer.json``.

    Args:
        stays: what the channel serves, and before it what it served, down to the oldest; a
            snapshot that was taken back is not among them.
        moving_to: the snapshot whose API files are being written; set only in between.
        passed_over: no snapshot up to this id comes back by itself: someone took it away.
    """

    channel: str
    stays: tuple[Stay, ...] = ()
    moving_to: str | None = None
    passed_over: str = ""

    @property
    def snapshot(self) -> str | None:
        """What the channel serves; None as long as it never served anything."""
        return self.stays[0].snapshot if self.stays else None

    def moved(self, snapshot: str, by: str, now: datetime) -> Self:
        """The pointer once the channel serves `snapshot`.

        Whatever is newer than `snapshot` was taken back, so it has not stayed there.
        """
        if snapshot == self.snapshot:
            return replace(self, moving_to=None)
        older = [each for each in self.stays if each.snapshot < snapshot]
        # In both directions: going forward by hand brings back no more than was asked for.
        taken_back = max(self.passed_over, self.snapshot or "")
        return replace(
            self,
            stays=(Stay(snapshot, now, by), *older)[:STAYS],
            moving_to=None,
            passed_over=taken_back if snapshot < taken_back else "",
        )

    def as_json(self) -> dict[str, Any]:
        """As docs/reference/bucket-layout.md has it."""
        stays = [asdict(each) | {"since": text(each.since)} for each in self.stays]
        return {
            "channel": self.channel,
            **(stays[0] if stays else {"snapshot": None, "since": None, "by": None}),
            "before": stays[1:],
            "moving_to": self.moving_to,
            "passed_over": self.passed_over,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """The inverse of `as_json`."""
        told = [document, *document["before"]] if document["snapshot"] else []
        stays = (Stay(each["snapshot"], moment(each["since"]), each["by"]) for each in told)
        return cls(
            document["channel"], tuple(stays), document["moving_to"], document["passed_over"]
        )


def read(bucket: Bucket, channel: str) -> Pointer:
    """The channel's pointer; one without a snapshot when there is none yet.

    Raises:
        DamagedRecord: it cannot be read, which must never count as a channel without a snapshot.
    """
    key = keys.pointer(channel)
    body = bucket.find(key)
    if body is None:
        return Pointer(channel)
    try:
        return Pointer.from_json(json.loads(body))
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedRecord(
            f"not a channel's pointer: {error!r}",
            where=bucket.where(key),
            remedy="bring the earlier version of the object back, or delete it and run"
            " `inv mirror.promote` or `inv mirror.rollback`",
        ) from error


def channels(bucket: Bucket) -> list[str]:
    """Every channel that serves or served something, configured or not; sorted."""
    folders = bucket.folders(keys.CHANNELS)
    names = {folder.removeprefix(keys.CHANNELS).rstrip("/") for folder in folders}
    return sorted(names | {keys.DEFAULT_CHANNEL})


def all_of(bucket: Bucket) -> list[Pointer]:
    """The pointers of all `channels`.

    Raises:
        DamagedRecord: one of them cannot be read.
    """
    return [read(bucket, name) for name in channels(bucket)]


def differing(bucket: Bucket, channel: str, document: Document) -> list[str]:
    """The paths below the channel's ``api/`` that do not hold what the snapshot has there."""
    folder = keys.served_api(channel)
    served = {path: bucket.find(f"{folder}{path}") for path in document["api_files"]}
    return sorted(
        path
        for path, body in served.items()
        if body is None or hashlib.sha256(body).hexdigest() != document["api_files"][path]
    )


def move(bucket: Bucket, before: Pointer, document: Document, by: str, now: datetime) -> list[str]:
    """Let a channel serve a snapshot; the caller holds the lease and knows it to be complete.

    First the document says where it is going, so that nothing that is half served can be
    collected; then come the files whose bytes differ, so that the others keep the
    Last-Modified that brew's conditional requests rely on; then the document, last. Killed
    in between, the same call completes it.

    Args:
        before: the channel's pointer, read under this lease.

    Returns:
        The paths that were written.
    """
    channel, snapshot = before.channel, str(document["id"])
    changed = _differing_from(bucket, before, document)
    if changed and snapshot != before.snapshot:
        _write(bucket, replace(before, moving_to=snapshot))
    for path in changed:
        body = _snapshot_file(bucket, document, path)
        bucket.write(f"{keys.served_api(channel)}{path}", body)
    after = before.moved(snapshot, by, now)
    if after != before:
        _write(bucket, after)
    return changed


def _differing_from(bucket: Bucket, before: Pointer, document: Document) -> list[str]:
    """As `differing`; one listing tells a channel's first move that nothing is there to read."""
    if before.snapshot is None and not bucket.sizes(keys.served_api(before.channel)):
        return sorted(document["api_files"])
    return differing(bucket, before.channel, document)


def text(when: datetime) -> str:
    """``2026-11-22T03:04:05Z``."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(told: str) -> datetime:
    """The inverse of `text`."""
    return datetime.fromisoformat(told.replace("Z", "+00:00")).astimezone(UTC)


def _write(bucket: Bucket, pointer: Pointer) -> None:
    bucket.write_json(keys.pointer(pointer.channel), pointer.as_json())


def _snapshot_file(bucket: Bucket, document: Document, path: str) -> bytes:
    key = keys.snapshot_api_file(document["id"], path)
    body = bucket.read(key)
    if hashlib.sha256(body).hexdigest() != document["api_files"][path]:
        raise DamagedRecord(
            "the snapshot's API file is not the one that was published",
            where=bucket.where(key),
            remedy="run `inv mirror.audit`, and bring the earlier version of the object back",
        )
    return body
