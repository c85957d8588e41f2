"""How the report of some days reads on a terminal: the same facts as its page has."""

from __future__ import annotations

from collections.abc import Sequence

from delivery.mirror.net_changes import KINDS, Changes
from delivery.mirror.periods import Period
from delivery.probe.findings import counted
from verbs import console, report
from verbs.listing import change_lines, lines, listed


def show(period: Period) -> None:
    """How many syncs there were and how fresh the mirror is, then failures, then changes."""
    told = period.as_json()["counts"]
    console.line(
        f"{period.since} to {period.until}: {counted(told['syncs'], 'sync', 'syncs')},"
        f" {told['published']} published, {told['failed']} failed"
    )
    console.facts(_figures(period))
    for each in period.failed:
        console.line(f"failed: {each['sync']}: {each.get('error', '')}: {each.get('problem', '')}")
        console.line(f"  next: {each.get('remedy', '')}")
    listed("without a report, so running or killed", list(period.unreported))
    listed("could not be had", _troubles(period))
    for kind, several, changes in (
        ("formula", "formulae", period.formulae),
        ("cask", "casks", period.casks),
    ):
        _changed(kind, several, changes)


def _figures(period: Period) -> Sequence[tuple[str, str]]:
    newest = "none: nothing was ever published"
    if period.snapshot and period.age_seconds is not None:
        newest = f"{period.snapshot.id}, {report.age(period.age_seconds)} old"
    return [
        ("newest snapshot", newest),
        (
            "brought",
            f"{counted(period.copied, 'file', 'files')}, {console.size(period.copied_bytes)}",
        ),
        ("nothing new in", counted(period.without_news, "sync", "syncs")),
        ("tried again", counted(period.retries, "request", "requests")),
    ]


def _troubles(period: Period) -> list[str]:
    return [
        f"{each.bottle}: {each.error}: {each.problem}"
        f" ({'still' if each.is_open else 'no longer'}, in {counted(each.syncs, 'sync', 'syncs')})"
        for each in period.troubles
    ]


def _changed(kind: str, several: str, changes: Changes) -> None:
    if any(changes.values()):
        console.line(f"{several}: {', '.join(f'{len(changes[name])} {name}' for name in KINDS)}")
        lines(change_lines(kind, changes))
