"""What there is to roll back to: every snapshot, what it holds, what it brought, who serves it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from mirror import pointers, snapshots
from mirror.bucket import Bucket
from mirror.casks import Held


def overview(bucket: Bucket, now: datetime) -> dict[str, Any]:
    """The answer of the action `snapshots` (docs/reference/state-machine.md), newest first."""
    rows: list[dict[str, Any]] = []
    served = _channels_by_snapshot(pointers.all_of(bucket))
    earlier: dict[str, int] = {}
    for document in snapshots.finished(bucket):
        blobs: tuple[Held, ...] = (
            *snapshots.bottles_of(bucket, document),
            *snapshots.casks_of(bucket, document),
        )
        held = {each.blob_key: each.size_bytes for each in blobs}
        age = now - pointers.moment(document["created_at"])
        rows.append(
            {
                **{name: document[name] for name in ("id", "created_at", "formulae", "bottles")},
                **({"casks": document["casks"]} if document.get("casks") else {}),
                "age_seconds": int(age.total_seconds()),
                "bytes": document["bytes"],
                "new_bytes": sum(size for key, size in held.items() if key not in earlier),
                "channels": served.get(document["id"], []),
            }
        )
        earlier = held
    return {"snapshots": rows[::-1]}


def _channels_by_snapshot(found: Sequence[pointers.Pointer]) -> Mapping[str, list[str]]:
    channels: dict[str, list[str]] = {}
    for pointer in found:
        if pointer.snapshot is not None:
            channels.setdefault(pointer.snapshot, []).append(pointer.channel)
    return channels
