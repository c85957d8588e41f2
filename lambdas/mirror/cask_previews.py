"""What a dry run tells of casks: how many, which are missing, how large, and why each is in."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from mirror import cask_planning
from mirror.cask_selection import PlatformCasks, SelectedCasks
from mirror.connections import Connections

EXAMPLES = 10
# A Lambda answers with 6 MB at most.
LISTED = 500


def told(
    connections: Connections,
    selected: SelectedCasks,
    inventory: Mapping[str, int],
    why: str,
    *,
    sizes: bool,
) -> dict[str, Any]:
    """The part ``casks`` of a dry run's answer; nothing when none is selected.

    Args:
        why: a token or glob of casks to give the reason of.
        sizes: ask the vendors of missing casks how large they are.
    """
    if not selected.platforms:
        return {}
    missing = {each.blob_key: each for each in selected.files if each.blob_key not in inventory}
    document = {
        "files": len(selected.files),
        "missing": len(missing),
        "examples": [each.label for each in missing.values()][:EXAMPLES],
        "left_out": selected.left_out[:LISTED],
        "sizes": _sizes(connections, selected, inventory) if sizes else None,
        "why": {each.platform: _why(each, why) for each in selected.platforms} if why else {},
    }
    return {"casks": document}


def _sizes(
    connections: Connections, selected: SelectedCasks, inventory: Mapping[str, int]
) -> dict[str, Any]:
    found = cask_planning.compare(connections, selected, inventory)
    return {
        "bytes": sum(each.size_bytes for each in found.missing),
        "unsized": sum(not each.size_bytes for each in found.missing),
        "failed": list(found.failed)[:LISTED],
    }


def _why(chosen: PlatformCasks, pattern: str) -> dict[str, list[str]]:
    found = sorted(each for each in chosen.dependents if fnmatchcase(each, pattern))
    return {token: chosen.chain(token) for token in found[:LISTED]}
