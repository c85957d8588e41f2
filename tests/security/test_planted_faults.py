"""Each gate catches the faults that are planted for it, in a copy of the checkout."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from delivery.gates import catalogue, passing
from delivery.gates.gate import Scene
from tests.conftest import needed
from tests.integration.conftest import copied, listed

GATES = {gate.name: gate for gate in catalogue.GATES}
WORKFLOW = ".github/workflows/test.yml"
DOCKERFILE = "docker/sync-worker/Dockerfile"
STORAGE = "terraform/modules/storage/main.tf"
# Put together here, so that no scanner takes this file for the leak.
LEAKED_KEY = "AKIA" + "Z7Q4WERTYUJKLM2P"
LEAKED_TOKEN = "ghp_" + "1a2B3c4D5e6F7g8H9i0J1k2L3m4N5o6P7q8R"


@dataclass(frozen=True)
class Fault:
    """Something that is wrong: in which file, how it gets there, and what its gate says."""

    gate: str
    path: str
    change: Callable[[str], str]
    told: str


def after(text):
    return lambda was: was + text


def instead(old, new):
    def change(was):
        assert old in was, f"{old!r} is not there any more: plant this fault in another place"
        return was.replace(old, new, 1)

    return change


FAULTS = {
    "a file in another form": Fault("format", "tasks.py", after("x = {  1:2 }\n"), "tasks.py"),
    "an import that nobody uses": Fault("ruff", "delivery/paths.py", after("import os\n"), "F401"),
    "a broad catch": Fault(
        "ruff",
        "delivery/paths.py",
        after("\ntry:\n    ROOT.exists()\nexcept Exception:\n    ROOT = ROOT\n"),
        "BLE001",
    ),
    "a print outside of the console": Fault(
        "ruff", "delivery/paths.py", after("print(ROOT)\n"), "T201"
    ),
    "a type that does not hold": Fault(
        "mypy", "delivery/paths.py", after('PRICES_FILE = "prices.yaml"\n'), "assignment"
    ),
    "a layer upside down": Fault(
        "imports", "delivery/paths.py", after("import verbs.console\n"), "not allowed"
    ),
    "a key twice in a YAML file": Fault(
        "yamllint", ".checkov.yaml", after("compact: true\n"), "duplication"
    ),
    "a suppression without a reason": Fault(
        "reasons", "delivery/paths.py", after("import os  # no" + "qa: F401\n"), "why"
    ),
    "Terraform in another form": Fault(
        "terraform", STORAGE, instead("resource", "  resource"), "not formatted"
    ),
    "a setting that is not one": Fault(
        "configuration", "config/airbrew.yaml", after("projects: {}\n"), "projects"
    ),
    "a page behind the schema": Fault(
        "configuration page",
        "config/schema.yaml",
        instead("help: ", "help: Truly, "),
        "config.docs",
    ),
    "a page behind the verbs": Fault(
        "tasks page", "verbs/docs.py", instead("Write docs", "Pen docs"), "docs.tasks"
    ),
    "an expression that GitHub does not know": Fault(
        "actionlint", WORKFLOW, instead("inputs.suites", "inputs.sweets"), "sweets"
    ),
    "a job without a runner": Fault(
        "schema", WORKFLOW, instead("    runs-on: ubuntu-24.04\n", ""), "schema"
    ),
    "a checkout that leaves its token": Fault(
        "zizmor", WORKFLOW, instead("          persist-credentials: false\n", ""), "artipacked"
    ),
    "an action by its tag": Fault(
        "workflow rules",
        WORKFLOW,
        instead("3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", "v7"),
        "pinned-by-commit",
    ),
    "permissions for all jobs": Fault(
        "workflow rules", WORKFLOW, instead("permissions: {}", "permissions: read-all"), "default"
    ),
    "a job without an end": Fault(
        "workflow rules", WORKFLOW, instead("    timeout-minutes: 60\n", ""), "timeout-minutes"
    ),
    "a long-lived key": Fault(
        "workflow rules",
        WORKFLOW,
        instead("env:", "env:\n          AWS_SECRET_ACCESS_KEY: ${{ secrets.KEY }}"),
        "no-long-lived-key",
    ),
    "text of a stranger in the shell": Fault(
        "workflow rules",
        WORKFLOW,
        instead('- run: python -m nox --session "$SUITE"', "- run: echo ${{ github.head_ref }}"),
        "no_templates_in_shell",
    ),
    "a stranger's code with our token": Fault(
        "workflow rules",
        ".github/workflows/cicd.yml",
        instead("  pull_request:", "  pull_request_target:"),
        "pull_request_target",
    ),
    "a deploy that may be cancelled": Fault(
        "workflow rules",
        ".github/workflows/cicd.yml",
        instead("      cancel-in-progress: false", "      cancel-in-progress: true"),
        "cancelled half-way",
    ),
    "a word that the shell splits": Fault(
        "shellcheck", ".ci/run", after("rm -rf $1/build\n"), "SC2086"
    ),
    "a package of any version in the image": Fault(
        "hadolint", DOCKERFILE, after("RUN pip install requests\n"), "DL3013"
    ),
    "an image that runs as root": Fault(
        "checkov", DOCKERFILE, instead("USER 65532:65532", "USER root"), "CKV_DOCKER_8"
    ),
    "a bucket that may be public": Fault(
        "checkov",
        STORAGE,
        instead("block_public_acls       = true", "block_public_acls       = false"),
        "CKV_AWS_53",
    ),
    "a shell string": Fault(
        "bandit",
        "delivery/paths.py",
        after("import subprocess\nsubprocess.run('ls *', shell=True)\n"),
        "B602",
    ),
    "YAML that may build any object": Fault(
        "bandit", "delivery/paths.py", after("import yaml\nyaml.load('', yaml.Loader)\n"), "B506"
    ),
    "a key of AWS": Fault(
        "secrets", "config/airbrew.yaml", after(f"# {LEAKED_KEY}\n"), "aws-access-token"
    ),
    "a token of GitHub": Fault(
        "secrets", "docs/tutorial/first-mirror.md", after(f"\n{LEAKED_TOKEN}\n"), "github-pat"
    ),
    "an action that is everything": Fault(
        "iam",
        "terraform/modules/functions/permissions.tf",
        after('locals {\n  all = { Effect = "Allow", Action = "*" }\n}\n'),
        "allows-everything",
    ),
    "a resource that is everything": Fault(
        "iam",
        "terraform/modules/functions/permissions.tf",
        after('locals {\n  all = { Effect = "Allow", Resource = "*" }\n}\n'),
        "wildcard",
    ),
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A checkout with a history, as a clone is."""
    root = copied(tmp_path_factory.mktemp("planted"), listed())
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    for words in (("init", "-q"), ("add", "-A"), (*identity, "commit", "-q", "-m", "all")):
        subprocess.run(["git", *words], cwd=root, check=True)
    return root


