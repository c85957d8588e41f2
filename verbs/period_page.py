"""The report of some days as a page that needs nothing beside itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from delivery import html_page
from delivery.mirror.net_changes import KINDS, Changes
from delivery.mirror.periods import Period
from delivery.probe.findings import counted
from verbs import console, report

LISTED = 500


def page(environment: str, period: Period) -> str:
    """The page as HTML; every name and every message in it is escaped."""
    title = f"What the mirror of {environment} did"
    parts = (
        html_page.table(("What", "How much"), _figures(period)),
        *_section("Syncs that failed", ("Sync", "Problem", "Where", "Next"), _failed(period)),
        *_section("What could not be had", ("What", "Cause", "Syncs", "Still"), _troubles(period)),
        *_changes("Formulae", "formula", period.formulae),
        *_changes("Casks", "cask", period.casks),
        *_section("Every sync", ("Sync", "Outcome", "Brought", "Seconds"), _syncs(period)),
    )
    return html_page.document(title, f"{period.since} to {period.until}", *parts)


def _figures(period: Period) -> Iterable[Sequence[object]]:
    counts = period.as_json()["counts"]
    yield "Newest snapshot", period.snapshot.id if period.snapshot else "none"
    yield "Age of it", "-" if period.age_seconds is None else report.age(period.age_seconds)
    for name, words in (
        ("syncs", "Syncs"),
        ("published", "Published"),
        ("without_news", "Published with nothing new"),
        ("failed", "Failed"),
        ("unreported", "Without a report: running, or killed"),
    ):
        yield words, counts[name]
    yield (
        "Brought",
        f"{counted(period.copied, 'file', 'files')}, {console.size(period.copied_bytes)}",
    )
    yield "Requests tried again", counts["retries"]


def _failed(period: Period) -> Iterable[Sequence[object]]:
    for each in period.failed:
        problem = f"{each.get('error', '')}: {each.get('problem', '')}"
        yield each["sync"], problem, each.get("where", ""), each.get("remedy", "")


def _troubles(period: Period) -> Iterable[Sequence[object]]:
    for each in period.troubles:
        told = f"{each.error}: {each.problem}"
        yield each.bottle, told, each.syncs, "yes" if each.is_open else "no"


def _changes(title: str, kind: str, changes: Changes) -> Iterable[str]:
    for name in KINDS:
        rows = [(each[kind], _versions(each)) for each in changes[name]]
        yield from _section(f"{title}, {name}", ("Name", "Version"), rows)


def _versions(each: Mapping[str, str]) -> str:
    return f"{each['from']} → {each['to']}" if "to" in each else each["version"]


def _syncs(period: Period) -> Iterable[Sequence[object]]:
    for each in period.as_json()["syncs"]:
        brought = f"{each['copied']}, {console.size(each['bytes'])}"
        yield each["sync"], each["outcome"], brought, each["seconds"] or ""


def _section(title: str, headers: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterable[str]:
    found = list(rows)
    if found:
        yield f"<h2>{title}: {len(found)}</h2>"
        yield html_page.table(headers, found[:LISTED])
    if len(found) > LISTED:
        yield f"<p>and {len(found) - LISTED} more: <code>--json</code> has them</p>"
