"""How the way in for GitHub reads on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from verbs import console

if TYPE_CHECKING:  # Each verb imports what it needs; this module needs their names only.
    from delivery.oidc.bootstrap import Bootstrap
    from delivery.oidc.explanation import Answer


def bootstrap(made: Bootstrap) -> None:
    """What was made or would be, and where GitHub wants to know of it."""
    for line in made.change_lines:
        console.line(f"  {line}")
    counts = made.changes
    if made.action == "planned":
        console.line(
            f"{counts['create']} to create, {counts['update']} to change,"
            f" {counts['delete']} to destroy; nothing was done"
        )
        return
    console.line(
        "nothing to change" if made.action == "unchanged" else f"{made.environment} is set up"
    )
    console.facts(sorted(made.access.items()))
    console.line("next:")
    console.line(f"  inv secrets.check --env {made.environment}    # what GitHub has to be told")


def explanation(subject: str, answers: Sequence[Answer]) -> None:
    """Role by role: let in, or each condition that refused with what to change."""
    console.line(f"sub: {subject}")
    for answer in answers:
        word = "lets it in" if answer.accepted else "refuses"
        console.line(f"{answer.environment} {answer.purpose}: {word}  ({answer.role_arn})")
        for reason in answer.reasons:
            console.line(f"  {reason.condition}")
            console.line(f"    came:   {reason.found}")
            console.line(f"    wanted: {' or '.join(reason.expected)}")
            console.line(f"    next:   {reason.remedy}")
