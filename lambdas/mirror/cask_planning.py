"""What a sync is to do for casks: the selection, less what the bucket holds, with its sizes."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from mirror.cask_selection import SelectedCasks
from mirror.casks import CaskFile
from mirror.connections import Connections
from mirror.errors import MirrorError, UpstreamRefused, UpstreamUnavailable

MIB = 1024 * 1024
REQUESTS = 16


@dataclass(frozen=True)
class Casks:
    """What the snapshot is to hold of casks.

    Args:
        files: with their sizes as far as they are known.
        missing: those of them that are not in the bucket, each blob once.
        failed: ``{"bottle", "error", "problem"}`` of what its vendor does not give.
        left_out: ``{"cask", "platform", "problem"}``.
    """

    files: tuple[CaskFile, ...] = ()
    missing: tuple[CaskFile, ...] = ()
    failed: tuple[dict[str, str], ...] = ()
    left_out: tuple[dict[str, str], ...] = ()


def compare(
    connections: Connections, selected: SelectedCasks, inventory: Mapping[str, int]
) -> Casks:
    """Hold the selection against the bucket; vendors are asked for the sizes of what is missing.

    A key is proof (docs/adr/0002), and its size the file's.
    """
    files = selected.files
    held = [
        replace(each, size_bytes=inventory[each.blob_key])
        for each in files
        if each.blob_key in inventory
    ]
    absent = {each.blob_key: each for each in files if each.blob_key not in inventory}
    with ThreadPoolExecutor(REQUESTS) as pool:
        asked = list(pool.map(lambda each: _asked(connections, each), absent.values()))
    limit_bytes = connections.settings.selection.max_bottle_mib * MIB
    sized = [each for each in asked if isinstance(each, CaskFile)]
    too_large = [each for each in sized if 0 < limit_bytes < each.size_bytes]
    missing = [each for each in sized if each not in too_large]
    return Casks(
        files=tuple(sorted((*held, *missing))),
        missing=tuple(missing),
        failed=tuple(each for each in asked if isinstance(each, dict)),
        left_out=(*selected.left_out, *_told(selected, too_large)),
    )


def _asked(connections: Connections, file: CaskFile) -> CaskFile | dict[str, str]:
    try:
        return replace(file, size_bytes=connections.downloads.announced_bytes(file))
    except (UpstreamRefused, UpstreamUnavailable) as error:
        return failure(file, error)


def failure(file: CaskFile, error: MirrorError) -> dict[str, str]:
    """As the plan and the report have it."""
    return {"bottle": file.label, "error": type(error).__name__, "problem": error.problem}


def _told(selected: SelectedCasks, too_large: list[CaskFile]) -> list[dict[str, str]]:
    digests = {each.digest: each.size_bytes for each in too_large}
    return [
        {
            "cask": file.token,
            "platform": each.platform,
            "problem": f"too large: {digests[file.digest] // MIB} MiB",
        }
        for each in selected.platforms
        for file in each.files
        if file.digest in digests
    ]
