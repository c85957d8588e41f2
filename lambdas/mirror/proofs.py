"""Which bottles need no look upstream, and how large each is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby

from mirror import snapshots
from mirror.bottles import Bottle
from mirror.bucket import Bucket
from mirror.snapshots import Snapshot
from mirror.staging import StagedManifest


def proven(
    bucket: Bucket, inventory: Mapping[str, int], newest: Snapshot | None, limit_bytes: int
) -> dict[Bottle, Bottle]:
    """Bottles as the catalogue names them → the same with size, which need no look upstream.

    Proven is what the last snapshot holds and the listing confirms: blob and manifest; and
    what that sync found too large, as long as it still is.
    """
    if newest is None:
        return {}
    held = [
        bottle
        for bottle in snapshots.bottles(bucket, newest)
        if inventory.get(bottle.blob_key) == bottle.size_bytes and bottle.manifest_key in inventory
    ]
    left = snapshots.too_large(bucket, newest) if limit_bytes else []
    too_large = [bottle for bottle in left if is_too_large(bottle, limit_bytes)]
    return {bottle.of_size(0): bottle for bottle in (*held, *too_large)}


def is_too_large(bottle: Bottle, limit_bytes: int) -> bool:
    """Whether the settings leave it out for its size; a limit of 0 leaves nothing out."""
    return 0 < limit_bytes < bottle.size_bytes


def unproven(bottles: Iterable[Bottle], proven: Mapping[Bottle, Bottle]) -> Iterable[list[Bottle]]:
    """The bottles of each index that must be fetched: all of them, if one is not proven.

    The index will replace the one that is served, so it must hold the proven ones too.
    """
    by_index = sorted(bottles, key=lambda bottle: bottle.manifest_key)
    groups = (list(group) for _, group in groupby(by_index, lambda bottle: bottle.manifest_key))
    return [group for group in groups if any(bottle not in proven for bottle in group)]


def sized(
    bottles: Iterable[Bottle],
    proven: Mapping[Bottle, Bottle],
    fetched: Iterable[StagedManifest],
) -> list[Bottle]:
    """The bottles with their sizes, in the given order; without those that no index promises."""
    new = {each.of_size(0): each for staged in fetched for each in staged.bottles}
    known = {**proven, **new}
    return [known[bottle] for bottle in bottles if bottle in known]
