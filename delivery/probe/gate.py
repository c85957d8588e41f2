"""The probe after every publish: what was published, played by every client in a few seconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from delivery.cloud import Cloud
from delivery.errors import SmokeTestFailed
from delivery.mirror import content
from delivery.mirror.bottles import Bottle
from delivery.mirror.serving import serving
from delivery.probe import sampling, taps
from delivery.probe.conformance import probe
from delivery.probe.defects import BREAKS
from delivery.probe.findings import Report
from delivery.probe.targets import Casks, Target

# Larger bottles are asked for their first byte only: the gate is part of every deploy.
BOTTLE_LIMIT_BYTES = 4 * 2**20
TOLD = 5
FEW = 3


@dataclass(frozen=True)
class Proof:
    """That every client can live on what was published, and what it took to know."""

    requests: int
    formulae: Sequence[str]
    warnings: Sequence[str]


def check(
    cloud: Cloud, bucket: str, snapshot: str, *, public_key_pem: str, environment: str
) -> Proof:
    """Serve the bucket on this machine and play brew 4, 5 and 6 on a few of its smallest formulae,
    casks and bottles of other taps.

    Platforms and formulae are taken from the snapshot, which says what the mirror holds: its API
    files name all of Homebrew, and the configuration may have been edited since.

    Args:
        snapshot: the id of what a sync has just published.
        environment: for the remedy.

    Raises:
        SmokeTestFailed: a client breaks; the message has each defect and where it was met.
    """
    everything = content.everything(cloud, bucket, snapshot)
    held = content.of_core(everything)
    platforms = content.platforms(cloud, bucket, snapshot)
    with serving(cloud, bucket) as url:
        report = probe(
            Target(
                url,
                platforms,
                api_url=f"{url}/{content.api_prefix(cloud, bucket, snapshot, platforms[0])}",
                formulae=few(held),
                held=names(held),
                public_key_pem=public_key_pem,
                bottle_limit_bytes=BOTTLE_LIMIT_BYTES,
                casks=casks(content.casks(cloud, bucket, snapshot), most=FEW),
                tapped=taps.held(everything)[:FEW],
            )
        )
    if not report.works:
        raise _broken(report, environment)
    warnings = [f"{each.defect.id}: {each.problem}" for each in report.findings]
    return Proof(report.requests, report.formulae, tuple(warnings))


def names(held: Iterable[Mapping[str, Any]]) -> frozenset[tuple[str, str]]:
    """Formula and bottle tag of each: a Mac need not have what only Linux needs."""
    return frozenset((each["formula"], each["tag"]) for each in held)


def few(held: Sequence[Mapping[str, Any]]) -> list[str]:
    """The smallest, and the smallest of each oddity that has broken a mirror."""
    smallest_first = sorted(held, key=lambda each: (each["size_bytes"], each["formula"]))
    return sampling.few(
        Bottle(each["formula"], each["version"], each["rebuild"], each["tag"], each["digest"])
        for each in smallest_first
    )


def casks(told: Mapping[str, Any], most: int) -> Casks:
    """What a ``casks.json`` says, the smallest few of it to be played."""
    files = sorted(told["casks"], key=lambda each: (each["size_bytes"], each["token"]))
    return Casks(
        tuple(dict.fromkeys(each["token"] for each in files))[:most],
        {each["digest"]: each["size_bytes"] for each in files},
        frozenset((each["cask"], each["platform"]) for each in told["left_out"]),
    )


def _broken(report: Report, environment: str) -> SmokeTestFailed:
    met = [each for each in report.findings if each.defect.level == BREAKS]
    told = [f"{each.defect.id}: {each.problem} ({each.url})" for each in met[:TOLD]]
    if len(met) > TOLD:
        told.append(f"and {len(met) - TOLD} more")
    return SmokeTestFailed(
        f"brew {', '.join(report.broken_clients)} cannot live on it: {'; '.join(told)}",
        where=report.target.api_url,
        remedy=f"{met[0].defect.remedy}; `inv mirror.probe --env {environment}` tells all",
    )
