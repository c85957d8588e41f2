"""`inv mirror.report`: how a sync ended, or what those of some days did, as lines or as a page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from invoke.context import Context

from delivery import standing
from delivery.cloud import Cloud
from delivery.errors import BadInput, SyncFailed
from delivery.mirror import periods, sync_reports
from delivery.probe.findings import counted
from verbs import console, period_page, report_period, saved
from verbs.listing import change_lines, lines, listed
from verbs.options import ENV_HELP, JSON_HELP
from verbs.target import announce, environment_named, reach
from verbs.verb import verb


@verb(
    name="report",
    help={
        "env": ENV_HELP,
        "sync": "id of the sync, as 2026-11-22T030000Z (default: the last one)",
        "days": "instead, all syncs that began in the last so many days together, as 7",
        "html": "write the report as a page to this file",
        "json": JSON_HELP,
    },
)
def report(
    context: Context,
    env: str = "dev",
    sync: str = "",
    days: int = 0,
    html: str = "",
    json: bool = False,
) -> None:
    """Show how a sync ended: what it brought, what changed, what failed and what to do.

    With --days the same of a week, say: all its syncs, what they changed together, what could
    not be had, and how old the newest snapshot is.

    Example: inv mirror.report --env dev --days 7 --html week.html
    """
    if sync and days:
        raise BadInput(
            "a report is of one sync or of some days", where="--sync, --days", remedy="give one"
        )
    environment = environment_named(env)
    cloud = reach(environment)
    announce(environment, cloud, as_json=json)
    bucket = standing.deployed(environment, cloud)["mirror_bucket"]
    if days:
        _report_days(environment.name, cloud, bucket, days, html, as_json=json)
        return
    found = sync_reports.find(cloud, bucket, sync)
    if html:
        saved.save(html, sync_reports.page(cloud, bucket, found["sync"]), "--html")
        console.note(f"wrote {html}")
    if json:
        console.document(found)
    else:
        show(found)


def _report_days(
    environment: str, cloud: Cloud, bucket: str, days: int, html: str, *, as_json: bool
) -> None:
    period = periods.of(cloud, bucket, days)
    if html:
        saved.save(html, period_page.page(environment, period).encode(), "--html")
        console.note(f"wrote {html}")
    if as_json:
        console.document(period.as_json())
    else:
        report_period.show(period)


@contextmanager
def pointing_to_report(env: str) -> Iterator[None]:
    """Say where a sync that fails has written down how far it came."""
    try:
        yield
    except SyncFailed:
        console.note(f"report: inv mirror.report --env {env}")
        raise


def show(found: Mapping[str, Any]) -> None:
    """The report in lines: outcome, what to do, figures, changes, what could not be had."""
    console.line(f"sync {found['sync']}: {found['outcome']}, {found['ended_at']}")
    console.facts([*_failure(found), *_figures(found)])
    _changes(found.get("changes"))
    listed(
        "could not be had",
        [
            f"{each['bottle']}: {each.get('error', '')}: {each['problem']}"
            for each in found.get("failed", ())
        ],
    )
    listed("worth a look", _reasons(found.get("warnings", ())))
    listed("without a bottle upstream", _reasons(found.get("without_bottle", ())))
    listed(
        "left out, larger than selection.max_bottle_mib",
        [
            f"{each['formula']} {each['version']} {each['tag']}: {console.size(each['size_bytes'])}"
            for each in found.get("too_large", ())
        ],
    )
    listed(
        "casks whose file is not mirrored",
        [
            f"{each['cask']} on {each['platform']}: {each['problem']}"
            for each in found.get("casks_left_out", ())
        ],
    )


def _failure(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    told = {"error": "error", "problem": "problem", "where": "where", "next": "remedy"}
    return [(name, str(found[key])) for name, key in told.items() if found.get(key)]


def _figures(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    counts, sizes = found.get("counts", {}), found.get("bytes", {})
    if not counts:
        return []
    copied = f"{counts['copied']} of {counts['to_copy']}, {console.size(sizes['copied'])}"
    seconds = _pairs(found.get("seconds", {}), ".1f")
    return [
        ("formulae", str(counts["formulae"])),
        ("bottles", f"{counts['bottles']}, {console.size(sizes['snapshot'])}"),
        *([("casks", str(counts["casks"]))] if counts.get("casks") else []),
        ("copied", copied),
        *([("seconds", seconds)] if seconds else []),
        ("retries", _pairs(found.get("retries", {})) or "none"),
        ("failures", _pairs(found.get("failures", {})) or "none"),
    ]


def _pairs(values: Mapping[str, float], form: str = "") -> str:
    return ", ".join(f"{name} {value:{form}}" for name, value in values.items())


def _changes(changes: Mapping[str, Any] | None) -> None:
    if changes is None:
        return
    kinds = {"formula": ("formulae", changes)}
    if "casks" in changes:
        kinds["cask"] = ("casks", changes["casks"])
    for kind, (several, changed) in kinds.items():
        if changes["against"] is None:
            console.line(f"the first snapshot: {counted(len(changed['new']), kind, several)}")
        else:
            _changed(kind, changed, changes["against"])


def _changed(kind: str, changed: Mapping[str, Any], against: str) -> None:
    if not (changed["new"] or changed["updated"] or changed["removed"]):
        console.line(f"no {kind} changed since {against}")
        return
    console.line(
        f"{'casks ' if kind == 'cask' else ''}against {against}: {len(changed['new'])} new,"
        f" {len(changed['updated'])} updated, {len(changed['removed'])} removed"
    )
    lines(change_lines(kind, changed))


def _reasons(found: Iterable[Mapping[str, str]]) -> list[str]:
    return [f"{each['formula']} on {each['platform']}: {each['problem']}" for each in found]
