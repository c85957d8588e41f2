"""What a probe is aimed at, and how its report reads on a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from delivery import standing
from delivery.cloud import Cloud
from delivery.config import rendering
from delivery.environment import Environment
from delivery.errors import BadInput
from delivery.mirror import content, serving
from delivery.mirror.bottles import Bottle
from delivery.probe.clients import CLIENTS
from delivery.probe.defects import BREAKS, Defect
from delivery.probe.findings import Finding, Report
from delivery.probe.targets import Casks, Target
from verbs import console
from verbs.target import announce, environment_named, reach

if TYPE_CHECKING:
    from delivery.probe.gate import Proof

DEFAULT_PLATFORM = "arm64_tahoe"
NO_CASKS: Mapping[str, Any] = {"casks": [], "left_out": []}

EXAMPLES = 3
# Of a mirror that holds more, a sample is played.
ALL_PLAYED = 25
TEXT_COLUMNS = 72


@contextmanager
def aimed(
    url: str,
    env: str,
    platforms: Sequence[str],
    formulae: Sequence[str],
    *,
    casks: Sequence[str] = (),
    tap_files: Sequence[str] = (),
    as_json: bool,
    **options: Any,
) -> Iterator[Target]:
    """A mirror at an address, or an environment's bucket, served here while the probe runs.

    An environment brings what its newest snapshot holds along, casks and bottles of other taps
    included, and its key; what was asked for goes first. Any other mirror is held to no cask and
    no tap that was not asked for.

    Raises:
        BadInput: both were named, or neither.
    """
    if url and env:
        raise BadInput(
            f'"{url}" and environment "{env}" are two mirrors',
            where="--url, --env",
            remedy="probe one after the other",
        )
    if not env:
        platforms = platforms or [DEFAULT_PLATFORM]
        tapped = _of_files(tap_files, platforms)
        yield Target(
            url, platforms, formulae=formulae, casks=Casks(tuple(casks)), tapped=tapped, **options
        )
        return
    from delivery.probe import gate, taps

    environment = environment_named(env)
    cloud = reach(environment)
    announce(environment, cloud, as_json=as_json)
    bucket = standing.deployed(environment, cloud)["mirror_bucket"]
    options["public_key_pem"] = options["public_key_pem"] or _signing_key(environment, cloud)
    newest = content.latest_snapshot(cloud, bucket)
    everything = content.everything(cloud, bucket, newest.id) if newest else []
    held = content.of_core(everything)
    names = list(dict.fromkeys(each["formula"] for each in held))
    platforms = platforms or environment.settings["selection"]["platforms"]
    told = content.casks(cloud, bucket, newest.id) if newest else NO_CASKS
    known = gate.casks(told, most=0 if formulae else ALL_PLAYED)
    tapped = [] if formulae else taps.held(everything)[:ALL_PLAYED]
    with serving.serving(cloud, bucket) as served:
        yield Target(
            served,
            platforms,
            formulae=formulae or (names if len(names) <= ALL_PLAYED else gate.few(held)),
            held=None if formulae else gate.names(held),
            casks=replace(known, tokens=tuple(casks) or known.tokens),
            tapped=_of_files(tap_files, platforms) or tapped,
            **options,
        )


def _of_files(files: Sequence[str], platforms: Sequence[str]) -> list[Bottle]:
    """The bottles that the files of taps name.

    Raises:
        BadInput: a file cannot be used.
    """
    if not files:
        return []
    from delivery.config.taps import UnfitTap
    from delivery.probe import taps

    try:
        return [bottle for file in files for bottle in taps.of_file(file, platforms)]
    except UnfitTap as error:
        raise BadInput(error.problem, where="--tap-file", remedy=error.remedy) from error


def prove(environment: Environment, cloud: Cloud, bucket: str, snapshot: str) -> Proof:
    """The probe after a publish.

    Raises:
        SmokeTestFailed: a client breaks.
    """
    from delivery.probe import gate

    return gate.check(
        cloud,
        bucket,
        snapshot,
        public_key_pem=_signing_key(environment, cloud),
        environment=environment.name,
    )


def _signing_key(environment: Environment, cloud: Cloud) -> str:
    return rendering.upstream(environment, cloud.upstream)["signing_key_pem"]


def show(report: Report) -> None:
    """Who gets how far, what is wrong and what to do, and the verdict last."""
    target = report.target
    console.line(f"{target.url} as brew would use it, API at {target.api_url}")
    console.line(f"played: {', '.join(report.formulae) or 'no formula'}")
    console.line()
    _table(report)
    for defect in dict.fromkeys(finding.defect for finding in report.findings):
        console.line()
        _defect(defect, [each for each in report.findings if each.defect == defect])
    console.line()
    for note in report.notes:
        console.line(f"note: {note}")
    console.line(_verdict(report))


def _table(report: Report) -> None:
    rows = [[row.request, *(row.outcome(each) for each in CLIENTS)] for row in report.rows]
    console.table(["brew", *CLIENTS], rows)


def _defect(defect: Defect, findings: list[Finding]) -> None:
    clients = [each for each in CLIENTS if any(each in one.clients for one in findings)]
    console.line(f"{defect.id} {defect.level} {_brew(clients)}")
    _told("what", defect.what)
    for finding in findings[:EXAMPLES]:
        console.line(f"  seen: {finding.url}")
        console.line(f"        {finding.problem}")
    if len(findings) > EXAMPLES:
        console.line(f"        and {len(findings) - EXAMPLES} more")
    _told("why", defect.why)
    _told("next", defect.remedy)


def _told(name: str, text: str) -> None:
    first, *more = textwrap.wrap(text, TEXT_COLUMNS)
    console.line(f"  {name + ':':<5} {first}")
    for part in more:
        console.line(f"        {part}")


def _verdict(report: Report) -> str:
    if not report.works:
        return f"{_brew(report.broken_clients)} cannot live on this mirror"
    warned = any(finding.defect.level != BREAKS for finding in report.findings)
    return f"every client works{', with warnings' if warned else ''}"


def _brew(clients: Iterable[str]) -> str:
    return f"brew {', '.join(clients)}"
