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
from mirror.casks import CaskFile
from mirror.errors import DamagedRecord, IncompleteSnapshot, UnknownSnapshot

NAMED = 10

Document = Mapping[str, Any]
"""``snapshot.json`` (docs/reference/bucket-layout.md)."""


@dataclass(frozen=True)
class Snapshot:
    """A finished snapshot: its id, and the SHA-256 and content of its ``snapshot.json``."""

    id: str
    sha256: str
    document: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def as_json(self) -> dict[str, str]:
        """As the next snapshot records it under ``previous``."""
        return {"id": self.id, "sha256": self.sha256}


def ids(bucket: Bucket) -> list[str]:
    """Every folder below ``snapshots/``, oldest first, finished or not."""
    folders = bucket.folders(keys.SNAPSHOTS)
    return [folder.removeprefix(keys.SNAPSHOTS).rstrip("/") for folder in folders]


def newest(bucket: Bucket, *, before: str = "") -> Snapshot | None:
    """The newest finished snapshot, or None.

    A folder without its ``snapshot.json`` is a publish that did not get that far.

    Args:
        before: only snapshots that are older than this id.

    Raises:
        DamagedRecord: it cannot be read.
    """
    for snapshot in reversed(ids(bucket)):
        if before and snapshot >= before:
            continue
        key = keys.snapshot_document(snapshot)
        body = bucket.find(key)
        if body is not None:
            document = parsed(body, bucket.where(key))
            return Snapshot(snapshot, hashlib.sha256(body).hexdigest(), document)
    return None


def find(bucket: Bucket, snapshot: str) -> Document | None:
    """Its document; None when there is no such snapshot, or an unfinished one.

    Raises:
        DamagedRecord: it cannot be read.
    """
    key = keys.snapshot_document(snapshot)
    body = bucket.find(key)
    return None if body is None else parsed(body, bucket.where(key))


def read(bucket: Bucket, snapshot: str) -> Document:
    """As `find`.

    Raises:
        UnknownSnapshot: there is none.
    """
    document = find(bucket, snapshot) if keys.is_sync_id(snapshot) else None
    if document is None:
        raise UnknownSnapshot(
            f'there is no snapshot "{snapshot}"',
            where=bucket.where(keys.SNAPSHOTS),
            remedy="choose one that `inv mirror.snapshots` lists",
        )
    return document


def finished(bucket: Bucket) -> list[Document]:
    """The documents of all finished snapshots, oldest first."""
    found = (find(bucket, snapshot) for snapshot in ids(bucket))
    return [document for document in found if document is not None]


def parsed(body: bytes, where: str) -> Document:
    """A ``snapshot.json``.

    Raises:
        DamagedRecord: it is not one.
    """
    try:
        document: Document = json.loads(body)
        if keys.is_sync_id(document["id"]) and isinstance(document["api_files"], dict):
            return document
        problem = "not a snapshot's document"
    except (KeyError, TypeError, ValueError) as error:
        problem = f"not a snapshot's document: {error!r}"
    raise _damaged(problem, where)


def bottles(bucket: Bucket, snapshot: Snapshot) -> list[Bottle]:
    """What the snapshot holds, sizes included."""
    body = bucket.read(keys.snapshot_bottles(snapshot.id))
    return [Bottle.from_json(each) for each in json.loads(body)]


def bottles_of(bucket: Bucket, document: Document) -> list[Bottle]:
    """As `bottles`, once the file is known to be the one that the document names.

    Raises:
        DamagedRecord: it is another.
    """
    key = keys.snapshot_bottles(document["id"])
    body = bucket.read(key)
    # Snapshots of earlier releases do not name it.
    named = document.get("bottles_sha256", hashlib.sha256(body).hexdigest())
    if hashlib.sha256(body).hexdigest() != named:
        raise _damaged("not the file that snapshot.json names", bucket.where(key))
    return [Bottle.from_json(each) for each in json.loads(body)]


def casks_of(bucket: Bucket, document: Document) -> list[CaskFile]:
    """The files of casks that the snapshot holds, sizes included.

    Raises:
        DamagedRecord: ``casks.json`` is not the one that the document names.
    """
    if "casks_sha256" not in document:  # Its selection has none.
        return []
    key = keys.snapshot_casks(document["id"])
    body = bucket.read(key)
    if hashlib.sha256(body).hexdigest() != document["casks_sha256"]:
        raise _damaged("not the file that snapshot.json names", bucket.where(key))
    return [CaskFile.from_json(each) for each in json.loads(body)["casks"]]


def check_complete(bucket: Bucket, document: Document, inventory: Mapping[str, int]) -> None:
    """See that every bottle, manifest and cask of the snapshot is in the bucket.

    Args:
        inventory: key → bytes of everything below ``v2/``.

    Raises:
        IncompleteSnapshot: with the first that are not.
        DamagedRecord: as `bottles_of`.
    """
    absent = [
        each.label
        for each in bottles_of(bucket, document)
        if inventory.get(each.blob_key) != each.size_bytes or each.manifest_key not in inventory
    ]
    absent += [
        each.label
        for each in casks_of(bucket, document)
        if inventory.get(each.blob_key) != each.size_bytes
    ]
    if absent:
        listed = absent[:NAMED]
        if len(absent) > NAMED:
            listed.append(f"and {len(absent) - NAMED} more")
        raise IncompleteSnapshot(
            f"{len(absent)} bottles of {document['id']} are gone: {'; '.join(listed)}",
            where=bucket.where(keys.snapshot_bottles(document["id"])),
            remedy="choose another snapshot; or bring them back, as versions of the objects"
            " (mirror.keep_replaced_days) or with `inv mirror.verify --repair`",
        )


def write_bottles(bucket: Bucket, snapshot: str, held: Iterable[Bottle]) -> str:
    """Write ``bottles.json``; returns its SHA-256."""
    body = json.dumps([each.as_json() for each in held]).encode()
    bucket.write(keys.snapshot_bottles(snapshot), body)
    return hashlib.sha256(body).hexdigest()


def write_casks(
    bucket: Bucket,
    snapshot: str,
    held: Sequence[CaskFile],
    left_out: Sequence[Mapping[str, str]],
) -> dict[str, Any]:
    """Write ``casks.json``, if there is any; returns what the snapshot's document says of it."""
    if not held and not left_out:
        return {}
    document = {"casks": [each.as_json() for each in held], "left_out": list(left_out)}
    body = json.dumps(document).encode()
    bucket.write(keys.snapshot_casks(snapshot), body)
    return {"casks": len(held), "casks_sha256": hashlib.sha256(body).hexdigest()}


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


def _damaged(problem: str, where: str) -> DamagedRecord:
    return DamagedRecord(
        problem,
        where=where,
        remedy="run `inv mirror.audit`, and bring the earlier version of the object back",
    )
