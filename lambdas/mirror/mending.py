"""Manifests that a verification found damaged or gone, fetched anew from upstream.

The sync worker, which verifies, may not write what clients trust (docs/adr/0009): whoever may
publish manifests mends them, under the lease, so that none of a newer sync is overwritten.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from mirror import keys, snapshots, staging, telemetry
from mirror.bottles import Bottle
from mirror.bucket import Bucket
from mirror.connections import Connections
from mirror.deadline import Deadline
from mirror.errors import BadEvent, BadManifest, BucketRefused, MirrorError, OutOfTime
from mirror.registry import INDEX_TYPE
from mirror.verification_reports import Damage, Report

# Small requests, most of it waiting.
REQUESTS = 16


def mend(
    connections: Connections, run: str, *, seconds_left: Callable[[], float]
) -> dict[str, Any]:
    """Mend as many manifests of a run as there is time for; the next call goes on.

    An index is written only if it promises every bottle that the snapshot has under its key,
    in the size that the snapshot names. What cannot be mended stays named, with the reason.

    Returns:
        As `verification.verify`; ``to_mend`` counts what is left to do.

    Raises:
        BadEvent: there is no such run.
        OutOfTime: not even one step fits into the function's time.
    """
    bucket, deadline = connections.bucket, Deadline(seconds_left)
    report = began = _report(bucket, run)
    groups = _by_index(bucket, report.request.snapshot) if report.to_mend else {}
    while report.to_mend:
        try:
            deadline.sleep(0)  # Raises once only the margin is left.
        except OutOfTime:
            if report == began:  # The next call would come no further either.
                raise
            break
        report = _step(connections, report, groups)
    report.write(bucket)
    answer = report.as_answer()
    telemetry.tell("mended", **answer)
    return answer


def _report(bucket: Bucket, run: str) -> Report:
    found = Report.read(bucket, run)
    if found is None:
        raise BadEvent(
            f'there is no verification "{run}"',
            where=bucket.where(keys.verification_report(run)),
            remedy="begin one: inv mirror.verify --deep --repair",
        )
    return found


def _by_index(bucket: Bucket, snapshot: str) -> Mapping[str, Sequence[Bottle]]:
    found: dict[str, list[Bottle]] = {}
    for bottle in snapshots.bottles_of(bucket, snapshots.read(bucket, snapshot)):
        found.setdefault(bottle.manifest_key, []).append(bottle)
    return found


def _step(
    connections: Connections, report: Report, groups: Mapping[str, Sequence[Bottle]]
) -> Report:
    some = report.to_mend[:REQUESTS]
    with ThreadPoolExecutor(REQUESTS) as pool:
        tried = pool.map(lambda each: _mended(connections, each, groups[each.key]), some)
        by_key = {each.key: each for each in tried}
    damaged = tuple(by_key.get(each.key, each) for each in report.damaged)
    return replace(report, damaged=damaged, mended=report.mended + len(some))


def _mended(connections: Connections, damage: Damage, bottles: Sequence[Bottle]) -> Damage:
    try:
        body = connections.registry.manifest(bottles[0].image, bottles[0].manifest_tag)
        _check(connections, bottles, body)
        connections.bucket.write(damage.key, body, INDEX_TYPE)
    except BucketRefused:
        raise
    except MirrorError as error:
        return replace(damage, problem=f"{damage.problem}; not repaired: {error.problem}")
    return replace(damage, repaired=True)


def _check(connections: Connections, bottles: Sequence[Bottle], body: bytes) -> None:
    found = staging.promised(connections, bottles, body)
    problems = [each["problem"] for each in found.failed]
    problems += [
        f"upstream's index promises {new.size_bytes} bytes of {new.label}, not {old.size_bytes}"
        for old, new in zip(bottles, found.bottles, strict=False)
        if not problems and new != old
    ]
    if problems:
        raise BadManifest(
            problems[0],
            where=bottles[0].manifest_key,
            remedy="upstream has another manifest by now: run `inv mirror.sync`",
        )