@pytest.fixture(scope="module")
def clean(copy):
    """How each gate ends in the copy as it is; each is asked once."""
    known = {}

    def ask(name):
        if name not in known:
            known[name] = passing.through_one(GATES[name], Scene(copy))
        return known[name]

    return ask


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_gate_catches_its_fault(copy, clean, fault):
    if fault.gate == "checkov":
        needed("checkov")
    file = copy / fault.path
    was = file.read_text()
    assert clean(fault.gate).outcome == "passed", clean(fault.gate)
    file.write_text(fault.change(was))

    try:
        passage = passing.through_one(GATES[fault.gate], Scene(copy))
    finally:
        file.write_text(was)

    assert passage.outcome == "found", passage
    assert any(fault.told in str(finding) for finding in passage.findings), passage.findings


def test_every_gate_has_its_planted_fault_but_the_audit_which_needs_its_service():
    planted = {fault.gate for fault in FAULTS.values()}

    assert set(GATES) - planted == {"secrets in history", "licences", "audit"}


def test_a_secret_that_was_taken_out_again_is_still_in_the_history(copy, tmp_path):
    root = tmp_path / "copy"
    shutil.copytree(copy, root, symlinks=True)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com"]
    (root / "notes.txt").write_text(f"{LEAKED_KEY}\n")
    subprocess.run([*git, "add", "notes.txt"], cwd=root, check=True)
    subprocess.run([*git, "commit", "-q", "-m", "in"], cwd=root, check=True)
    subprocess.run([*git, "rm", "-q", "notes.txt"], cwd=root, check=True)
    subprocess.run([*git, "commit", "-q", "-m", "out"], cwd=root, check=True)

    in_tree = passing.through_one(GATES["secrets"], Scene(root))
    in_history = passing.through_one(GATES["secrets in history"], Scene(root))

    assert in_tree.outcome == "passed"
    assert [each.rule for each in in_history.findings] == ["aws-access-token"]
    assert LEAKED_KEY not in str(in_history), "what was found is not told on"


def test_a_licence_that_binds_our_users_is_caught(copy):
    file = copy / "requirements" / "layer.txt"
    was = file.read_text()
    file.write_text(was + "yamllint==1.38.0\n")

    passage = passing.through_one(GATES["licences"], Scene(copy))
    file.write_text(was)

    assert [each.path for each in passage.findings] == ["requirements/layer.txt"]
    assert "GPL" in passage.findings[0].message


def test_an_audit_that_cannot_reach_its_service_is_no_pass(copy, monkeypatch):
    # Nobody answers there: pip-audit finds no advisory service, whatever the network allows.
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")

    passage = passing.through_one(GATES["audit"], Scene(copy))

    assert passage.outcome == "not audited", passage
    assert passage.told.startswith("nothing was audited")
    assert passing.holds([passage], audit_is_required=False)
    assert not passing.holds([passage], audit_is_required=True)


def test_what_a_gate_finds_is_told_as_sarif_that_github_reads(tmp_path):
    finding = catalogue.Finding("delivery/paths.py", 3, "F401", "unused import")
    passage = passing.Passage("ruff", "found", (finding,), "", 0.1)

    (file,) = passing.write_sarif([passage], tmp_path)

    (run,) = json.loads(file.read_text())["runs"]
    (result,) = run["results"]
    assert run["tool"]["driver"]["rules"] == [{"id": "F401"}]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "delivery/paths.py"
    assert place["region"] == {"startLine": 3}
