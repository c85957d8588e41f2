"""Whether a sync would publish anything but what is published already (docs/adr/0012)."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from mirror import keys, pointers, reports, snapshots
from mirror.bucket import Bucket
from mirror.plans import Plan
from mirror.settings import Selection
from mirror.snapshots import Snapshot

_COUNTS = ("formulae", "bottles", "casks", "bytes")


def answer_without_news(bucket: Bucket, plan: Plan, newest: Snapshot) -> dict[str, Any] | None:
    """What `Publish` is to answer when the newest snapshot is what the plan asks for.

    Args:
        plan: one that has nothing to copy and has fetched no manifest, so that its bottles
            are all among the snapshot's.

    Returns:
        None when there is news: other API files or bottles, another selection, a snapshot
        whose publishing did not come to its end, or a gap in ``api/``.
    """
    held = newest.document
    is_same = (
        plan.api_files == held["api_files"]
        and _is_chosen_alike(held["selection"], plan.selection)
        and len(plan.bottles) == held["bottles"]
        and len(plan.casks) == held.get("casks", 0)
    )
    if not is_same or reports.published(bucket, newest.id) is None:
        return None
    served = bucket.sizes(keys.API)
    if _has_gap(served, plan.api_files) and not _is_behind(bucket, served, newest):
        return None
    counts = {name: held[name] for name in _COUNTS if name in held}
    return {"snapshot": newest.id, **counts, "copied": 0, "api_files_changed": 0}


def _is_chosen_alike(held: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether two selections mean the same; an earlier release's lacks what it did not know."""
    # As JSON has it: a list is read back where a tuple was written.
    wanted = json.loads(json.dumps(wanted))
    return held.keys() <= wanted.keys() and Selection.parse(held) == Selection.parse(wanted)


def _has_gap(served: Collection[str], paths: Collection[str]) -> bool:
    return any(keys.api_file(path) not in served for path in paths)


def _is_behind(bucket: Bucket, served: Collection[str], newest: Snapshot) -> bool:
    """Whether ``api/`` is to serve an older snapshot, and lacks nothing of that one."""
    pointer = pointers.read(bucket, keys.DEFAULT_CHANNEL)
    if pointer.snapshot in {None, newest.id} or pointer.moving_to is not None:
        return False
    document = snapshots.find(bucket, str(pointer.snapshot))
    return document is not None and not _has_gap(served, document["api_files"])
