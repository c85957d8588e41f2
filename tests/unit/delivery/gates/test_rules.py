"""The gates that are ours: workflows, reasons, policies, licences; and how programs are read."""

from __future__ import annotations

import json
import sys

import pytest

from delivery.errors import BadInput, GateBroken, ToolMissing
from delivery.gates import auditing, catalogue, iam, passing, readers, reasons, workflow_rules
from delivery.gates.findings import Finding, from_sarif
from delivery.gates.gate import Gate, Scene, sarif, tool, whole

SOUND = """name: sound
on:
  push:
permissions: {}
jobs:
  deploy:
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions:
      contents: read
    environment: dev
    concurrency:
      group: dev
      cancel-in-progress: false
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
      - run: echo "$NAME"
        env:
          NAME: ${{ secrets.NAME }}
  called:
    permissions:
      contents: read
    uses: $/.github/workflows/test.yml
"""


@pytest.fixture
def tree(tmp_path):
    """Writes a file and gives the scene."""

    def write(name, text):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return Scene(tmp_path)

    return write


def rules(findings):
    return [finding.rule for finding in findings]


def test_a_sound_workflow_breaks_no_rule(tree):
    assert workflow_rules.look(tree(".github/workflows/a.yml", SOUND)) == []


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("permissions: {}\n", "", "no_permission_by_default"),
        ("    permissions:\n      contents: read\n    environment", "    environment", "jobs_say"),
        ("    timeout-minutes: 5\n", "", "jobs_end_in_time"),
        ("cancel-in-progress: false", "cancel-in-progress: true", "deploys_are_never_cancelled"),
        (
            "    concurrency:\n      group: dev\n      cancel-in-progress: false\n",
            "",
            "deploys_are",
        ),
        ("    environment: dev\n", "", "secrets_only_in_an_environment"),
        ("  push:", "  pull_request_target:", "no_code_of_strangers_with_our_token"),
        ("  push:", "  workflow_run:", "no_code_of_strangers_with_our_token"),
        ('echo "$NAME"', "echo ${{ github.head_ref }}", "no_templates_in_shell"),
        ('run: echo "$NAME"', "run: |\n" + "          true\n" * 6, "short_steps"),
        (" # v7.0.1", "", "pinned-by-commit"),
        ("3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", "main", "pinned-by-commit"),
        ("$/.github", "./.github", "pinned-by-commit"),
        ("secrets.NAME", "secrets.AWS_SECRET_ACCESS_KEY", "no-long-lived-key"),
    ],
)
def test_each_rule_is_broken_by_what_it_forbids(tree, old, new, rule):
    assert old in SOUND

    found = workflow_rules.look(tree(".github/workflows/a.yml", SOUND.replace(old, new)))

    assert any(each.startswith(rule) for each in rules(found)), found


@pytest.mark.parametrize(
    "line",
    [
        "import os  # noqa",
        "import os  # noqa: F401",
        "x = y  # type: ignore",
        "x = y  # type: ignore[attr-defined]",
        "x = y  # nosec",
        "x = y  # nosec B101",
    ],
)
def test_a_suppression_without_a_reason_is_found(tree, line):
    assert rules(reasons.look(tree("a.py", f"{line}\n"))) == ["reason"]


@pytest.mark.parametrize(
    "line",
    [
        "import os  # noqa: F401 - others import it from here",
        "x = y  # type: ignore[attr-defined]  # set by the server",
        "x = y  # nosec B101 - looked at above",
    ],
)
def test_a_suppression_with_its_reason_is_fine(tree, line):
    assert reasons.look(tree("a.py", f"{line}\n")) == []


STATEMENT = """locals {
  statements = [
    {
      Effect   = "EFFECT"
      Action   = "ACTION"
      Resource = "RESOURCE"
    },
  ]
}
"""


@pytest.mark.parametrize(
    ("effect", "action", "resource", "found"),
    [
        ("Allow", "s3:GetObject", "arn:aws:s3:::b/*", []),
        ("Allow", "s3:*", "arn:aws:s3:::b/*", ["wildcard"]),
        ("Allow", "s3:GetObject", "*", ["wildcard"]),
        ("Allow", "iam:*", "arn:aws:s3:::b/*", ["allows-everything"]),
        ("Allow", "*", "arn:aws:s3:::b/*", ["allows-everything"]),
        ("Deny", "s3:*", "*", []),
    ],
)
def test_a_policy_allows_no_more_than_it_says(tree, effect, action, resource, found):
    text = STATEMENT.replace("EFFECT", effect).replace("ACTION", action)
    scene = tree("terraform/a.tf", text.replace("RESOURCE", resource))

    assert rules(iam.look(scene)) == found


