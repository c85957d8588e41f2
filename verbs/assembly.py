"""The verbs of `inv`: a file of verbs/ is a group, and some files are the top level."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path

from invoke.collection import Collection

GROUPS = (
    "ci",
    "config",
    "docs",
    "image",
    "mirror",
    "oidc",
    "release",
    "sandbox",
    "secrets",
    "security",
    "terraform",
)
TOP_LEVEL = {
    "main": ("deploy", "destroy", "status"),
    "overview": ("diff", "history"),
    "packaging": ("build", "package"),
    "review": ("drift", "plan"),
    "rollback": ("rollback",),
}
_FILES = {verb: file for file, verbs in TOP_LEVEL.items() for verb in verbs}


def whole() -> Collection:
    """Every verb."""
    return _of([*TOP_LEVEL, *GROUPS])


def needed(command_line: Sequence[str]) -> Collection:
    """The verbs of the files that a command line of `inv` names, or every verb.

    Loading all takes a fifth of a second, which a deploy with nothing to do would feel. What
    names no verb of ours, as ``inv --list``, and what is not run as `inv` gets them all.
    """
    program, *words = command_line
    found = [file for word in words if (file := _file_of(word))]
    return _of(dict.fromkeys(found)) if found and _is_inv(Path(program)) else whole()


def _file_of(word: str) -> str:
    group, dot, _ = word.partition(".")
    return group if dot and group in GROUPS else _FILES.get(word, "")


def _is_inv(program: Path) -> bool:
    return program.name in {"inv", "invoke"} or program.parts[-2:] == ("invoke", "__main__.py")


def _of(files: Iterable[str]) -> Collection:
    namespace = Collection()
    for file in files:
        module = import_module(f"verbs.{file}")
        for verb in TOP_LEVEL.get(file, ()):
            namespace.add_task(getattr(module, verb))
        if file in GROUPS:
            namespace.add_collection(Collection.from_module(module))
    return namespace
