"""Markdown for the page of a run: how the suites ended, and how much they cover."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

SHOWN_FAILURES = 20
LONGEST_MESSAGE = 300


@dataclass(frozen=True)
class Suite:
    """A JUnit report in numbers; `failures` has name and first line of each."""

    name: str
    ran: int
    skipped: int
    seconds: float
    failures: tuple[tuple[str, str], ...]


def suites(folder: Path) -> list[Suite]:
    """Every JUnit report in a folder, by name."""
    return [_suite(file) for file in sorted(folder.glob("*.xml"))]


def _suite(file: Path) -> Suite:
    # pytest writes it in the step before, on this machine: nobody else's XML comes here.
    root = ET.parse(file).getroot()  # noqa: S314 - see above
    found = [root] if root.tag == "testsuite" else list(root.iter("testsuite"))
    cases = [case for each in found for case in each.iter("testcase")]
    skipped = sum(case.find("skipped") is not None for case in cases)
    return Suite(
        file.stem,
        len(cases) - skipped,
        skipped,
        sum(float(each.get("time", 0)) for each in found),
        tuple(failure for case in cases for failure in _failures(case)),
    )


def _failures(case: ET.Element) -> Iterator[tuple[str, str]]:
    for kind in ("failure", "error"):
        for told in case.findall(kind):
            name = f"{case.get('classname')}.{case.get('name')}"
            yield name, str(told.get("message", "")).strip().partition("\n")[0][:LONGEST_MESSAGE]


def coverage(folder: Path) -> float | None:
    """The share of branches and lines that are covered, in percent; None where none was measured.

    Source: coverage.py, ``coverage json``.
    """
    file = folder / "coverage.json"
    if not file.is_file():
        return None
    return float(json.loads(file.read_text(encoding="utf-8"))["totals"]["percent_covered"])


def findings(folder: Path) -> dict[str, int]:
    """Gate → findings, of the SARIF files in a folder."""
    return {
        file.stem: sum(len(run["results"]) for run in json.loads(file.read_text())["runs"])
        for file in sorted((folder / "sarif").glob("*.sarif"))
    }


def markdown(folder: Path) -> str:
    """The page's section about what is in a folder of reports."""
    lines: list[str] = []
    reports = suites(folder)
    if reports:
        lines += ["| suite | ran | failed | skipped | took |", "| --- | --- | --- | --- | --- |"]
        lines += [_row(each) for each in reports]
        lines += [*_failed(reports)]
    share = coverage(folder)
    if share is not None:
        lines += ["", f"Coverage, by branch: {share:.1f} %"]
    found = findings(folder)
    if found:
        told = ", ".join(f"{gate} {count}" for gate, count in found.items())
        lines += ["", f"Findings of {len(found)} gates: {sum(found.values())} ({told})"]
    return "\n".join([*(lines or ["No report was written."]), ""])


def _row(suite: Suite) -> str:
    cells = (suite.ran, len(suite.failures), suite.skipped, f"{suite.seconds:.1f} s")
    return f"| {suite.name} | {' | '.join(map(str, cells))} |"


def _failed(reports: list[Suite]) -> Iterator[str]:
    failures = [failure for each in reports for failure in each.failures]
    for name, message in failures[:SHOWN_FAILURES]:
        # What a test says may be what upstream wrote: it is shown, and not run.
        safe = message.replace("`", "'").replace("<", "&lt;")
        yield f"\n- `{name}`: {safe}"
