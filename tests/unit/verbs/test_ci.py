"""ci.*: what CI asks, answered on a command line."""

from __future__ import annotations

import json

import pytest


def test_targets_are_told_to_people_to_programs_and_to_later_jobs(inv, tmp_path):
    output = tmp_path / "output"
    words = ("ci.targets", "--event", "push", "--ref", "refs/heads/main", "--sandbox")

    told, document = inv(*words, "--output", str(output)), inv(*words, "--json")

    assert told.out.splitlines()[-1] == "deploy   staging (sandbox, us-east-1)"
    assert [each["environment"] for each in json.loads(document.out)["deploy"]] == ["staging"]
    assert "approve=false" in output.read_text().splitlines()


def test_a_repository_variable_lets_ci_deploy_to_a_sandbox(inv, monkeypatch):
    words = ("ci.targets", "--event", "push", "--ref", "refs/heads/main")

    assert "nothing to deploy to" in inv(*words).out
    monkeypatch.setenv("AIRBREW_DEPLOY_SANDBOX", "true")
    assert "deploy   staging" in inv(*words).out


def test_an_event_that_is_none_ends_with_2(inv):
    ended = inv("ci.targets", "--event", "puch")

    assert ended.code == 2
    assert "'puch' is neither an event nor a file" in ended.err


def test_changes_tell_components_and_suites(inv):
    found = json.loads(inv("ci.changes", "--base", "HEAD", "--json").out)

    assert found["suites"] == ["lint"]


@pytest.mark.parametrize(("result", "code"), [("success", 0), ("failure", 1), ("cancelled", 1)])
def test_passed_says_whether_the_run_may_go_on(inv, result, code):
    ended = inv("ci.passed", "--needs", json.dumps({"test": {"result": result}}))

    assert ended.code == code
    assert f"test{':' if code else ''} {result}" in ended.out + ended.err


def test_a_value_of_a_document_is_handed_on(inv, tmp_path):
    document, output = tmp_path / "plan.json", tmp_path / "output"
    document.write_text('{"digest": "ab12"}')

    ended = inv("ci.output", "--source", str(document), "--pick", "digest", "--output", str(output))

    assert ended.out == "digest: ab12\n"
    assert output.read_text() == "digest=ab12\n"


def test_a_summary_is_added_to_the_page_of_the_run(inv, tmp_path):
    page = tmp_path / "summary.md"
    page.write_text("before\n")

    inv("ci.summary", "--source", str(tmp_path), "--to", str(page))

    assert page.read_text() == "before\nNo report was written.\n"


def test_a_gate_that_holds_is_told_with_its_time(inv):
    ended = inv("ci.gates", "--only", "workflow rules", "--json")

    (passage,) = json.loads(ended.out)
    assert (ended.code, passage["outcome"], passage["findings"]) == (0, "passed", [])


def test_a_gate_that_is_shut_ends_with_1_and_its_findings(inv, monkeypatch):
    # Nothing is installed on an empty PATH: the gate cannot look, which is no pass.
    monkeypatch.setenv("PATH", "")

    ended = inv("ci.gates", "--only", "shellcheck")

    assert ended.code == 1
    assert "'shellcheck' is not installed" in ended.out
    assert "shut: shellcheck" in ended.err


def test_terraform_s_folder_is_put_on_the_path_of_later_steps(inv, tmp_path, monkeypatch):
    programs, path = tmp_path / "programs", tmp_path / "path"
    programs.mkdir()
    terraform = programs / "terraform"
    terraform.write_text('#!/bin/sh\necho \'{"terraform_version": "1.12.0"}\'\n')
    terraform.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")

    ended = inv("ci.tools", "--to", str(path))

    assert ended.code == 0, ended.err
    assert path.read_text() == f"{programs}\n"


PLAN = {
    "environment": "prod",
    "cloud": "AWS",
    "action": "planned",
    "changes": {"create": 1, "update": 2, "delete": 0},
    "change_lines": ["+   module.airbrew.a"],
    "review": {"digest": "ab" * 32, "findings": [], "cost": {"monthly_usd": 1.5}},
}


def test_a_plan_is_told_to_those_who_approve_it_and_its_digest_handed_on(inv, tmp_path):
    file, page, output = (tmp_path / name for name in ("plan.json", "page.md", "output"))
    file.write_text(json.dumps(PLAN))

    ended = inv("ci.plan", "--source", str(file), "--to", str(page), "--output", str(output))

    assert ended.code == 0
    assert "1 to create, 2 to change, 0 to destroy." in page.read_text()
    assert f"approves `{'ab' * 32}`, and nothing else" in page.read_text()
    assert output.read_text() == f"digest={'ab' * 32}\n"


def test_a_plan_whose_digest_is_not_handed_on_asks_nobody_for_an_approval(inv, tmp_path):
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(PLAN))

    ended = inv("ci.plan", "--source", str(file))

    assert "nothing was changed, and there is nothing to approve" in ended.out
    assert "approves" not in ended.out


def test_who_approves_a_plan_sees_its_release_and_that_no_commit_has_it(inv, tmp_path):
    file = tmp_path / "plan.json"
    release = {"id": "cd" * 32, "version": "1.2.3", "commit": "ef" * 20, "dirty": True}
    file.write_text(json.dumps({**PLAN, "release": release}))

    ended = inv("ci.plan", "--source", str(file))

    assert f"Release `{'cd' * 6}`, 1.2.3, of `{'ef' * 20}`." in ended.out
    assert "**It has changes that are in no commit.**" in ended.out


def test_a_plan_of_nothing_has_nothing_to_approve(inv, tmp_path):
    file, output = tmp_path / "plan.json", tmp_path / "output"
    file.write_text(json.dumps({**PLAN, "action": "unchanged", "review": {}}))

    ended = inv("ci.plan", "--source", str(file), "--output", str(output))

    assert "Nothing would change." in ended.out
    assert output.read_text() == "digest=\n"


def test_what_is_no_plan_is_refused(inv, tmp_path):
    file = tmp_path / "plan.json"
    file.write_text("[]")

    assert inv("ci.plan", "--source", str(file)).code == 2
