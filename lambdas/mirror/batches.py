"""Cutting what is missing into pieces that one worker carries."""

from __future__ import annotations

from collections.abc import Iterable

from mirror.bottles import Bottle


def cut(bottles: Iterable[Bottle], *, max_bottles: int, max_bytes: int) -> list[list[Bottle]]:
    """Batches in the given order, none empty, none above a limit.

    A bottle that is larger than `max_bytes` is a batch of its own.
    """
    batches: list[list[Bottle]] = []
    room = 0
    for bottle in bottles:
        if not batches or bottle.size_bytes > room or len(batches[-1]) == max_bottles:
            batches.append([])
            room = max_bytes
        batches[-1].append(bottle)
        room -= bottle.size_bytes
    return batches
