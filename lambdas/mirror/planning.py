"""What a sync is to do: the selection, less what the bucket holds, cut into batches."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mirror import (
    api_files,
    batches,
    cask_planning,
    cask_previews,
    cask_selection,
    completion,
    keys,
    lease,
    news,
    portable_ruby,
    previews,
    proofs,
    reports,
    settings,
    snapshots,
    staging,
    taps,
    telemetry,
)
from mirror.api_files import Staged
from mirror.bottles import Bottle
from mirror.bucket import Bucket
from mirror.cask_planning import Casks
from mirror.cask_selection import SelectedCasks
from mirror.casks import Held
from mirror.connections import Connections
from mirror.plans import Account, Plan
from mirror.selection import Selected, select
from mirror.snapshots import Snapshot
from mirror.staging import StagedManifest
from mirror.telemetry import Metric

MIB = 1024 * 1024
EXAMPLES = 10
# A Lambda answers with 6 MB at most.
WARNINGS = 1000


def plan(
    connections: Connections, execution: str, *, is_running: lease.IsRunning, now: datetime
) -> dict[str, Any]:
    """Take the lease, stage API files and manifests, write plan and batches.

    Called again by the same execution it goes on with the same sync; what is staged is kept.
    When there is no news, no plan is written but the report that `Publish` will find
    (docs/adr/0012).

    Returns:
        The answer of the state `Plan` (docs/reference/state-machine.md); `bytes` is what is
        to be copied.

    Raises:
        SyncUnderWay: another execution holds the lease.
        UnknownFormula, UntrustedCatalogue, UpstreamUnavailable: see `api_files` and `selection`.
        BucketRefused: the bucket cannot be listed or written.
    """
    since = time.monotonic()
    bucket = connections.bucket
    sync = lease.acquire(bucket, execution, is_running, now)
    telemetry.about(sync)
    if (answered := _answered_before(bucket, sync, now)) is not None:
        return answered
    newest = snapshots.newest(bucket, before=sync)
    staged = api_files.stage(connections, sync, newest)
    found = _compare(connections, sync, newest, staged)
    account = Account(
        started_at=now.timestamp(),
        seconds=round(time.monotonic() - since, 3),
        to_copy_bytes=sum(each.size_bytes for each in found.missing),
        retries=telemetry.take_retries(),
    )
    written = _as_plan(connections, sync, staged, found, account)
    if newest is not None and not found.missing and not found.fetched:
        answer = news.answer_without_news(bucket, written, newest)
        if answer is not None:
            completion.conclude_without_news(connections, written, answer, now=now)
            return _answer(written, 0)
    if newest is not None:
        api_files.stage_kept(bucket, sync, staged, newest)
    written.write(bucket)
    count = batches.write(connections, sync, found.missing)
    _measure(written, newest, count)
    return _answer(written, count)


@dataclass(frozen=True)
class _Comparison:
    """The selection held against the bucket: what the snapshot is to hold, and what is missing.

    Args:
        bottles: with their sizes, those over the limit left out.
        fetched: the indexes that had to be looked up.
    """

    selected: Selected
    bottles: tuple[Bottle, ...]
    too_large: tuple[Bottle, ...]
    fetched: tuple[StagedManifest, ...]
    missing: tuple[Held, ...]
    casks: Casks


def _compare(
    connections: Connections, sync: str, newest: Snapshot | None, staged: Staged
) -> _Comparison:
    wanted = connections.settings.selection
    chosen = cask_selection.select(staged.casks, wanted)
    selected = select(staged.catalogues, wanted, for_others=needed(wanted, chosen))
    inventory = connections.bucket.sizes(keys.V2)
    casks = cask_planning.compare(connections, chosen, inventory)
    tapped = taps.bottles(wanted.taps, wanted.platforms)
    limit_bytes = wanted.max_bottle_mib * MIB
    proven = proofs.proven(connections.bucket, inventory, newest, limit_bytes)
    all_bottles = sorted({*selected.bottles, *portable_ruby.bottles(connections, proven), *tapped})
    fetched = staging.stage(connections, sync, proofs.unproven(all_bottles, proven))
    sized = proofs.sized(all_bottles, proven, fetched)
    bottles = tuple(bottle for bottle in sized if not proofs.is_too_large(bottle, limit_bytes))
    return _Comparison(
        selected=selected,
        bottles=bottles,
        too_large=tuple(bottle for bottle in sized if proofs.is_too_large(bottle, limit_bytes)),
        fetched=tuple(fetched),
        missing=(*_missing(bottles, inventory), *casks.missing),
        casks=casks,
    )


def _as_plan(
    connections: Connections,
    sync: str,
    staged: Staged,
    found: _Comparison,
    account: Account,
) -> Plan:
    wanted = connections.settings.selection
    served = {(bottle.image, bottle.manifest_tag) for bottle in found.bottles}
    return Plan(
        sync=sync,
        selection=wanted.as_json(),
        formulae=found.selected.formulae,
        bottles=found.bottles,
        to_copy=len(found.missing),
        manifests=tuple(
            (each.image, each.tag, each.pack)
            for each in found.fetched
            if each.pack and (each.image, each.tag) in served
        ),
        failed=(
            *(problem for each in found.fetched for problem in each.failed),
            *found.casks.failed,
        ),
        api_files=staged.digest_by_path,
        without_bottle=(
            *found.selected.without_bottle,
            *taps.without_bottle(wanted.taps, wanted.platforms),
        ),
        warnings=(*found.selected.warnings, *found.selected.holes(found.too_large)),
        too_large=found.too_large,
        casks=found.casks.files,
        casks_left_out=found.casks.left_out,
        validators=staged.validators,
        account=account,
    )


def dry_run(connections: Connections, *, sizes: bool = False, why: str = "") -> dict[str, Any]:
    """What a sync would do; reads the API files and the bucket's listing, writes nothing.

    Whether a bottle is there is told by its key alone: sizes stand in manifests.

    Args:
        sizes: fetch the manifests of missing bottles, to tell their sizes.
        why: a name or glob of formulae to give the reason of.

    Returns:
        As docs/reference/state-machine.md has it.
    """
    wanted = connections.settings.selection
    catalogues = tuple(api_files.catalogues(connections))
    chosen = cask_selection.select(api_files.casks(connections, catalogues), wanted)
    selected = select(catalogues, wanted, for_others=needed(wanted, chosen))
    inventory = connections.bucket.sizes(keys.V2)
    tapped = taps.bottles(wanted.taps, wanted.platforms)
    bottles = sorted({*selected.bottles, *portable_ruby.bottles(connections), *tapped})
    missing = [bottle for bottle in bottles if bottle.blob_key not in inventory]
    sized, too_large = previews.sizes(connections, missing) if sizes else (None, [])
    chains = {each.label: selected.chain(each.full_name) for each in missing[:EXAMPLES]}
    return {
        "formulae": selected.formulae,
        "bottles": len(bottles),
        "present": len(bottles) - len(missing),
        "missing": len(missing),
        "without_bottle": len(selected.without_bottle),
        "warnings": [*selected.warnings, *selected.holes(too_large)][:WARNINGS],
        "by_platform": previews.by_platform(selected, inventory),
        "examples": list(chains),
        "chains": chains,
        "sizes": sized,
        "requests": previews.requests(
            missing,
            keys=len(inventory),
            platforms=len(catalogues),
            parts=sized["parts"] if sized else 0,
        ),
        "why": previews.why(selected, catalogues, wanted, why) if why else {},
        **cask_previews.told(connections, chosen, inventory, why, sizes=sizes),
    }


def needed(wanted: settings.Selection, chosen: SelectedCasks) -> Mapping[str, Mapping[str, str]]:
    """Platform → what casks and other taps need of homebrew/core → which of them does."""
    tapped = taps.needed(wanted.taps, wanted.platforms)
    casks = chosen.formulae
    return {each: {**tapped[each], **casks.get(each, {})} for each in wanted.platforms}


def _missing(bottles: Iterable[Bottle], inventory: Mapping[str, int]) -> list[Bottle]:
    """What is not there in full, each blob once, whatever number of bottles it serves."""
    by_key = {bottle.blob_key: bottle for bottle in bottles}
    return [each for key, each in by_key.items() if inventory.get(key) != each.size_bytes]


def _answer(written: Plan, count: int) -> dict[str, Any]:
    return {
        "sync": written.sync,
        "batches": count,
        "batches_key": keys.batches(written.sync),
        "formulae": written.formulae,
        "bottles": len(written.bottles),
        **({"casks": len(written.casks)} if written.casks else {}),
        "missing": written.to_copy,
        "bytes": written.account.to_copy_bytes,
    }


def _answered_before(bucket: Bucket, sync: str, now: datetime) -> dict[str, Any] | None:
    """What this execution was told before, if that was that there is no news.

    `Publish` goes by the report, which says so already: what has come since is the next sync's.
    """
    if keys.moment(sync) >= now.replace(microsecond=0):  # It asks for the first time.
        return None
    published = reports.published(bucket, sync)
    if published is None or published["snapshot"] == sync:
        return None
    answer = {
        "sync": sync,
        "batches": 0,
        "batches_key": keys.batches(sync),
        "missing": 0,
        "bytes": 0,
    }
    counted = ("formulae", "bottles", "casks")
    return answer | {name: published[name] for name in counted if name in published}


def _measure(written: Plan, newest: Snapshot | None, count: int) -> None:
    metrics: dict[Metric, float] = {
        Metric.BOTTLES_SELECTED: len(written.bottles),
        Metric.BOTTLES_MISSING: written.to_copy,
        Metric.BYTES_MISSING: written.account.to_copy_bytes,
        Metric.BOTTLES_FAILED: len(written.failed),
        Metric.WITHOUT_BOTTLE: len(written.without_bottle),
        Metric.PLAN_SECONDS: written.account.seconds,
        Metric.RETRIES: sum(written.account.retries.values()),
    }
    if newest is not None:
        age = written.account.started_at - keys.moment(newest.id).timestamp()
        metrics[Metric.SNAPSHOT_AGE] = round(age, 3)
    failures = Counter(each["error"] for each in written.failed)
    telemetry.measure(
        "planned",
        metrics,
        failures=failures,
        batches=count,
        formulae=written.formulae,
        retries=written.account.retries,
    )
