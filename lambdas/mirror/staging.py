"""The manifests of a plan: fetched, found to promise each bottle, and kept until publish."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from mirror import keys, manifests
from mirror.bottles import Bottle
from mirror.connections import Connections
from mirror.errors import BadManifest, UpstreamRefused
from mirror.registry import IMAGE_TYPE, INDEX_TYPE

# Small requests, most of it waiting; GHCR begins to answer 429 well above this.
REQUESTS = 16


@dataclass(frozen=True)
class StagedManifest:
    """One index, and what came of the bottles that it must promise.

    Args:
        bottles: those that it does promise, with their sizes.
        failed: ``{"bottle", "problem"}`` of the others.
    """

    image: str
    tag: str
    bottles: tuple[Bottle, ...]
    failed: tuple[dict[str, str], ...]


def stage(
    connections: Connections, sync: str, groups: Iterable[Sequence[Bottle]]
) -> list[StagedManifest]:
    """Put the index of each group under ``syncs/<id>/manifests/``.

    What an earlier try of the same sync has staged is not fetched again.

    Args:
        groups: bottles of one index each: one version of one formula.

    Raises:
        UpstreamUnavailable: worth another try of the whole step.
    """
    there = connections.bucket.sizes(keys.staged_manifests(sync))
    with ThreadPoolExecutor(REQUESTS) as pool:
        return list(pool.map(lambda group: _stage(connections, sync, group, there), groups))


def _stage(
    connections: Connections, sync: str, group: Sequence[Bottle], there: dict[str, int]
) -> StagedManifest:
    image, tag = group[0].image, group[0].manifest_tag
    key = keys.staged_manifest(sync, image, tag)
    if key in there:
        earlier = _promised(connections, group, connections.bucket.read(key))
        if not earlier.failed:
            return earlier
    try:
        body = connections.registry.manifest(image, tag)
    except UpstreamRefused as error:
        failed = tuple({"bottle": each.label, "problem": str(error.problem)} for each in group)
        return StagedManifest(image, tag, (), failed)
    found = _promised(connections, group, body)
    if found.bottles:
        connections.bucket.write(key, body, INDEX_TYPE)
    return found


def _promised(connections: Connections, group: Sequence[Bottle], body: bytes) -> StagedManifest:
    bottles, failed = [], []
    for bottle in group:
        try:
            size_bytes = _size(connections, bottle, body)
        except (BadManifest, UpstreamRefused) as error:
            failed.append({"bottle": bottle.label, "problem": error.problem})
        else:
            bottles.append(replace(bottle, size_bytes=size_bytes))
    return StagedManifest(group[0].image, group[0].manifest_tag, tuple(bottles), tuple(failed))


def _size(connections: Connections, bottle: Bottle, body: bytes) -> int:
    where = bottle.manifest_key
    promise = manifests.promise(body, bottle, where)
    if promise.size_bytes:
        return promise.size_bytes
    image_manifest = connections.registry.manifest(
        bottle.image, promise.manifest_digest, IMAGE_TYPE
    )
    return manifests.layer_size(image_manifest, bottle, where)
