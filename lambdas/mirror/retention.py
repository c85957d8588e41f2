"""What no kept snapshot names: found, remembered, and deleted after a grace period."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from mirror import keeping, keys, pointers, snapshots, telemetry
from mirror.bucket import Bucket
from mirror.connections import Connections
from mirror.pointers import Pointer
from mirror.snapshots import Document

EXAMPLES = 10


@dataclass(frozen=True)
class Collection:
    """What is to be deleted, as a value that can be shown before it is carried out.

    Args:
        kept: snapshot → why it is kept.
        dropped: snapshots that are kept no longer.
        folders: the keys of their folders and of old unfinished ones, documents first.
        unserved: API files in a channel that its snapshot does not have.
        due: keys below ``v2/`` whose grace is over → bytes; manifests first.
        waiting: keys below ``v2/`` that nothing names → since when.
        waiting_bytes: of those.
        staging: keys of old syncs.
        moving: channels whose move was cut off; what they serve is not known for certain, so
            that nothing below ``v2/`` is due until the move is completed.
    """

    kept: Mapping[str, str]
    dropped: Sequence[str]
    folders: Sequence[str]
    unserved: Sequence[str]
    due: Mapping[str, int]
    waiting: Mapping[str, datetime]
    waiting_bytes: int
    staging: Sequence[str]
    moving: Sequence[str]

    def as_answer(self) -> dict[str, Any]:
        """As docs/reference/state-machine.md has it."""
        return {
            "kept": dict(self.kept),
            "dropped": list(self.dropped),
            "objects": len(self.due),
            "bytes": sum(self.due.values()),
            "waiting": len(self.waiting),
            "waiting_bytes": self.waiting_bytes,
            "api_files": len(self.unserved),
            "staging": len(self.staging),
            "moving": list(self.moving),
            "examples": list(self.due)[:EXAMPLES],
        }


def find(connections: Connections, now: datetime) -> Collection:
    """What could be deleted now; changes nothing.

    Raises:
        DamagedRecord: a snapshot or pointer cannot be read: what it names is not known.
        BucketRefused: a listing or a read was denied.
    """
    bucket, retention = connections.bucket, connections.settings.retention
    documents, served = snapshots.finished(bucket), pointers.all_of(bucket)
    kept = keeping.kept(documents, served, connections.settings.channels, retention, now)
    dropped = [document for document in documents if document["id"] not in kept]
    present = bucket.sizes(keys.V2)
    referenced = _named(bucket, [each for each in documents if each["id"] in kept])
    just_dropped = _named(bucket, dropped)
    earlier, before = _earlier(bucket), now - timedelta(days=retention.grace_days)
    # What a snapshot named until this moment has not been waiting, whatever an old list says.
    since = {
        key: now if key in just_dropped else min(earlier.get(key, now), now)
        for key in sorted(present.keys() - referenced, key=_manifests_first)
    }
    moving = [each.channel for each in served if each.moving_to is not None]
    due = {key: present[key] for key, told in since.items() if told <= before and not moving}
    waiting = {key: told for key, told in since.items() if key not in due}
    ids = [str(each["id"]) for each in dropped]
    return Collection(
        kept=kept,
        dropped=ids,
        folders=_folders(bucket, documents, ids, before),
        unserved=_unserved(bucket, served),
        due=due,
        waiting=waiting,
        waiting_bytes=sum(present[key] for key in waiting),
        staging=_staging(
            bucket, documents, kept, before, now - timedelta(days=retention.keep_days)
        ),
        moving=moving,
    )


def carry_out(bucket: Bucket, collection: Collection, identity: str) -> None:
    """Delete it; the caller holds the lease since before `find`.

    The order is such that a kill leaves nothing that is served without its bottles, and no key
    with less than its grace: the documents of dropped snapshots are copied and the list of
    what waits is written, without what is due; then go the snapshots' folders, the API files
    that nobody points to, manifests, and blobs last.
    """
    for snapshot in collection.dropped:
        document = bucket.read(keys.snapshot_document(snapshot))
        bucket.write(keys.dropped_snapshot(snapshot), document)
    _remember(bucket, collection.waiting)
    bucket.delete(collection.folders)
    bucket.delete(collection.unserved)
    bucket.delete(list(collection.due))
    bucket.delete(collection.staging)
    answer = collection.as_answer()
    report = {**answer, "due": dict(collection.due), "folders": list(collection.folders)}
    bucket.write_json(keys.collection_report(identity), report)
    telemetry.tell("collected", **answer)


def _named(bucket: Bucket, documents: Sequence[Document]) -> set[str]:
    """Every key below ``v2/`` that the snapshots name; whoever mirrors more adds it here."""
    named = {
        key
        for document in documents
        for bottle in snapshots.bottles_of(bucket, document)
        for key in (bottle.blob_key, bottle.manifest_key)
    }
    casks = (each for document in documents for each in snapshots.casks_of(bucket, document))
    return named | {each.blob_key for each in casks}


def _earlier(bucket: Bucket) -> dict[str, datetime]:
    """What the last collection saw waiting; a list that is lost only makes all wait anew."""
    try:
        told = json.loads(bucket.find(keys.UNREFERENCED) or b"{}")
        return {key: pointers.moment(since) for since, found in told.items() for key in found}
    except (AttributeError, TypeError, ValueError):
        return {}


def _remember(bucket: Bucket, waiting: Mapping[str, datetime]) -> None:
    told: dict[str, list[str]] = {}
    for key, since in waiting.items():
        told.setdefault(pointers.text(since), []).append(key)
    bucket.write_json(keys.UNREFERENCED, told)


def _manifests_first(key: str) -> tuple[bool, str]:
    """A manifest that is served must never name a blob that is gone."""
    return not keys.is_manifest(key), key


def _folders(
    bucket: Bucket, documents: Sequence[Document], dropped: Sequence[str], before: datetime
) -> list[str]:
    """Keys below the folders that go; each document first: without it a snapshot is none."""
    is_finished = {document["id"] for document in documents}
    unfinished = [
        snapshot
        for snapshot in snapshots.ids(bucket)
        if snapshot not in is_finished and _is_over(snapshot, documents, before)
    ]
    found: list[str] = []
    for snapshot in (*dropped, *unfinished):
        document = keys.snapshot_document(snapshot)
        held = bucket.sizes(keys.snapshot_folder(snapshot)).keys()
        found += [*sorted(held & {document}), *sorted(held - {document})]
    return found


def _unserved(bucket: Bucket, served: Sequence[Pointer]) -> list[str]:
    """What a channel serves beside its snapshot: files of a platform that is no longer there."""
    found: list[str] = []
    for pointer in served:
        if pointer.snapshot is None or pointer.moving_to is not None:
            continue
        document = snapshots.read(bucket, pointer.snapshot)
        folder = keys.served_api(pointer.channel)
        has = {f"{folder}{path}" for path in document["api_files"]}
        found += sorted(bucket.sizes(folder).keys() - has)
    return found


def _is_over(sync: str, documents: Sequence[Document], before: datetime) -> bool:
    """Whether nothing can go on with a sync: it is old, and something newer was published.

    The second counts for imports, which bring an id from elsewhere and are newer than all.
    """
    newest = max((str(each["id"]) for each in documents), default="")
    return keys.is_sync_id(sync) and keys.moment(sync) <= before and sync <= newest


def _staging(
    bucket: Bucket,
    documents: Sequence[Document],
    kept: Mapping[str, str],
    before: datetime,
    reports_before: datetime,
) -> list[str]:
    """What old syncs left; a report stays with its snapshot, and as long as snapshots do."""
    found = []
    for key in bucket.sizes(keys.SYNCS):
        sync = keys.sync_of(key)
        if sync is None or not _is_over(sync, documents, before):
            continue
        is_report = keys.is_report(key)
        if is_report and (sync in kept or keys.moment(sync) > reports_before):
            continue
        found.append(key)
    return sorted(found)
