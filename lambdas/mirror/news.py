"""Whether a sync would publish anything but what is published already (docs/adr/0012)."""

from __future__ import annotations

import json
from typing import Any

from mirror import keys, reports
from mirror.bucket import Bucket
from mirror.plans import Plan
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
        # As JSON has it: a list is read back where a tuple was written.
        and json.loads(json.dumps(plan.selection)) == held["selection"]
        and len(plan.bottles) == held["bottles"]
        and len(plan.casks) == held.get("casks", 0)
    )
    if not is_same or reports.published(bucket, newest.id) is None:
        return None
    served = bucket.sizes(keys.API)
    if any(keys.api_file(path) not in served for path in plan.api_files):
        return None
    counts = {name: held[name] for name in _COUNTS if name in held}
    return {"snapshot": newest.id, **counts, "copied": 0, "api_files_changed": 0}
