"""Cutting what is missing into pieces that one worker carries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from mirror import keys
from mirror.bottles import Bottle
from mirror.casks import CaskFile, Held
from mirror.connections import Connections

MIB = 1024 * 1024


def cut(held: Iterable[Held], *, max_bottles: int, max_bytes: int) -> list[list[Held]]:
    """Batches in the given order, none empty, none above a limit.

    One that is larger than `max_bytes` is a batch of its own; a cask whose size nobody told
    takes no room.
    """
    batches: list[list[Held]] = []
    room = 0
    for each in held:
        if not batches or each.size_bytes > room or len(batches[-1]) == max_bottles:
            batches.append([])
            room = max_bytes
        batches[-1].append(each)
        room -= each.size_bytes
    return batches


def write(connections: Connections, sync: str, missing: Iterable[Held]) -> int:
    """Write ``plan/<n>.json`` for each batch, and the list of them; returns how many."""
    settings, bucket = connections.settings, connections.bucket
    batches = cut(
        missing,
        max_bottles=settings.batch_max_bottles,
        max_bytes=settings.batch_max_mib * MIB,
    )
    for number, some in enumerate(batches):
        bucket.write_json(keys.batch(sync, number), _document(sync, some))
    pointers = [{"batch": keys.batch(sync, number)} for number in range(len(batches))]
    bucket.write_json(keys.batches(sync), pointers)
    return len(batches)


def _document(sync: str, some: Sequence[Held]) -> dict[str, Any]:
    casks = [each.as_json() for each in some if isinstance(each, CaskFile)]
    return {
        "sync": sync,
        "bottles": [each.as_json() for each in some if isinstance(each, Bottle)],
        **({"casks": casks} if casks else {}),
    }
