"""How a probe's report reads on a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from delivery.probe.clients import CLIENTS
from delivery.probe.defects import BREAKS, Defect
from delivery.probe.findings import Finding, Report
from verbs import console

EXAMPLES = 3
TEXT_COLUMNS = 72


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
