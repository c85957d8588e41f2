"""The report as SARIF, for GitHub's code scanning, and as a page for people."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from delivery import html_page
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
    """One HTML page: what was found, then what held."""
    rows = [_row(each) for each in report.findings] or [("nothing found",)]
    held = sorted(set(report.controls) - {each.id for each in report.findings})
    kept = "".join(
        f"<li><b>{escape(name)}</b>: {escape(report.controls[name])}</li>" for name in held
    )
    return html_page.document(
        f"Security of {report.environment}",
        f"{report.cloud}, {report.at}",
        html_page.table(("severity", "control", "resource", "evidence", "next"), rows),
        f"<h2>Held</h2><ul>{kept}</ul>",
    )


def _row(finding: Finding) -> tuple[str, ...]:
    severity = f"muted by {finding.muted_by}" if finding.muted_by else finding.severity
    return severity, finding.id, finding.resource, finding.evidence, finding.remedy
