"""The Terraform tree: its formatting, its validity, its modules' own tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from invoke.context import Context
from invoke.exceptions import Exit

from delivery import process_environment
from delivery.terraform.tree import TestedModule, Tree
from verbs import console
from verbs.options import JSON_HELP
from verbs.verb import verb


@verb(name="format", help={"check": "rewrite nothing; exit 1 when a file is not formatted"})
def format_files(context: Context, check: bool = False) -> None:
    """Rewrite the Terraform files in Terraform's own style.

    Example: inv terraform.format --check
    """
    tree = _tree()
    if check:
        tree.check_format()
        console.line("every file is formatted")
        return
    files = tree.format()
    for file in files:
        console.line(file)
    console.line(f"{len(files)} files rewritten")


@verb()
def validate(context: Context) -> None:
    """Validate every module by itself, and every environment; no account is needed.

    Example: inv terraform.validate
    """
    folders = _tree().validate()
    console.line(f"valid: {', '.join(folders)}")


@verb(name="test", help={"json": JSON_HELP})
def run_tests(context: Context, json: bool = False) -> None:
    """Run every module's own tests (terraform test); they reach no account.

    Example: inv terraform.test
    """
    tested = _tree().test()
    if json:
        console.document([asdict(each) for each in tested])
    else:
        _show(tested)
    failed = [each.module for each in tested if not each.passed]
    if failed:
        raise Exit(f"error: tests failed in {', '.join(failed)}", code=1)


def _tree() -> Tree:
    return Tree.at(variables=process_environment.current())


def _show(tested: Sequence[TestedModule]) -> None:
    rows = [
        [each.module, str(each.runs), str(len(each.failures)), f"{each.seconds:.1f} s"]
        for each in tested
    ]
    console.table(["module", "runs", "failures", "took"], rows)
    for each in tested:
        for failure in each.failures:
            console.line(failure)
