"""The reference of the verbs, written from the verbs."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator

from invoke.collection import Collection
from invoke.context import Context
from invoke.parser.argument import Argument

from delivery import pages
from delivery.paths import ROOT
from verbs import assembly, report
from verbs.verb import Verb, verb

PAGE = ROOT / "docs" / "reference" / "tasks.md"
EXAMPLE = "Example: "


@verb(name="tasks", help={"check": "change nothing; exit 1 when the page is not current"})
def write_tasks(context: Context, check: bool = False) -> None:
    """Write docs/reference/tasks.md from the verbs themselves.

    Example: inv docs.tasks --check
    """
    was_current = pages.fill(PAGE, {"tasks": reference(assembly.whole())}, check=check)
    report.page(PAGE, "docs.tasks", was_current=was_current, check=check)


def reference(namespace: Collection) -> str:
    """One section a verb: what it does, an example, its options."""
    names = sorted(namespace.task_names, key=lambda name: ("." in name, name))
    return "\n".join(line for name in names for line in _section(name, namespace[name]))


def _section(name: str, task: Verb) -> Iterator[str]:
    about, _, example = inspect.getdoc(task).partition(EXAMPLE)  # type: ignore[union-attr] # a test holds that each has one
    yield f"\n## {name}\n"
    yield f"{about.strip()}\n"
    yield f"```shell\n{example.strip()}\n```"
    yield from _options(task.get_arguments())


def _options(arguments: Iterable[Argument]) -> Iterator[str]:
    rows = [pages.row(_flags(each), str(each.help), _default(each)) for each in arguments]
    if rows:
        yield "\n| option | what it says | default |"
        yield "| --- | --- | --- |"
        yield from rows


def _flags(argument: Argument) -> str:
    flags = [f"--{name}" if len(name) > 1 else f"-{name}" for name in argument.names]
    return ", ".join(f"`{flag}`" for flag in flags)


def _default(argument: Argument) -> str:
    if argument.kind is bool:
        return "off"
    is_said = argument.default not in ("", None, inspect.Signature.empty)
    return f"`{argument.default}`" if is_said else ""
