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

from mirror import (
    cask_catalogue,
    catalogue,
    keys,
    lease,
    publication,
    reports,
    snapshots,
    staging,
    taps,
)
from mirror.api_files import ALL_CASKS
from mirror.bottles import Bottle
from mirror.bucket import Bucket
from mirror.cask_catalogue import CaskCatalogue
from mirror.casks import CaskFile, Held
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

    What is published already gets back the indexes that it has lost since.

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
        _bring_back(connections, snapshot, is_running, now)
        return published
    earlier = lease.take(bucket, snapshot, holder, is_running, now)
    try:
        _check_newest(bucket, snapshot)
        _plan(connections, snapshot, now).write(bucket)
        return publication.publish(connections, snapshot, holder, now=now)
    finally:
        # Its id may be ahead of our clock: once refused, it must not lead later syncs there.
        came = snapshots.find(bucket, snapshot) is not None
        lease.release(bucket, holder, now, sync=snapshot if came else earlier)


def _bring_back(
    connections: Connections, snapshot: str, is_running: lease.IsRunning, now: datetime
) -> None:
    """Put the indexes that are gone where they were: behind a gap no upstream has them."""
    bucket = connections.bucket
    if bucket.find(keys.imported(snapshot, "bottles.json")) is None:
        return
    inventory = bucket.sizes(keys.V2)
    listed = _document(bucket, keys.imported(snapshot, "bottles.json"))
    if all(Bottle.from_json(each).manifest_key in inventory for each in listed):
        return
    with lease.held(bucket, f"mend/{snapshot}", is_running, now, lease.LASTS):
        plan = _plan(connections, snapshot, now)
        lost = [each for each in plan.manifests if keys.manifest(*each[:2]) not in inventory]
        publication.put_manifests(bucket, replace(plan, manifests=tuple(lost)), inventory)


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
    told = _casks(bucket, snapshot, document)
    casks = tuple(CaskFile.from_json(each) for each in told["casks"])
    api_files = dict(document["api_files"])
    _check_named(connections, snapshot, api_files, bottles, casks)
    inventory = bucket.sizes(keys.V2)
    held: tuple[Held, ...] = (*bottles, *casks)
    absent = {each.blob_key for each in held if each.blob_key not in inventory}
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
        casks=casks,
        casks_left_out=tuple(told["left_out"]),
        account=Account(started_at=now.timestamp()),
    )


def _casks(bucket: Bucket, snapshot: str, document: Mapping[str, Any]) -> Mapping[str, Any]:
    if "casks_sha256" not in document:
        return {"casks": [], "left_out": []}
    key = keys.imported(snapshot, "casks.json")
    body = bucket.read(key)
    if hashlib.sha256(body).hexdigest() != document["casks_sha256"]:
        raise ImportRefused(
            "the staged list of casks is not the one that the snapshot names",
            where=bucket.where(key),
            remedy="run `inv mirror.import` again: it stages it anew",
        )
    told: Mapping[str, Any] = json.loads(body)
    return told


def _check_named(
    connections: Connections,
    snapshot: str,
    api_files: Mapping[str, str],
    bottles: Iterable[Bottle],
    casks: Iterable[CaskFile],
) -> None:
    """Every API file is signed, and all that is listed stands in a signed one as it is listed.

    Bottles of other taps must be those that this mirror's own configuration names.
    The Rubies of older brews stand in none (`portable_ruby`): brew itself has their digests.
    """
    wanted = connections.settings.selection
    named = set(taps.bottles(wanted.taps, wanted.platforms))
    offered: list[CaskCatalogue] = []
    listed = "[]"
    for path, payload in _payloads(connections, snapshot, api_files):
        packages = _PACKAGES.fullmatch(path)
        if packages:
            found = catalogue.parse(payload, packages["platform"], path, with_casks=bool(casks))
            named |= set(filter(None, (each.bottle(name) for name, each in found.formulae.items())))
            offered.append(found.casks)
        elif path == ALL_CASKS:
            listed = payload
    unnamed: list[Held] = [
        each for each in bottles if each.full_name != PORTABLE_RUBY and each.of_size(0) not in named
    ]
    unnamed += _unnamed_casks(casks, offered, listed)
    if unnamed:
        raise ImportRefused(
            f"{len(unnamed)} bottles are in no signed catalogue, {unnamed[0].label} among them",
            where=connections.bucket.where(keys.imported(snapshot, "bottles.json")),
            remedy="nothing was published; export again on the other side, or name the tap's file"
            " in selection.tap_files here, too",
        )


def _unnamed_casks(
    casks: Iterable[CaskFile], offered: Iterable[CaskCatalogue], listed: str
) -> list[CaskFile]:
    casks = list(casks)
    if not casks:
        return []
    shown = cask_catalogue.with_list(offered, listed, ALL_CASKS)
    digests = {
        (token, entry.digest)
        for each in shown
        for token, entries in each.entries.items()
        for entry in entries
    }
    return [each for each in casks if (each.token, each.digest) not in digests]


def _payloads(
    connections: Connections, snapshot: str, api_files: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Path and payload of each API file whose signature holds, catalogues among them."""
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
        yield path, key.payload(body, connections.bucket.where(staged))


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
