"""Whether any published set was rewritten: the chain of snapshots, and each of their files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import zip_longest
from typing import Any

from mirror import keys, pointers, snapshots
from mirror.bucket import Bucket
from mirror.errors import DamagedRecord
from mirror.pointers import Pointer
from mirror.snapshots import Document

REQUESTS = 8


@dataclass(frozen=True)
class Break:
    """Something that is not as it was published."""

    key: str
    problem: str


@dataclass(frozen=True)
class _Chain:
    """The documents that there are: snapshot → bytes; `dropped` are those of collected ones."""

    bodies: Mapping[str, bytes]
    dropped: frozenset[str]

    @classmethod
    def read(cls, bucket: Bucket) -> _Chain:
        gone = {
            key.removeprefix(keys.DROPPED).removesuffix(".json"): bucket.read(key)
            for key in bucket.sizes(keys.DROPPED)
        }
        found = (
            (each, bucket.find(keys.snapshot_document(each))) for each in snapshots.ids(bucket)
        )
        there = {snapshot: body for snapshot, body in found if body is not None}
        return cls({**gone, **there}, frozenset(gone.keys() - there.keys()))

    def key(self, snapshot: str) -> str:
        """Where its document lies."""
        if snapshot in self.dropped:
            return keys.dropped_snapshot(snapshot)
        return keys.snapshot_document(snapshot)

    def api_files(self, snapshot: str) -> Mapping[str, str]:
        """Path → SHA-256; none when its document cannot be read, which is told by itself."""
        try:
            found: Mapping[str, str] = snapshots.parsed(self.bodies[snapshot], snapshot)[
                "api_files"
            ]
        except DamagedRecord:
            return {}
        return found


def audit(bucket: Bucket, noted: str = "") -> dict[str, Any]:
    """Walk from the newest snapshot back, then look at what the channels serve.

    A snapshot that was collected is known by the document that the collection left: its place
    in the chain is checked, its files are gone.

    Args:
        noted: SHA-256 of the newest document at an earlier audit, noted down elsewhere; one of
            the chain must have it still. Who may write the bucket can write all of it anew.

    Returns:
        The answer of the action `audit` (docs/reference/state-machine.md). `newest` is worth
        noting down elsewhere: it vouches for all that came before it.
    """
    chain = _Chain.read(bucket)
    newest = max(chain.bodies, default=None)
    looked = _Files(bucket)
    breaks = [
        *_noted_breaks(chain, noted),
        *_chain_breaks(chain, looked),
        *_served_breaks(bucket, chain, looked),
    ]
    return {
        "intact": not breaks,
        "snapshots": len(chain.bodies) - len(chain.dropped),
        "dropped": len(chain.dropped),
        "files": looked.count,
        "unproven": looked.unproven,
        "newest": newest and {"id": newest, "sha256": _sha256(chain.bodies[newest])},
        "breaks": len(breaks),
        "first": asdict(breaks[0]) if breaks else None,
    }


class _Files:
    """The digests of objects, counted; each is read in pieces, several at a time."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket, self.count, self.unproven = bucket, 0, 0

    def differing(self, digests: Mapping[str, frozenset[str]]) -> Iterator[Break]:
        """What is not one of the digests it may have; `digests` is key → SHA-256s."""
        self.count += len(digests)
        folders = {key.partition("/")[0] + "/" for key in digests}
        there = {key for folder in folders for key in self.bucket.sizes(folder)}
        with ThreadPoolExecutor(REQUESTS) as pool:
            found = pool.map(self._digest, (key for key in digests if key in there))
            digest_by_key = dict(found)
        for key, expected in digests.items():
            if key not in digest_by_key:
                yield Break(key, "is not there")
            elif digest_by_key[key] not in expected:
                yield Break(key, "does not hold what was published")

    def _digest(self, key: str) -> tuple[str, str]:
        digest = hashlib.sha256()
        for chunk in self.bucket.chunks(key):
            digest.update(chunk)
        return key, digest.hexdigest()


def _noted_breaks(chain: _Chain, noted: str) -> Iterator[Break]:
    if noted and noted not in {_sha256(body) for body in chain.bodies.values()}:
        yield Break(keys.SNAPSHOTS, f"no document has the digest sha256:{noted} that was noted")


def _chain_breaks(chain: _Chain, looked: _Files) -> Iterator[Break]:
    ids = sorted(chain.bodies, reverse=True)
    for snapshot, older in zip_longest(ids, ids[1:]):
        key = chain.key(snapshot)
        try:
            document = snapshots.parsed(chain.bodies[snapshot], key)
        except DamagedRecord as error:
            yield Break(key, error.problem)
            continue
        if document["id"] != snapshot:
            yield Break(key, f"says that it is {document['id']}")
        yield from _link_breaks(chain, key, document.get("previous"), older)
        if snapshot not in chain.dropped:
            yield from looked.differing(_digests(document, looked))


def _link_breaks(
    chain: _Chain, key: str, previous: Mapping[str, str] | None, older: str | None
) -> Iterator[Break]:
    named = previous["id"] if previous else None
    if named is not None and named not in chain.bodies:
        yield Break(key, f"names {named} before it, which is not there")
    elif named != older:
        yield Break(key, f"names {named or 'nothing'} before it, but {older} stands there")
    elif previous and _sha256(chain.bodies[previous["id"]]) != previous["sha256"]:
        yield Break(chain.key(previous["id"]), "was rewritten after the next one was published")


def _digests(document: Document, looked: _Files) -> dict[str, frozenset[str]]:
    snapshot = str(document["id"])
    digests = {
        keys.snapshot_api_file(snapshot, path): frozenset({digest})
        for path, digest in document["api_files"].items()
    }
    if "bottles_sha256" in document:
        key = keys.snapshot_bottles(snapshot)
        digests |= {key: frozenset({document["bottles_sha256"]})}
        if "casks_sha256" in document:
            casks = keys.snapshot_casks(snapshot)
            digests |= {casks: frozenset({document["casks_sha256"]})}
        return digests
    looked.unproven += 1  # A snapshot of an earlier release names no digest of its bottles.json.
    return digests


def _served_breaks(bucket: Bucket, chain: _Chain, looked: _Files) -> Iterator[Break]:
    for channel in pointers.channels(bucket):
        try:
            pointer = pointers.read(bucket, channel)
        except DamagedRecord as error:
            yield Break(keys.pointer(channel), error.problem)
            continue
        ids = [each for each in (pointer.snapshot, pointer.moving_to) if each is not None]
        gone = [each for each in ids if each not in chain.bodies or each in chain.dropped]
        for snapshot in gone:
            yield Break(keys.pointer(channel), f"points to {snapshot}, which is not there")
        if pointer.snapshot is not None and not gone:  # Before its first one it promises nothing.
            yield from looked.differing(_served(chain, pointer, ids))


def _served(chain: _Chain, pointer: Pointer, ids: Sequence[str]) -> dict[str, frozenset[str]]:
    """Key → what it may hold.

    While a channel moves, its files are of the one snapshot or the other, or of a third one if
    an earlier move was cut off, too; a path that only one of them has may be there or not.
    """
    paths = set.intersection(*(set(chain.api_files(each)) for each in ids))
    possible = [chain.api_files(each) for each in (chain.bodies if pointer.moving_to else ids)]
    folder = keys.served_api(pointer.channel)
    return {
        f"{folder}{path}": frozenset(each[path] for each in possible if path in each)
        for path in paths
    }


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
