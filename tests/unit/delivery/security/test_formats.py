"""formats: a report that GitHub's code scanning takes, and a page that shows what it was given."""

from __future__ import annotations

import pytest

from delivery.security import formats
from delivery.security.findings import SEVERITIES, Finding
from delivery.security.report import CONTROLS, Report


@pytest.fixture
def report():
    """Two findings of one control, one of them accepted, and an ended mute."""
    trail = Finding("watch-trail", "critical", "acme-dev-trail", "it is off", "start it")
    accepted = Finding("watch-trail", "critical", "other", "it is off", "start it", "ops")
    ended = Finding("mute-expired", "medium", "bucket-tls", "ops accepted it", "mend it")
    return Report(
        environment="dev",
        cloud="AWS <account>",
        at="2026-11-25T00:00:00Z",
        controls={each.id: each.wants for each in CONTROLS},
        findings=(trail, accepted, ended),
    )


def test_every_finding_is_a_result_with_a_rule_a_place_and_what_to_do(report):
    (run,) = formats.sarif(report)["runs"]
    rules = {each["id"] for each in run["tool"]["driver"]["rules"]}

    assert [each["ruleId"] for each in run["results"]] == [each.id for each in report.findings]
    assert {each["ruleId"] for each in run["results"]} == rules
    assert all("Next: " in each["message"]["text"] for each in run["results"])
    assert all(
        each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "config/airbrew.yaml"
        for each in run["results"]
    )


def test_what_somebody_accepted_is_suppressed_with_their_name(report):
    (run,) = formats.sarif(report)["runs"]

    suppressed = [each.get("suppressions") for each in run["results"]]

    assert [bool(each) for each in suppressed] == [False, True, False]
    assert suppressed[1][0]["justification"] == "accepted by ops"
    assert [each.resource for each in report.not_accepted] == ["acme-dev-trail", "bucket-tls"]


def test_two_findings_of_one_control_are_told_apart_from_run_to_run(report):
    (run,) = formats.sarif(report)["runs"]

    prints = [each["partialFingerprints"]["finding/v1"] for each in run["results"]]

    assert len(set(prints)) == len(prints)


def test_every_severity_has_its_level_and_its_number():
    assert set(SEVERITIES) == set(formats.LEVELS) == set(formats.SCORES)
    assert {each.severity for each in CONTROLS} <= set(SEVERITIES)


def test_the_page_shows_findings_and_what_held_and_lets_no_markup_in(report):
    page = formats.page(report)

    assert "AWS &lt;account&gt;" in page
    assert "<td>muted by ops</td>" in page
    assert "<b>bucket-tls</b>" in page
    assert "<b>watch-trail</b>" not in page
