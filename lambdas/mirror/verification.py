"""Whether a snapshot's bottles and casks are what it says: listed, hashed, mended if asked."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Generator, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from typing import Any

from mirror import keys, manifests, snapshots, telemetry
from mirror.bottles import Bottle
from mirror.bucket import Bucket
from mirror.casks import CaskFile, Held
from mirror.connections import Connections
from mirror.deadline import Deadline
from mirror.errors import BadManifest, BucketRefused, MirrorError, OutOfTime, UnknownSnapshot
from mirror.memory import Memory
from mirror.transfer import copy_blob
from mirror.verification_reports import Damage, Report, Request


def verify(
    connections: Connections,
    request: Request,
    run: str,
    *,
    seconds_left: Callable[[], float],
    now: datetime,
) -> dict[str, Any]:
    """Do as much of a run as there is time for; with its `run`, the next call goes on.

    Manifests are looked at, and left to whoever may write them (`mending`).

    Args:
        run: empty to begin one.

    Raises:
        UnknownSnapshot: there is no such snapshot, or none at all.
        OutOfTime: not even a few bottles can be hashed in the function's time.
    """
    bucket, deadline = connections.bucket, Deadline(seconds_left)
    earlier = Report.read(bucket, run) if run else None
    report = earlier or _begin(connections, request, run or keys.sync_id(now), deadline)
    bottles = _drawn(bucket, report.request)
    while not report.finished:
        some = bottles[report.done : report.done + connections.settings.transfers]
        try:
            report = _hashed(connections, report, some, deadline)
        except OutOfTime:
            if report == earlier:  # The next call would come no further either.
                raise
            break
    report.write(bucket)
    answer = report.as_answer()
    telemetry.tell("verified", **answer)
    return answer


def _begin(connections: Connections, request: Request, run: str, deadline: Deadline) -> Report:
    """The first pass: what a listing tells."""
    bucket = connections.bucket
    newest = snapshots.newest(bucket)
    wanted = request.snapshot or (newest.id if newest else "")
    if not wanted:
        raise UnknownSnapshot(
            "nothing was published yet",
            where=bucket.where(keys.SNAPSHOTS),
            remedy="run `inv mirror.sync` first",
        )
    document = snapshots.read(bucket, wanted)
    request = replace(request, snapshot=wanted)
    bottles, casks = snapshots.bottles_of(bucket, document), snapshots.casks_of(bucket, document)
    inventory = bucket.sizes(keys.V2)
    held: tuple[Held, ...] = (*bottles, *casks)
    unsound = {
        each.blob_key: (each, _size_told(inventory.get(each.blob_key), each))
        for each in held
        if inventory.get(each.blob_key) != each.size_bytes
    }
    damaged = [_blob(connections, *told, request, deadline) for told in unsound.values()]
    unserved = {each.manifest_key: each for each in bottles if each.manifest_key not in inventory}
    damaged += [Damage(each.label, key, "its manifest is gone") for key, each in unserved.items()]
    of = len(_drawn(bucket, request)) if request.deep else 0
    listed = len(bottles) + len(casks)
    report = Report(run, request, of, 0, 0, listed, tuple(damaged), finished=not of)
    report.write(bucket)
    return report


def _drawn(bucket: Bucket, request: Request) -> Sequence[Held]:
    """One bottle or cask for each blob to be hashed: the same ones in each call of a run."""
    document = snapshots.read(bucket, request.snapshot)
    held: tuple[Held, ...] = (
        *snapshots.bottles_of(bucket, document),
        *snapshots.casks_of(bucket, document),
    )
    by_key = {each.blob_key: each for each in held}
    chosen = sorted(by_key)
    if request.sample is not None and request.sample < len(chosen):
        generator = random.Random(request.seed)  # noqa: S311 - a sample is not a secret
        chosen = sorted(generator.sample(chosen, request.sample))
    return [by_key[key] for key in chosen]


def _hashed(
    connections: Connections, report: Report, some: Sequence[Held], deadline: Deadline
) -> Report:
    """The report after some more bottles.

    Raises:
        OutOfTime: before all of them were looked at; they count as not looked at.
    """
    deadline.sleep(0)  # Raises once only the margin is left.
    known = frozenset(each.key for each in report.damaged)
    with ThreadPoolExecutor(max(1, len(some))) as pool:
        found = list(
            pool.map(lambda each: _look(connections, each, known, report.request, deadline), some)
        )
    done = report.done + len(some)
    # Two bottles of one index tell of its damage twice.
    by_key = {damage.key: damage for told in reversed(found) for damage in told}
    return replace(
        report,
        done=done,
        bytes=report.bytes + sum(each.size_bytes for each in some if each.blob_key not in known),
        damaged=(*report.damaged, *(by_key[key] for key in sorted(by_key))),
        finished=done >= report.of,
    )


def _look(
    connections: Connections,
    held: Held,
    known: Set[str],
    request: Request,
    deadline: Deadline,
) -> list[Damage]:
    """What is wrong with a blob and with its index, less what the listing has told already."""
    damaged = []
    if held.blob_key not in known:
        digest = _digest(connections.bucket, held.blob_key, deadline)
        if digest != held.digest:
            problem = f"its SHA-256 is {digest}" if digest else "it is gone"
            damaged.append(_blob(connections, held, problem, request, deadline))
    if isinstance(held, Bottle) and held.manifest_key not in known:
        damaged += _index(connections.bucket, held)
    return damaged


def _digest(bucket: Bucket, key: str, deadline: Deadline) -> str:
    """The SHA-256 of what is there now; empty when it went since the listing."""
    digest = hashlib.sha256()
    try:
        for chunk in deadline.watch(bucket.chunks(key)):
            digest.update(chunk)
    except BucketRefused:
        if bucket.size(key) is None:
            return ""
        raise
    return digest.hexdigest()


def _index(bucket: Bucket, bottle: Bottle) -> list[Damage]:
    key = bottle.manifest_key
    body = bucket.find(key)
    if body is None:
        return [Damage(bottle.label, key, "its manifest is gone")]
    try:
        promise = manifests.promise(body, bottle, key)
    except BadManifest as error:
        return [Damage(bottle.label, key, error.problem)]
    if promise.size_bytes in (0, bottle.size_bytes):
        return []
    told = f"its manifest promises {promise.size_bytes} bytes instead of {bottle.size_bytes}"
    return [Damage(bottle.label, key, told)]


def _blob(
    connections: Connections, bottle: Held, problem: str, request: Request, deadline: Deadline
) -> Damage:
    damage = Damage(bottle.label, bottle.blob_key, problem)
    if not request.repair:
        return damage
    try:
        pieces = _upstream(connections, bottle, deadline)
        with closing(pieces):
            copy_blob(bottle, deadline.watch(pieces), connections.bucket, memory=Memory())
    except (BucketRefused, OutOfTime):
        raise
    except MirrorError as error:
        return replace(damage, problem=f"{problem}; not repaired: {error.problem}")
    return replace(damage, repaired=True)


def _upstream(connections: Connections, bottle: Held, deadline: Deadline) -> Generator[bytes]:
    if isinstance(bottle, CaskFile):
        return connections.downloads.pieces(bottle, sleep=deadline.sleep)
    return connections.registry.blob(
        bottle.image, bottle.digest, bottle.size_bytes, sleep=deadline.sleep
    )


def _size_told(found: int | None, bottle: Held) -> str:
    if found is None:
        return "it is gone"
    return f"it has {found} bytes instead of {bottle.size_bytes}"
