"""The manifests of a plan: fetched, found to promise each bottle, and kept until publish.

They are kept in packs of many: a write each would cost as much as publishing them (docs/adr/0011).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from mirror import keys, manifests
from mirror.bottles import Bottle
from mirror.bucket import Bucket
from mirror.connections import Connections
from mirror.errors import BadManifest, MirrorError, UpstreamRefused
from mirror.registry import IMAGE_TYPE

# Small requests, most of it waiting; GHCR begins to answer 429 well above this.
REQUESTS = 16
# An index has some 40 KB: 10 MB at a time in memory.
PACK_MANIFESTS = 256


@dataclass(frozen=True)
class StagedManifest:
    """One index, and what came of the bottles that it must promise.

    Args:
        bottles: those that it does promise, with their sizes.
        failed: ``{"bottle", "error", "problem"}`` of the others; `error` is a class's name.
        pack: key of the pack that holds it; empty when it promises nothing.
    """

    image: str
    tag: str
    bottles: tuple[Bottle, ...]
    failed: tuple[dict[str, str], ...]
    pack: str = ""


@dataclass(frozen=True)
class _Fetched:
    staged: StagedManifest
    body: bytes


def stage(
    connections: Connections, sync: str, groups: Iterable[Sequence[Bottle]]
) -> list[StagedManifest]:
    """Put the index of each group into a pack under ``syncs/<id>/manifests/``.

    What an earlier try of the same sync has staged is not fetched again.

    Args:
        groups: bottles of one index each: one version of one formula.

    Raises:
        UpstreamUnavailable: worth another try of the whole step.
    """
    wanted = {(group[0].image, group[0].manifest_tag): group for group in groups}
    if not wanted:
        return []
    packs = sorted(connections.bucket.sizes(keys.staged_manifests(sync)))
    staged = []
    for pack in packs:
        for image, tag, body in read_pack(connections.bucket, pack):
            if (image, tag) in wanted:
                found = promised(connections, wanted[image, tag], body)
                if not found.failed:
                    staged.append(replace(found, pack=pack))
                    del wanted[image, tag]
    with ThreadPoolExecutor(REQUESTS) as pool:
        for number, groups_of_pack in enumerate(_packs(list(wanted.values())), start=len(packs)):
            fetched = list(pool.map(lambda each: _fetch(connections, each), groups_of_pack))
            key = keys.staged_pack(sync, number)
            staged += _write_pack(connections.bucket, key, fetched)
    return staged


def read_pack(bucket: Bucket, key: str) -> Iterator[tuple[str, str, bytes]]:
    """Image, manifest tag and index of each manifest in a pack."""
    for image, tag, text in json.loads(bucket.read(key)):
        yield image, tag, text.encode()


def _packs(groups: Sequence[Sequence[Bottle]]) -> Iterator[Sequence[Sequence[Bottle]]]:
    for first in range(0, len(groups), PACK_MANIFESTS):
        yield groups[first : first + PACK_MANIFESTS]


def _write_pack(bucket: Bucket, key: str, fetched: Iterable[_Fetched]) -> Iterator[StagedManifest]:
    usable = [each for each in fetched if each.staged.bottles]
    if usable:
        document = [(each.staged.image, each.staged.tag, each.body.decode()) for each in usable]
        bucket.write_json(key, document)
    for each in fetched:
        yield replace(each.staged, pack=key) if each.staged.bottles else each.staged


def _fetch(connections: Connections, group: Sequence[Bottle]) -> _Fetched:
    image, tag = group[0].image, group[0].manifest_tag
    try:
        body = connections.registry.manifest(image, tag)
    except UpstreamRefused as error:
        failed = tuple(_failure(each, error) for each in group)
        return _Fetched(StagedManifest(image, tag, (), failed), b"")
    return _Fetched(promised(connections, group, body), body)


def promised(connections: Connections, group: Sequence[Bottle], body: bytes) -> StagedManifest:
    """What an index promises of the bottles that it is to hold; it is not kept."""
    bottles, failed = [], []
    for bottle in group:
        try:
            size_bytes = _size(connections, bottle, body)
        except (BadManifest, UpstreamRefused) as error:
            failed.append(_failure(bottle, error))
        else:
            bottles.append(bottle.of_size(size_bytes))
    return StagedManifest(group[0].image, group[0].manifest_tag, tuple(bottles), tuple(failed))


def _size(connections: Connections, bottle: Bottle, body: bytes) -> int:
    where = bottle.manifest_key
    promise = manifests.promise(body, bottle, where)
    if promise.size_bytes:
        return promise.size_bytes
    digest = manifests.checked_digest(promise, where)
    image_manifest = connections.registry.manifest(bottle.image, digest, IMAGE_TYPE)
    return manifests.layer_size(image_manifest, promise, bottle, where)


def _failure(bottle: Bottle, error: MirrorError) -> dict[str, str]:
    return {"bottle": bottle.label, "error": type(error).__name__, "problem": error.problem}
