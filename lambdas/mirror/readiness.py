"""Whether a function has what it needs: its code, its settings, and the bucket to look into."""

from __future__ import annotations

from typing import Any

from mirror import keys
from mirror.connections import Connections


def check(connections: Connections) -> dict[str, Any]:
    """``{"project", "environment", "snapshots"}``: whose mirror it is, and how many are there.

    A deploy asks each new version before anybody is served by it. That there is an answer says
    that the code loads and the role may read; nothing is written.

    Raises:
        BucketRefused: the role cannot list the bucket.
    """
    about = connections.settings.about
    snapshots = connections.bucket.folders(keys.SNAPSHOTS)
    return {
        "project": about.project,
        "environment": about.environment,
        "snapshots": len(snapshots),
    }
