"""What the status page says, as files of its own below ``status/``; written after ``api/``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from mirror import api_files, keys, pages, snapshots, status_page
from mirror.bottles import Bottle
from mirror.bucket import Bucket
from mirror.connections import Connections
from mirror.plans import Plan
from mirror.selection import PORTABLE_RUBY

SNAPSHOTS = 30
# More than that are not written into the page but looked up in status/formulae.json.
INLINED = 400
DESCRIPTION_CHARACTERS = 160

Row = Sequence[Any]
"""Name, version, indices of platforms, description: one formula in ``formulae.json``."""


def write(connections: Connections, plan: Plan, moved: Mapping[str, str], now: datetime) -> None:
    """Write status.json, formulae.json if it changed, and the page that shows them.

    Args:
        moved: channel → the snapshot that it serves since this publish.

    Raises:
        BucketRefused: the bucket did not take one of them.
    """
    bucket = connections.bucket
    earlier = _read(bucket, keys.STATUS)
    formulae, digest = _formulae(bucket, plan, earlier.get("formulae_sha256", ""))
    before = [each for each in earlier.get("snapshots", ()) if each["id"] != plan.sync]
    there = set(snapshots.ids(bucket))
    published_at = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    document = {
        "snapshot": plan.sync,
        "published_at": published_at,
        "formulae_sha256": digest,
        "served_as": {**earlier.get("served_as", {}), **moved},
        "snapshots": [
            _snapshot(plan, published_at),
            *(each if each["id"] in there else {**each, "collected": True} for each in before),
        ][:SNAPSHOTS],
    }
    _show(connections, document, formulae)


def move(connections: Connections, moved: Mapping[str, str]) -> None:
    """Show which snapshot each channel serves, after a move between two publishes.

    Nothing is written where no page is yet: the next publish makes it.

    Raises:
        BucketRefused: the bucket did not take the page.
    """
    document = _read(connections.bucket, keys.STATUS)
    formulae = _read(connections.bucket, keys.STATUS_FORMULAE)
    if document and formulae and moved:
        document["served_as"] = {**document.get("served_as", {}), **moved}
        _show(connections, document, formulae)


def _show(
    connections: Connections, document: Mapping[str, Any], formulae: Mapping[str, Any]
) -> None:
    connections.bucket.write_json(keys.STATUS, document)
    page = status_page.page(document, formulae, connections.settings.about, inlined=INLINED)
    pages.write(connections.bucket, keys.STATUS_PAGE, page)


def write_checked(bucket: Bucket, now: datetime) -> None:
    """Note that upstream was asked for news, whether or not it had any.

    Raises:
        BucketRefused: the bucket did not take it.
    """
    checked_at = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    bucket.write_json(keys.STATUS_CHECKED, {"checked_at": checked_at})


def _snapshot(plan: Plan, created_at: str) -> dict[str, Any]:
    # Its bottles are made for the oldest system that runs them: no platform that anybody has.
    rubies = [each for each in plan.bottles if each.full_name == PORTABLE_RUBY]
    return {
        "id": plan.sync,
        "created_at": created_at,
        # Those of which there is a bottle: what is selected may have none, or too large a one.
        "formulae": len({each.full_name for each in plan.bottles}),
        "bottles": len(plan.bottles),
        **({"casks": len(plan.casks)} if plan.casks else {}),
        "bytes": plan.size_bytes,
        "platforms": list(plan.selection["platforms"]),
        "by_platform": _by_platform(each for each in plan.bottles if each not in rubies),
        **({"portable_ruby": _sum(rubies)} if rubies else {}),
    }


def _by_platform(bottles: Iterable[Bottle]) -> dict[str, dict[str, int]]:
    found: dict[str, list[Bottle]] = {}
    for bottle in bottles:
        found.setdefault(bottle.tag, []).append(bottle)
    return {tag: _sum(found[tag]) for tag in sorted(found)}


def _sum(bottles: Collection[Bottle]) -> dict[str, int]:
    return {"bottles": len(bottles), "bytes": sum(each.size_bytes for each in bottles)}


def _formulae(bucket: Bucket, plan: Plan, earlier: str) -> tuple[dict[str, Any], str]:
    """``formulae.json``, read if nothing changed, else written; and the digest of the bottles."""
    names = sorted((each.full_name, each.manifest_tag, each.tag) for each in plan.bottles)
    casks = sorted({(each.token, each.version) for each in plan.casks})
    told = [names, casks] if casks else names
    digest = hashlib.sha256(json.dumps(told).encode()).hexdigest()
    if digest == earlier and (found := _read(bucket, keys.STATUS_FORMULAE)):
        return found, digest
    formulae, of_casks = _descriptions(bucket, plan)
    document = _listed(names, formulae)
    if casks:
        document["casks"] = [[*each, of_casks.get(each[0], "")] for each in casks]
    bucket.write(keys.STATUS_FORMULAE, _compact(document))
    return document, digest


def _listed(
    names: Iterable[tuple[str, str, str]], descriptions: Mapping[str, str]
) -> dict[str, Any]:
    platforms: dict[str, int] = {}
    held: dict[tuple[str, str], list[int]] = {}
    for formula, version, tag in names:
        index = platforms.setdefault(tag, len(platforms))
        held.setdefault((formula, version), []).append(index)
    rows = [
        [formula, version, sorted(set(indices)), descriptions.get(formula, "")]
        for (formula, version), indices in held.items()
    ]
    return {"platforms": list(platforms), "formulae": rows}


def _descriptions(bucket: Bucket, plan: Plan) -> tuple[dict[str, str], dict[str, str]]:
    """Formula → what upstream says of it, from the API files of the sync; and cask → the same."""
    formulae = {bottle.formula for bottle in plan.bottles}
    casks = {each.token for each in plan.casks}
    found: tuple[dict[str, str], dict[str, str]] = ({}, {})
    for platform in plan.selection["platforms"]:
        staged = _read(bucket, keys.staged_api_file(plan.sync, api_files.packages(platform)))
        payload = json.loads(staged["payload"]) if staged else {}
        for kind, wanted, told in zip(("formulae", "casks"), (formulae, casks), found, strict=True):
            entries = payload.get(kind, {})
            for name in wanted & entries.keys() - told.keys():
                told[name] = str(entries[name].get("desc", ""))[:DESCRIPTION_CHARACTERS]
    return found


def _read(bucket: Bucket, key: str) -> dict[str, Any]:
    """The document; empty when it is not there, or spoilt: then it is made anew."""
    try:
        found = json.loads(bucket.find(key) or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _compact(document: Any) -> bytes:
    # 8,500 formulae are 700 KB so, and 900 KB with spaces and escapes.
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
