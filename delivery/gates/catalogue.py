"""Every gate: its suite, what it wants, and the program or the function that looks."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from delivery.errors import BadInput
from delivery.gates import auditing, iam, licences, readers, reasons, workflow_rules
from delivery.gates.findings import Finding
from delivery.gates.gate import Gate, Look, Scene, sarif, tool, whole

HOME = "pyproject.toml"
WORKFLOWS = (".github/workflows/*.yml",)
DOCKERFILES = ("docker/**/Dockerfile",)
SHELL = (".ci/run", "**/*.sh")
GITLEAKS = ("--no-banner", "--redact", "--log-level=error", "--config=.gitleaks.toml")
REPORT = ("--report-format=sarif", "--report-path=-")


def _inv(home: str, *words: str) -> Look:
    """A verb that checks something, with the code of the checkout that is looked at."""
    return tool(whole(home), sys.executable, "-m", "invoke", *words)


def _checkov(scene: Scene) -> list[Finding]:
    """The Terraform tree and the image's recipe; then the plan, where one was rendered."""
    options = ("checkov", "--config-file", ".checkov.yaml", "--output", "json", "--framework")
    tree = ("terraform", "dockerfile", "--directory", "terraform", "--directory", "docker")
    found = tool(readers.checkov, *options, *tree)(scene)
    if scene.plan is None:
        return found
    plan = ("terraform_plan", "--file", str(scene.plan))
    return found + tool(readers.checkov, *options, *plan)(scene)


_SCHEMA = ("check-jsonschema", "--builtin-schema", "vendor.github-workflows", "-o", "json")
_ZIZMOR = ("zizmor", "--pedantic", "--offline", "--no-progress", "--format", "sarif")

GATES: tuple[Gate, ...] = (
    Gate("format", "lint", "Python in ruff's form", tool(whole(HOME), "ruff", "format", "--check")),
    Gate("ruff", "lint", "no finding", tool(sarif, "ruff", "check", "--output-format=sarif")),
    Gate("mypy", "lint", "types that hold", tool(whole(HOME), "mypy")),
    Gate("imports", "lint", "who may import whom", tool(whole(HOME), "lint-imports")),
    Gate("yamllint", "lint", "sound YAML", tool(whole(".yamllint.yaml"), "yamllint", "-s", ".")),
    Gate("reasons", "lint", "a reason beside each suppression", reasons.look),
    Gate("terraform", "lint", "its own form", _inv("terraform", "terraform.format", "--check")),
    Gate("configuration", "lint", "a right one", _inv("config/airbrew.yaml", "config.validate")),
    Gate(
        "configuration page",
        "lint",
        "what the schema says",
        _inv("docs/reference/configuration.md", "config.docs", "--check"),
    ),
    Gate(
        "tasks page",
        "lint",
        "what the verbs say",
        _inv("docs/reference/tasks.md", "docs.tasks", "--check"),
    ),
    Gate(
        "actionlint",
        "lint",
        "workflows that GitHub understands",
        tool(readers.actionlint, "actionlint", "-format", "{{json .}}", patterns=WORKFLOWS),
    ),
    Gate(
        "schema",
        "lint",
        "workflows of GitHub's shape",
        tool(readers.schema, *_SCHEMA, patterns=WORKFLOWS),
    ),
    Gate("zizmor", "lint", "workflows that are hard to abuse", tool(sarif, *_ZIZMOR, ".github")),
    Gate("workflow rules", "lint", "what CONTRIBUTING.md asks of them", workflow_rules.look),
    Gate(
        "shellcheck",
        "lint",
        "sound shell",
        tool(readers.shellcheck, "shellcheck", "--format=json1", patterns=SHELL),
    ),
    Gate(
        "hadolint",
        "security",
        "a sound recipe of the image",
        tool(sarif, "hadolint", "--format", "sarif", patterns=DOCKERFILES),
    ),
    Gate("checkov", "security", "a safe Terraform tree, plan and image", _checkov),
    Gate("bandit", "security", "no weakness in our Python", readers.bandit),
    Gate(
        "secrets",
        "security",
        "none in the tree",
        tool(sarif, "gitleaks", "dir", ".", *GITLEAKS, *REPORT),
    ),
    Gate(
        "secrets in history",
        "security",
        "none in any commit",
        tool(sarif, "gitleaks", "git", ".", *GITLEAKS, *REPORT),
    ),
    Gate("iam", "security", "no policy that allows more than it says", iam.look),
    Gate("licences", "security", "none that binds our users", licences.look),
    Gate("audit", "security", "no known weakness in a package", auditing.look),
)
SUITES = tuple(dict.fromkeys(gate.suite for gate in GATES))


def chosen(suite: str, only: Sequence[str] = ()) -> list[Gate]:
    """The gates of a suite, or those of it that are named.

    Raises:
        BadInput: no such suite or gate.
    """
    if suite not in SUITES:
        raise BadInput(
            f"no suite {suite!r}", where="--suite", remedy=f"it is one of {', '.join(SUITES)}"
        )
    of_suite = {gate.name: gate for gate in GATES if gate.suite == suite}
    unknown = [name for name in only if name not in of_suite]
    if unknown:
        raise BadInput(
            f"no gate {unknown[0]!r} in {suite}",
            where="--only",
            remedy=f"it is one of {', '.join(of_suite)}",
        )
    return [of_suite[name] for name in only] if only else list(of_suite.values())
