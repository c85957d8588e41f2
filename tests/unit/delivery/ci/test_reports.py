"""What a run hands on and tells: outputs, verdict, summary."""

from __future__ import annotations

import json

import pytest

from delivery.ci import outputs, summaries, verdict
from delivery.errors import BadInput

JUNIT = """<?xml version="1.0"?><testsuites><testsuite tests="3" time="1.5">
<testcase classname="tests.a" name="test_one"/>
<testcase classname="tests.a" name="test_two"><skipped/></testcase>
<testcase classname="tests.a" name="test_three">
<failure message="assert &lt;b&gt; == `1`&#10;more">trace</failure></testcase>
</testsuite></testsuites>"""


def test_outputs_are_lines_and_what_is_no_text_is_json(tmp_path):
    file = tmp_path / "output"
    file.write_text("earlier=1\n")

    outputs.append(file, {"id": "ab12", "preview": True, "deploy": [{"environment": "dev"}]})

    assert file.read_text().splitlines() == [
        "earlier=1",
        "id=ab12",
        "preview=true",
        'deploy=[{"environment":"dev"}]',
    ]


def test_a_value_cannot_smuggle_another_output_in(tmp_path):
    with pytest.raises(BadInput, match="several lines"):
        outputs.append(tmp_path / "output", {"id": "a\ndeploy=[]"})


def test_values_are_picked_from_what_a_verb_printed(tmp_path):
    file = tmp_path / "plan.json"
    file.write_text(json.dumps({"digest": "ab", "more": 1}))

    assert outputs.picked(file, ["digest"]) == {"digest": "ab"}
    with pytest.raises(BadInput, match="id cannot be had from it"):
        outputs.picked(file, ["id"])


@pytest.mark.parametrize(
    ("results", "objections"),
    [
        ({"validate": "success", "test": "success", "preview": "skipped"}, 0),
        ({"validate": "success", "test": "success", "preview": "failure"}, 1),
        ({"validate": "success", "test": "failure", "preview": "success"}, 1),
        ({"validate": "success", "test": "cancelled", "preview": "success"}, 1),
        ({"validate": "failure", "test": "skipped", "preview": "skipped"}, 2),
        ({"validate": "success", "test": "skipped", "preview": "success"}, 1),
        ({"validate": "success"}, 1),
    ],
)
def test_a_run_goes_on_only_when_nothing_failed_and_what_must_ran(results, objections):
    needs = json.dumps({job: {"result": each, "outputs": {}} for job, each in results.items()})

    found = verdict.objections(verdict.results(needs), ["validate", "test"])

    assert len(found) == objections


@pytest.mark.parametrize("needs", ["", "[]", "{", '{"test": "success"}'])
def test_what_is_not_the_needs_of_a_job_is_refused(needs):
    with pytest.raises(BadInput, match="not the `needs` of a job"):
        verdict.results(needs)


def test_the_summary_tells_suites_failures_coverage_and_findings(tmp_path):
    (tmp_path / "unit.xml").write_text(JUNIT)
    (tmp_path / "coverage.json").write_text('{"totals": {"percent_covered": 87.25}}')
    (tmp_path / "sarif").mkdir()
    log = {"runs": [{"results": [{}, {}]}]}
    (tmp_path / "sarif" / "ruff.sarif").write_text(json.dumps(log))

    told = summaries.markdown(tmp_path)

    assert "| unit | 2 | 1 | 1 | 1.5 s |" in told
    assert "- `tests.a.test_three`: assert &lt;b> == '1'\n" in told
    assert "Coverage, by branch: 87.2 %" in told
    assert "Findings of 1 gates: 2 (ruff 2)" in told


def test_a_folder_without_reports_says_so(tmp_path):
    assert summaries.markdown(tmp_path) == "No report was written.\n"
