"""What a sync would look for, written out for whoever can bring it in another way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mirror import api_files, cask_selection, keys, planning, portable_ruby, taps
from mirror.bottles import Bottle
from mirror.casks import CaskFile
from mirror.connections import Connections
from mirror.selection import select
from mirror.settings import Selection


def write(connections: Connections, *, everything: bool) -> dict[str, Any]:
    """Write ``syncs/wanted.json``: what signed catalogues and taps' files name and we lack.

    Args:
        everything: all bottles of the selected platforms, not only those of the selection; and
            all casks, if any is selected.

    Returns:
        ``{"key", "bottles", "casks", "present"}``: how many are listed, and how many bottles
        and casks are there already.

    Raises:
        UntrustedCatalogue, NotUpstream, UpstreamUnavailable: see `api_files.catalogues`.
    """
    settings = connections.settings
    if everything:
        settings = replace(settings, selection=_all_of(settings.selection))
    bottles, casks = _selected(connections.with_settings(settings))
    inventory = connections.bucket.sizes(keys.V2)
    missing = [each for each in bottles if each.blob_key not in inventory]
    absent = [each for each in casks if each.blob_key not in inventory]
    document = {
        "bottles": [each.as_json() | {"image": each.image} for each in missing],
        "casks": [each.as_json() for each in absent],
    }
    connections.bucket.write_json(keys.WANTED, document)
    present = len(bottles) - len(missing) + len(casks) - len(absent)
    counts = {"bottles": len(missing), "casks": len(absent), "present": present}
    return {"key": keys.WANTED, **counts}


def _selected(connections: Connections) -> tuple[list[Bottle], list[CaskFile]]:
    """All that a sync of these settings would mirror, sizes not known."""
    wanted = connections.settings.selection
    catalogues = tuple(api_files.catalogues(connections))
    chosen = cask_selection.select(api_files.casks(connections, catalogues), wanted)
    selected = select(catalogues, wanted, for_others=planning.needed(wanted, chosen))
    tapped = taps.bottles(wanted.taps, wanted.platforms)
    bottles = {*selected.bottles, *portable_ruby.bottles(connections), *tapped}
    return sorted(bottles), chosen.files


def _all_of(selection: Selection) -> Selection:
    return replace(
        selection,
        formulae=("*",),
        exclude=(),
        include_deprecated=True,
        include_disabled=True,
        casks=("*",) if selection.casks else (),
        exclude_casks=(),
    )
