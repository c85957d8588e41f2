"""Manifests, then the snapshot, then api/: never a bottle named that cannot be fetched."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from mirror import (
    channels,
    completion,
    keys,
    lease,
    manifests,
    pointers,
    reports,
    snapshots,
    staging,
    telemetry,
)
from mirror.bottles import Bottle
from mirror.bucket import Bucket
from mirror.casks import Held
from mirror.connections import Connections
from mirror.errors import BucketRefused, IncompleteSync
from mirror.plans import Plan
from mirror.registry import INDEX_TYPE
from mirror.snapshots import Snapshot

# Small objects from and to S3.
REQUESTS = 16
NAMED = 10


def publish(
    connections: Connections, sync: str, execution: str, *, now: datetime
) -> dict[str, Any]:
    """Publish a sync whose every bottle is in the bucket (docs/adr/0003); safe to call again.

    Returns:
        The answer of the state `Publish` (docs/reference/state-machine.md); `bytes` is what
        the snapshot holds, `copied` how many bottles this sync brought.

    Raises:
        IncompleteSync: bottles are missing; what was published stands untouched.
        SyncUnderWay: another sync holds the lease.
    """
    bucket = connections.bucket
    published = reports.published(bucket, sync)
    if published is not None:  # There was no news, or the answer of an earlier call was lost.
        soaked = _let_soaked_go_on(connections, published["snapshot"], execution, now)
        lease.release(bucket, execution, now)
        return published | soaked
    telemetry.about(sync)
    since = time.monotonic()
    lease.renew(bucket, sync, now)
    inventory = bucket.sizes(keys.V2)
    plan = Plan.read(bucket, sync).weighed(inventory)
    _check_complete(bucket, plan, inventory)
    put_manifests(bucket, plan, inventory)
    previous, document = _write_snapshot(bucket, plan, now)
    lease.renew(bucket, sync, datetime.now(UTC))
    moved = channels.advance(connections, document, inventory, now)
    answer = {
        "snapshot": sync,
        "formulae": plan.formulae,
        "bottles": len(plan.bottles),
        **({"casks": len(plan.casks)} if plan.casks else {}),
        "bytes": plan.size_bytes,
        "copied": plan.to_copy,
        "api_files_changed": _files_changed(moved),
        **_channels(connections),
    }
    completion.conclude(
        connections,
        plan,
        answer,
        previous,
        moved={each.channel: each.snapshot for each in moved},
        began=now,
        publish_seconds=time.monotonic() - since,
    )
    lease.release(bucket, execution, now)
    return answer


def _check_complete(bucket: Bucket, plan: Plan, inventory: Mapping[str, int]) -> None:
    reasons = {each["bottle"]: each["problem"] for each in plan.failed}
    absent: list[Held] = [
        *(each for each in plan.bottles if inventory.get(each.blob_key) != each.size_bytes),
        *(each for each in plan.casks if each.blob_key not in inventory),
    ]
    if not absent and not reasons:
        return
    told = _problems_of_batches(bucket, plan.sync) if absent else {}
    reasons |= {each.label: told.get(each.label, "was not copied") for each in absent}
    listed = [f"{bottle} ({problem})" for bottle, problem in sorted(reasons.items())]
    if len(listed) > NAMED:
        listed = [*listed[:NAMED], f"and {len(listed) - NAMED} more"]
    selected = len(plan.bottles) + len(plan.casks) + len(plan.failed)
    what = "bottles and casks" if plan.casks else "bottles"
    raise IncompleteSync(
        f"{len(reasons)} of {selected} {what} are missing: {'; '.join(listed)}",
        where=bucket.where(keys.plan(plan.sync)),
        remedy="nothing was published; run `inv mirror.sync` again: it copies only what is missing",
    )


def _problems_of_batches(bucket: Bucket, sync: str) -> dict[str, str]:
    """Bottle → why it failed, from the results of the batches."""
    return {
        each["bottle"]: each["problem"]
        for key in bucket.sizes(keys.results(sync))
        for each in json.loads(bucket.read(key))["failed"]
    }


def put_manifests(bucket: Bucket, plan: Plan, inventory: Mapping[str, int]) -> None:
    """Put the staged indexes where clients ask for them.

    Raises:
        BadManifest: one no longer promises what the plan found in it.
        IncompleteSync: a bottle's index is neither staged nor served.
    """
    bottles: dict[tuple[str, str], list[Bottle]] = {}
    for bottle in plan.bottles:
        bottles.setdefault((bottle.image, bottle.manifest_tag), []).append(bottle)
    staged = {(image, tag): pack for image, tag, pack in plan.manifests}
    _check_served(bucket, bottles, staged.keys(), inventory)

    def put(index: tuple[str, str, bytes]) -> None:
        image, tag, body = index
        for bottle in bottles[image, tag]:
            manifests.promise(body, bottle, bottle.manifest_key)
        bucket.write(keys.manifest(image, tag), body, INDEX_TYPE)

    with ThreadPoolExecutor(REQUESTS) as pool:
        for pack in sorted(set(staged.values())):
            held = staging.read_pack(bucket, pack)
            # A later pack may hold the same index anew: the plan says which one counts.
            list(pool.map(put, (each for each in held if staged.get(each[:2]) == pack)))


def _check_served(
    bucket: Bucket,
    bottles: Mapping[tuple[str, str], Sequence[Bottle]],
    staged: Set[tuple[str, str]],
    inventory: Mapping[str, int],
) -> None:
    unserved = [
        group[0].label
        for index, group in bottles.items()
        if index not in staged and group[0].manifest_key not in inventory
    ]
    if unserved:
        raise IncompleteSync(
            f"no manifest for {'; '.join(unserved[:NAMED])}",
            where=bucket.where(keys.V2),
            remedy="nothing was published; run `inv mirror.sync` again: it fetches them",
        )


def _write_snapshot(
    bucket: Bucket, plan: Plan, now: datetime
) -> tuple[Snapshot | None, snapshots.Document]:
    """Write the snapshot of the plan; returns the one before it, and its document."""
    for path in plan.api_files:
        bucket.write(keys.snapshot_api_file(plan.sync, path), _staged_api_file(bucket, plan, path))
    digest = snapshots.write_bottles(bucket, plan.sync, plan.bottles)
    snapshots.write_too_large(bucket, plan.sync, plan.too_large)
    casks = snapshots.write_casks(bucket, plan.sync, plan.casks, plan.casks_left_out)
    previous = snapshots.newest(bucket, before=plan.sync)
    document = {
        "id": plan.sync,
        "created_at": pointers.text(now),
        "previous": previous.as_json() if previous else None,
        "formulae": plan.formulae,
        "bottles": len(plan.bottles),
        "bottles_sha256": digest,
        **casks,
        "bytes": plan.size_bytes,
        "api_files": plan.api_files,
        "validators": plan.validators,
        "selection": plan.selection,
        "sync": plan.sync,
    }
    snapshots.finish(bucket, plan.sync, document)
    return previous, document


def _let_soaked_go_on(
    connections: Connections, newest: str, execution: str, now: datetime
) -> dict[str, Any]:
    """Channels move without news, too; but not without the lease."""
    bucket = connections.bucket
    if not connections.settings.channels.names or not lease.is_held_by(bucket, execution, now):
        return {}
    document = snapshots.find(bucket, newest)
    if document is not None:
        moved = channels.advance(connections, document, bucket.sizes(keys.V2), now)
        completion.show_moved(connections, moved)
    return _channels(connections)


def _files_changed(moved: Sequence[channels.Moved]) -> int:
    """Files of ``api/`` that were written."""
    return sum(len(each.files) for each in moved if each.channel == keys.DEFAULT_CHANNEL)


def _channels(connections: Connections) -> dict[str, Any]:
    """Channel → snapshot, where there are channels."""
    names = connections.settings.channels.names
    served = {name: pointers.read(connections.bucket, name).snapshot for name in names}
    return {"channels": served} if served else {}


def _staged_api_file(bucket: Bucket, plan: Plan, path: str) -> bytes:
    """The file whose signature the plan has checked, and no other."""
    key = keys.staged_api_file(plan.sync, path)
    body = bucket.read(key)
    if hashlib.sha256(body).hexdigest() != plan.api_files[path]:
        raise BucketRefused(
            "the staged API file is not the one that was verified",
            where=bucket.where(key),
            remedy="find out who writes below syncs/, then run `inv mirror.sync` again",
        )
    return body
