"""Bottles of other taps: asked of the mirror as those of homebrew/core are, named by no API file.

What names them is the tap's file (docs/adr/0030), or what a snapshot of ours holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from delivery.config import taps
from delivery.mirror.bottles import Bottle
from delivery.probe import catalogues, downloads
from delivery.probe.clients import CLIENTS
from delivery.probe.downloads import Download
from delivery.probe.findings import Row, counted
from delivery.probe.parallel import at_once
from delivery.probe.targets import Target
from delivery.probe.web import Web


def rows(web: Web, target: Target) -> tuple[list[Row], list[str]]:
    """A row for the manifests and one for the bottles, and what was left out; none without taps."""
    if not target.tapped:
        return [], []
    found = at_once(lambda each: downloads.check(web, target, each, CLIENTS), target.tapped)
    names = {(each.repository, each.name) for each in target.tapped}
    count = counted(len(names), "formula of another tap", "formulae of other taps")
    manifest = tuple(finding for each in found for finding in each.manifest)
    blob = tuple(finding for each in found for finding in each.blob)
    rows = [
        Row(f"manifests of {count}", CLIENTS, manifest),
        Row(f"bottles of {count}", CLIENTS, blob),
    ]
    return rows, list(_unread(found, target))


def held(listed: Iterable[Mapping[str, Any]]) -> list[Bottle]:
    """Those of a ``bottles.json`` (docs/reference/bucket-layout.md), the smallest first."""
    tapped = (each for each in listed if "repository" in each)
    return [
        Bottle(
            *(each["formula"], each["version"], each["rebuild"], each["tag"], each["digest"]),
            repository=each["repository"],
        )
        for each in sorted(tapped, key=lambda each: int(each["size_bytes"]))
    ]


def of_file(file: str, platforms: Sequence[str]) -> list[Bottle]:
    """What a tap's file offers the platforms: their own bottle, one for all, or an older macOS's.

    Raises:
        UnfitTap: see `taps.read`.
    """
    found = []
    for each in taps.read(file):
        for platform in platforms:
            tag = next((one for one in catalogues.fitting(platform) if one in each.digests), None)
            if tag is not None:
                found.append(
                    Bottle(
                        *(each.formula, each.version, each.rebuild, tag, each.digests[tag]),
                        repository=each.repository,
                    )
                )
    return list(dict.fromkeys(found))


def _unread(found: Iterable[Download], target: Target) -> Iterator[str]:
    mib = target.bottle_limit_bytes // 2**20
    for each in found:
        if not each.was_read:
            name = f"{each.bottle.repository}/{each.bottle.name}"
            yield f"over {mib} MiB, not fetched whole: {name}"
