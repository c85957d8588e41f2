"""What a dry run tells beyond counts: sizes, S3 requests, and why each formula is in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

from mirror import settings, staging, taps
from mirror.bottles import Bottle
from mirror.catalogue import Catalogue
from mirror.connections import Connections
from mirror.errors import UpstreamRefused, UpstreamUnavailable
from mirror.matching import is_glob, matches
from mirror.selection import PlatformSelection, Selected

MIB = 1024 * 1024
PART_BYTES = 8 * MIB
LARGEST = 5
# A caller waits for the answer: some 15 s at GHCR's pace.
MANIFESTS = 2000
# A Lambda answers with 6 MB at most; a chain takes some hundred bytes.
CHAINS = 30_000
# Of a sync, whatever it brings: lease, plan, batches, results, snapshot, report.
UPKEEP_PUTS, UPKEEP_GETS = 20, 20


def sizes(
    connections: Connections, missing: Iterable[Bottle]
) -> tuple[dict[str, Any], list[Bottle]]:
    """Look up how large the missing bottles are; at most `MANIFESTS` manifests are fetched.

    Returns:
        What the manifests tell, and the bottles that are too large:
        ``{"bytes", "estimate", "sized", "unsized", "too_large", "largest": [["llvm 21.1 …",
        bytes], …], "parts"}``: `unsized` is what no manifest told, `too_large` what the settings
        leave out for its size; neither is in `bytes`. `estimate` reckons the unsized ones to be
        as large as the sized.
    """
    missing = list(missing)
    groups = _drawn(missing)
    with ThreadPoolExecutor(staging.REQUESTS) as pool:
        found = list(pool.map(lambda group: _sized(connections, group), groups[:MANIFESTS]))
    sized = [bottle for group in found for bottle in group]
    limit_bytes = connections.settings.selection.max_bottle_mib * MIB
    too_large = [each for each in sized if 0 < limit_bytes < each.size_bytes]
    taken = sorted(set(sized) - set(too_large))
    by_size = sorted(taken, key=lambda bottle: bottle.size_bytes, reverse=True)
    told_bytes = sum({bottle.blob_key: bottle.size_bytes for bottle in taken}.values())
    told = {
        "bytes": told_bytes,
        "estimate": told_bytes * len(missing) // len(sized) if sized else 0,
        "sized": len(taken),
        "unsized": len(missing) - len(sized),
        "too_large": len(too_large),
        "largest": [[bottle.label, bottle.size_bytes] for bottle in by_size[:LARGEST]],
        "parts": sum(_puts(bottle.size_bytes) - 1 for bottle in taken),
    }
    return told, too_large


def _drawn(missing: Iterable[Bottle]) -> list[list[Bottle]]:
    """The bottles of each manifest, in an order that is as good as drawn by lot.

    A digest has nothing to do with a name or a size, so that the first of them stand for all.
    """
    by_manifest: dict[str, list[Bottle]] = {}
    for bottle in sorted(missing, key=lambda bottle: bottle.digest):
        by_manifest.setdefault(bottle.manifest_key, []).append(bottle)
    return list(by_manifest.values())


def _sized(connections: Connections, group: Sequence[Bottle]) -> Sequence[Bottle]:
    try:
        body = connections.registry.manifest(group[0].image, group[0].manifest_tag)
    except (UpstreamRefused, UpstreamUnavailable):  # It stays unsized, and is told so.
        return ()
    return staging.promised(connections, group, body).bottles


def _puts(size_bytes: int) -> int:
    """Requests that put one blob: one, or a multipart upload's."""
    return 1 if size_bytes <= PART_BYTES else -(-size_bytes // PART_BYTES) + 2


def requests(
    missing: Collection[Bottle], *, keys: int, platforms: int, parts: int
) -> dict[str, int]:
    """About how many S3 requests a sync makes, by their price: PUT and LIST, or GET.

    Args:
        missing: what it is to copy.
        keys: how many objects its two listings pass over.
        parts: requests that large bottles take beyond one each, where sizes are known.
    """
    indexes = len({bottle.manifest_key for bottle in missing})
    packs = -(-indexes // staging.PACK_MANIFESTS)
    api_files = 4 + 3 * platforms
    listings = 2 * -(-keys // 1000)
    blobs = len({bottle.blob_key for bottle in missing})
    return {
        "put": blobs + parts + indexes + packs + listings + 3 * api_files + UPKEEP_PUTS,
        "get": packs + 3 * api_files + UPKEEP_GETS,
    }


def why(
    selected: Selected,
    catalogues: Sequence[Catalogue],
    wanted: settings.Selection,
    pattern: str,
) -> dict[str, dict[str, Any]]:
    """Why formulae are selected, or why the one that is named is not.

    Returns:
        ``{"arm64_tahoe": {"chains": {"openssl@3": ["wget", "openssl@3"]}, "more": 0,
        "not_selected": {"exa": "deprecated upstream, …"}}, …}``; `more` counts the chains
        that the answer has no room for.
    """
    room = CHAINS // len(catalogues)
    return {
        chosen.platform: _why(chosen, catalogue, wanted, pattern, room)
        for chosen, catalogue in zip(selected.platforms, catalogues, strict=True)
    }


def _why(
    chosen: PlatformSelection,
    catalogue: Catalogue,
    wanted: settings.Selection,
    pattern: str,
    room: int,
) -> dict[str, Any]:
    name = catalogue.resolve(pattern) or pattern
    found = sorted(each for each in chosen.formulae if fnmatchcase(each, name))
    tapped = {each.full_name: each for each in wanted.taps if fnmatchcase(each.full_name, pattern)}
    held = [each for each in tapped if tapped[each].bottle_for(chosen.platform) is not None]
    names = [*found, *held]
    absent = {each: taps.NO_BOTTLE for each in tapped if each not in held}
    if not is_glob(pattern) and not tapped and name not in chosen.formulae:
        absent = {name: _why_not(name, catalogue, wanted)}
    return {
        "chains": {
            each: [each] if each in tapped else list(chosen.chain(each)) for each in names[:room]
        },
        "more": max(0, len(names) - room),
        "not_selected": absent,
    }


def _why_not(name: str, catalogue: Catalogue, wanted: settings.Selection) -> str:
    formula = catalogue.formulae.get(name)
    if formula is None:
        return "upstream has no such formula for this platform"
    if found := _matching(name, wanted.exclude, catalogue):
        return f'selection.exclude has "{found}"'
    if not _matching(name, wanted.formulae, catalogue):
        return "nothing in selection.formulae matches it, and nothing that is selected needs it"
    if formula.is_disabled(datetime.now(UTC).date()):
        return "disabled upstream: name it, or set selection.include_disabled"
    return "deprecated upstream: name it, or set selection.include_deprecated"


def _matching(name: str, patterns: Iterable[str], catalogue: Catalogue) -> str:
    return next((each for each in patterns if name in matches(each, catalogue)), "")


def by_platform(selected: Selected, inventory: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Per platform: formulae, how many of them only as dependencies, bottles, missing ones."""
    return {
        each.platform: {
            "formulae": len(each.formulae),
            "dependencies": sum(1 for dependent in each.dependents.values() if dependent),
            "bottles": len(each.bottles),
            "missing": sum(bottle.blob_key not in inventory for bottle in each.bottles),
        }
        for each in selected.platforms
    }
