"""How secrets read on a terminal: everything but their values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from verbs import console

if TYPE_CHECKING:  # Each verb imports what it needs; this module needs their names only.
    from delivery.secrets.checking import Checked
    from delivery.secrets.rotation import Rotated


def checked(found: Sequence[Checked]) -> None:
    """One row each: state, age, where it is; below them what is wrong and what to do."""
    if not found:
        console.line("no secret is declared, and no repository is let in: nothing to check")
        return
    rows = [[each.name, each.state, _age(each), ", ".join(each.places)] for each in found]
    console.table(["secret", "state", "age", "where"], rows)
    for each in found:
        if each.problem:
            console.line(f"{each.name}: {each.problem}")
            console.line(f"  next: {each.remedy}")


def rotated(done: Rotated) -> None:
    """What was done, or would be."""
    for step in done.steps:
        console.line(f"  {step}")
    word = "nothing was done" if done.dry_run else f"{done.name} has its new value"
    console.line(f"{done.environment}: {word}")


def _age(each: Checked) -> str:
    if each.age_days is None:
        return "-"
    most = f" of {each.max_age_days}" if each.max_age_days else ""
    return f"{each.age_days}{most} d"
