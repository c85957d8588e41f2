"""The report of some days as a page that needs nothing beside itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from delivery.mirror.net_changes import KINDS, Changes
from delivery.mirror.periods import Period
from delivery.probe.findings import counted
from verbs import console, report

LISTED = 500
STYLE = (
    "body{font:16px system-ui;margin:2rem;max-width:70rem}table{border-collapse:collapse}"
    "td,th{padding:.4rem .8rem;border-bottom:1px solid #ccc;text-align:left;vertical-align:top}"
    "@media(prefers-color-scheme:dark){body{background:#111;color:#eee}}"
)


def page(environment: str, period: Period) -> str:
    """The page as HTML; every name and every message in it is escaped."""
    title = f"What the mirror of {escape(environment)} did"
    parts = (
        _table(("What", "How much"), _figures(period)),
        *_section("Syncs that failed", ("Sync", "Problem", "Where", "Next"), _failed(period)),
        *_section("What could not be had", ("What", "Cause", "Syncs", "Still"), _troubles(period)),
        *_changes("Formulae", "formula", period.formulae),
        *_changes("Casks", "cask", period.casks),
        *_section("Every sync", ("Sync", "Outcome", "Brought", "Seconds"), _syncs(period)),
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{title}</title>'
        f"<style>{STYLE}</style><h1>{title}</h1><p>{period.since} to {period.until}</p>"
        f"{''.join(parts)}</html>\n"
    )


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
        yield _table(headers, found[:LISTED])
    if len(found) > LISTED:
        yield f"<p>and {len(found) - LISTED} more: <code>--json</code> has them</p>"


def _table(headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    head = "".join(f'<th scope="col">{escape(each)}</th>' for each in headers)
    body = "".join(f"<tr>{''.join(f'<td>{escape(str(c))}</td>' for c in row)}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"
