"""What a sync would look for, written out for whoever can bring it in another way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mirror import api_files, keys
from mirror.connections import Connections
from mirror.selection import select
from mirror.settings import Selection


def write(connections: Connections, *, everything: bool) -> dict[str, Any]:
    """Write ``syncs/wanted.json``: the bottles that the signed catalogue names and we lack.

    Args:
        everything: all bottles of the selected platforms, not only those of the selection.

    Returns:
        ``{"key", "bottles", "present"}``: how many are listed, and how many are there already.

    Raises:
        UntrustedCatalogue, NotUpstream, UpstreamUnavailable: see `api_files.catalogues`.
    """
    selection = connections.settings.selection
    if everything:
        selection = _all_of(selection)
    selected = select(tuple(api_files.catalogues(connections)), selection)
    inventory = connections.bucket.sizes(keys.V2)
    missing = [each for each in selected.bottles if each.blob_key not in inventory]
    listed = [each.as_json() | {"image": each.image} for each in missing]
    connections.bucket.write_json(keys.WANTED, {"bottles": listed})
    present = len(selected.bottles) - len(missing)
    return {"key": keys.WANTED, "bottles": len(missing), "present": present}


def _all_of(selection: Selection) -> Selection:
    return replace(
        selection, formulae=("*",), exclude=(), include_deprecated=True, include_disabled=True
    )