def test_a_wildcard_that_a_comment_explains_is_fine(tree):
    text = STATEMENT.replace("EFFECT", "Allow").replace("ACTION", "ecr:GetAuthorizationToken")
    text = text.replace("    {\n", "    {\n      # AWS takes no other.\n").replace("RESOURCE", "*")

    assert iam.look(tree("terraform/a.tf", text)) == []


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ({"Effect": "Allow", "Action": ["s3:*"], "Resource": "x"}, "wildcard-action"),
        ({"Effect": "Allow", "Action": "s3:GetObject", "Principal": "*"}, "anybody"),
        ({"Effect": "Allow", "Action": "s3:GetObject", "Principal": {"AWS": "*"}}, "anybody"),
        ({"Effect": "Allow", "NotAction": "iam:*", "Resource": "x"}, "all-but"),
    ],
)
def test_a_policy_in_a_plan_is_looked_at_too(tmp_path, statement, rule):
    policy = json.dumps({"Statement": statement})
    plan = tmp_path / "plan.json"
    change = {"address": "aws_iam_policy.a", "change": {"after": {"policy": policy}}}
    plan.write_text(json.dumps({"resource_changes": [change]}))

    assert rules(iam.look(Scene(tmp_path, plan))) == [rule]


def test_what_pip_audit_tells_is_a_finding_with_the_version_that_mends_it():
    told = {
        "dependencies": [
            {"name": "a", "version": "1", "vulns": []},
            {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}]},
        ]
    }

    (finding,) = auditing.weaknesses("requirements/desk.txt", told)

    assert str(finding) == "requirements/desk.txt: PYSEC-1: b 2; mended in 3"


def test_what_a_tool_calls_suppressed_is_no_finding():
    result = {"ruleId": "a", "message": {"text": "b"}, "suppressions": [{"kind": "inSource"}]}

    assert from_sarif(json.dumps({"runs": [{"results": [result]}]})) == []


def program(text):
    return (sys.executable, "-c", text)


@pytest.mark.parametrize("read", [sarif, readers.actionlint, readers.checkov, readers.shellcheck])
@pytest.mark.parametrize("text", ["raise SystemExit(3)", "print('not JSON')", "print('{}'); 1/0"])
def test_a_program_that_breaks_has_not_passed(tmp_path, read, text):
    with pytest.raises(GateBroken):
        tool(read, *program(text))(Scene(tmp_path))


def test_checkov_that_looked_at_nothing_has_not_passed(tmp_path):
    with pytest.raises(GateBroken):
        tool(readers.checkov, *program("print('{\"passed\": 0}')"))(Scene(tmp_path))


def test_a_program_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ToolMissing, match="'no-such-linter' is not installed"):
        tool(sarif, "no-such-linter")(Scene(tmp_path))


def test_the_gates_are_passed_whatever_each_says(tmp_path):
    def finds(scene):
        return [Finding(str(scene.root / "b"), 1, "r", "m"), Finding("a", 1, "r", "m")]

    def breaks(scene):
        raise GateBroken("it broke", where="here", remedy="mend it")

    gates = [Gate("a", "lint", "", finds), Gate("b", "lint", "", breaks)]
    gates.append(Gate("c", "lint", "", tool(whole("x"), *program("pass"))))
    heard = []

    passages = passing.through(gates, Scene(tmp_path), heard.append)

    assert [each.outcome for each in passages] == ["found", "broken", "passed"]
    assert [each.path for each in passages[0].findings] == ["a", "b"], "relative to the checkout"
    assert {each.gate for each in heard} == {"a", "b", "c"}
    assert not passing.holds(passages, audit_is_required=False)
    assert passing.holds(passages[2:], audit_is_required=True)


@pytest.mark.parametrize(("suite", "only"), [("lints", []), ("lint", ["rough"])])
def test_a_suite_or_a_gate_that_is_not_there_is_refused(suite, only):
    with pytest.raises(BadInput, match=r"no (suite|gate)"):
        catalogue.chosen(suite, only)
