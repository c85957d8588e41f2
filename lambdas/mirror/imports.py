"""Publishing what came across an air gap, by the rules of any publish.

The delivery has put the blobs where they belong, and everything else below ``syncs/<id>/``
(docs/adr/0014); nothing of it is believed before it was checked here.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from mirror import catalogue, keys, lease, publication, reports, snapshots, staging
from mirror.bottles import Bottle
from mirror.bucket import Bucket
from mirror.connections import Connections
from mirror.errors import ImportRefused
from mirror.plans import Account, Plan
from mirror.selection import PORTABLE_RUBY
from mirror.signature import SigningKey

_PACKAGES = re.compile(r"internal/packages\.(?P<platform>[a-z0-9_]+)\.jws\.json")


def publish(
    connections: Connections, snapshot: str, *, is_running: lease.IsRunning, now: datetime
) -> dict[str, Any]:
    """Publish a snapshot of another mirror under its own id; safe to call again.

    Returns:
        The answer of `publication.publish`.

    Raises:
        ImportRefused: a newer snapshot is published, or the staged files do not fit together.
        UntrustedCatalogue: a signature does not hold, or a bottle is not in a signed catalogue.
        SyncUnderWay: a sync, or another import, holds the lease.
        IncompleteSync: bottles or manifests are missing; nothing was published.
    """
    bucket, holder = connections.bucket, f"import/{snapshot}"
    published = reports.published(bucket, snapshot)
    if published is not None:
        return published
    lease.take(bucket, snapshot, holder, is_running, now)
    try:
        _check_newest(bucket, snapshot)
        _plan(connections, snapshot, now).write(bucket)
        return publication.publish(connections, snapshot, holder, now=now)
    finally:
        lease.release(bucket, holder, now)


def _check_newest(bucket: Bucket, snapshot: str) -> None:
    newest = snapshots.newest(bucket)
    if newest is not None and newest.id > snapshot:
        raise ImportRefused(
            f"the snapshot {snapshot} is older than {newest.id}, which is published",
            where=bucket.where(keys.snapshot_document(newest.id)),
            remedy="bring a parcel of a newer snapshot; an import never goes back in time",
        )


def _plan(connections: Connections, snapshot: str, now: datetime) -> Plan:
    """The staged parts as a plan, which `publication` checks against the bucket."""
    bucket = connections.bucket
    document = _document(bucket, keys.imported(snapshot, "snapshot.json"))
    listed = _document(bucket, keys.imported(snapshot, "bottles.json"))
    bottles = tuple(Bottle.from_json(each) for each in listed)
    api_files = dict(document["api_files"])
    _check_named(connections, snapshot, api_files, bottles)
    inventory = bucket.sizes(keys.V2)
    absent = {each.blob_key for each in bottles if each.blob_key not in inventory}
    return Plan(
        sync=snapshot,
        selection=document["selection"],
        formulae=int(document["formulae"]),
        bottles=bottles,
        to_copy=len(absent),
        manifests=tuple(_staged_manifests(bucket, snapshot, bottles)),
        failed=(),
        api_files=api_files,
        without_bottle=(),
        account=Account(started_at=now.timestamp()),
    )


def _check_named(
    connections: Connections,
    snapshot: str,
    api_files: Mapping[str, str],
    bottles: Iterable[Bottle],
) -> None:
    """Every API file is signed, and every bottle stands in a signed catalogue as it is listed.

    The Rubies of older brews stand in none (`portable_ruby`): brew itself has their digests.
    """
    named: set[Bottle] = set()
    for platform, payload in _payloads(connections, snapshot, api_files):
        found = catalogue.parse(payload, platform, f"packages.{platform}.jws.json")
        named |= {each.bottle for each in found.formulae.values() if each.bottle}
    unnamed = [
        each
        for each in bottles
        if each.formula != PORTABLE_RUBY and replace(each, size_bytes=0) not in named
    ]
    if unnamed:
        raise ImportRefused(
            f"{len(unnamed)} bottles are in no signed catalogue, {unnamed[0].label} among them",
            where=connections.bucket.where(keys.imported(snapshot, "bottles.json")),
            remedy="nothing was published; export again on the other side",
        )


def _payloads(
    connections: Connections, snapshot: str, api_files: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Platform and payload of each catalogue; every other file's signature is checked too."""
    key = SigningKey(connections.settings.upstream.signing_key_pem)
    for path, digest in api_files.items():
        staged = keys.staged_api_file(snapshot, path)
        body = connections.bucket.read(staged)
        if hashlib.sha256(body).hexdigest() != digest:
            raise ImportRefused(
                "the staged API file is not the one that the snapshot names",
                where=connections.bucket.where(staged),
                remedy="run `inv mirror.import` again: it stages it anew",
            )
        payload = key.payload(body, connections.bucket.where(staged))
        platform = _PACKAGES.fullmatch(path)
        if platform:
            yield platform["platform"], payload


def _staged_manifests(
    bucket: Bucket, snapshot: str, bottles: Iterable[Bottle]
) -> Iterator[tuple[str, str, str]]:
    """Of the indexes that the bottles need, those that came along; the others must be served."""
    needed = {(each.image, each.manifest_tag) for each in bottles}
    for pack in sorted(bucket.sizes(keys.staged_manifests(snapshot))):
        for image, tag, _ in staging.read_pack(bucket, pack):
            if (image, tag) in needed:
                yield image, tag, pack


def _document(bucket: Bucket, key: str) -> Any:
    return json.loads(bucket.read(key))
