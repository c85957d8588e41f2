"""The report as SARIF, for GitHub's code scanning, and as a page for people."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from delivery.security.findings import Finding
from delivery.security.report import Report

# GitHub shows by this number. Source: GitHub, "SARIF support for code scanning", security-severity.
SCORES: Mapping[str, str] = {"critical": "9.5", "high": "8.0", "medium": "5.0", "low": "2.0"}
LEVELS: Mapping[str, str] = {
    "critical": "error",
    "high": "error",
    "medium": "warning",
    "low": "note",
}
# What a finding points at in the repository: the account is none of its files.
PLACE = "config/airbrew.yaml"
STYLE = (
    "body{font:16px system-ui;margin:2rem;max-width:70rem}table{border-collapse:collapse}"
    "td,th{padding:.4rem .8rem;border-bottom:1px solid #ccc;text-align:left;vertical-align:top}"
)


def sarif(report: Report) -> dict[str, Any]:
    """SARIF 2.1.0: a result per finding, suppressed where it is muted."""
    worst = {each.id: each.severity for each in reversed(report.findings)}
    rules = [
        {
            "id": name,
            "shortDescription": {"text": report.controls.get(name, "mutes are few and young")},
            "properties": {"security-severity": SCORES[severity], "tags": ["security"]},
        }
        for name, severity in sorted(worst.items())
    ]
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "airbrew security.report", "rules": rules}},
                "results": [_result(report, each) for each in report.findings],
            }
        ],
    }


def _result(report: Report, finding: Finding) -> dict[str, Any]:
    text = f"{report.environment}: {finding.resource}: {finding.evidence}. Next: {finding.remedy}."
    place = {"artifactLocation": {"uri": PLACE}, "region": {"startLine": 1}}
    result: dict[str, Any] = {
        "ruleId": finding.id,
        "level": LEVELS[finding.severity],
        "message": {"text": text},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {
            "finding/v1": f"{report.environment}/{finding.id}/{finding.resource}"
        },
    }
    if finding.muted_by:
        told = {"kind": "external", "justification": f"accepted by {finding.muted_by}"}
        result["suppressions"] = [told]
    return result


def page(report: Report) -> str:
    """One HTML page that needs nothing beside itself."""
    rows = "".join(_row(each) for each in report.findings) or "<tr><td>nothing found</td></tr>"
    held = sorted(set(report.controls) - {each.id for each in report.findings})
    kept = "".join(
        f"<li><b>{escape(name)}</b>: {escape(report.controls[name])}</li>" for name in held
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Security of'
        f" {escape(report.environment)}</title><style>{STYLE}</style>"
        f"<h1>Security of {escape(report.environment)}</h1>"
        f"<p>{escape(report.cloud)}, {escape(report.at)}</p>"
        f"<table><tr><th>severity</th><th>control</th><th>resource</th><th>evidence</th>"
        f"<th>next</th></tr>{rows}</table><h2>Held</h2><ul>{kept}</ul></html>\n"
    )


def _row(finding: Finding) -> str:
    severity = f"muted by {finding.muted_by}" if finding.muted_by else finding.severity
    cells = (severity, finding.id, finding.resource, finding.evidence, finding.remedy)
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
