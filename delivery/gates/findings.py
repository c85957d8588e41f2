"""What a gate finds, and SARIF: the form in which scanners tell it, and GitHub reads it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that is wrong: where, which rule says so, and why; line 0 is the whole file."""

    path: str
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path
        return f"{place}: {self.rule}: {self.message}"


def from_sarif(text: str) -> list[Finding]:
    """The results of a SARIF log; those that the tool itself calls suppressed are left out.

    Raises:
        ValueError: it is not JSON.

    Source: OASIS, SARIF 2.1.0, sections 3.27 (result) and 3.27.23 (suppressions).
    """
    runs = json.loads(text).get("runs", ())
    return [
        _from_result(result)
        for run in runs
        for result in run.get("results") or ()
        if not result.get("suppressions")
    ]


def _from_result(result: Mapping[str, Any]) -> Finding:
    locations: list[Mapping[str, Any]] = list(result.get("locations", ())) or [{}]
    place = locations[0].get("physicalLocation", {})
    return Finding(
        path=str(place.get("artifactLocation", {}).get("uri", "")).removeprefix("file://"),
        line=int(place.get("region", {}).get("startLine", 0)),
        rule=str(result.get("ruleId", "")),
        message=" ".join(str(result["message"].get("text", "")).split()),
    )


def as_sarif(tool: str, findings: Iterable[Finding]) -> Mapping[str, Any]:
    """A SARIF log with one run, as GitHub's code scanning takes it."""
    found = sorted(findings)
    driver = {"name": f"airbrew/{tool}", "rules": [{"id": rule} for rule in _rules(found)]}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": [_result(each) for each in found]}],
    }


def _rules(found: Sequence[Finding]) -> list[str]:
    return sorted({each.rule for each in found})


def _result(finding: Finding) -> Mapping[str, Any]:
    return {
        "ruleId": finding.rule,
        "level": "error",
        "message": {"text": finding.message},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": finding.path},
                    "region": {"startLine": max(finding.line, 1)},
                }
            }
        ],
    }
