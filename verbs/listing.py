"""Lists that are cut where a terminal has enough of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from verbs import console

LISTED = 20


def listed(title: str, texts: Sequence[str]) -> None:
    """A title and the first of the texts; nothing where there are none."""
    if texts:
        console.line(f"{title}: {len(texts)}")
        lines(texts)


def lines(texts: Sequence[str]) -> None:
    """The first of the texts, and how many more there are."""
    for text in texts[:LISTED]:
        console.line(f"  {text}")
    if len(texts) > LISTED:
        console.line(f"  and {len(texts) - LISTED} more: --json has them")


def change_lines(kind: str, changed: Mapping[str, Any]) -> list[str]:
    """A line for each ``formula`` or ``cask`` that came, changed or went."""
    return [
        *(f"+ {each[kind]} {each['version']}" for each in changed["new"]),
        *(f"~ {each[kind]} {_turned(kind, each)}" for each in changed["updated"]),
        *(f"- {each[kind]} {each['version']}" for each in changed["removed"]),
    ]


def _turned(kind: str, change: Mapping[str, str]) -> str:
    if change["from"] != change["to"]:
        return f"{change['from']} -> {change['to']}"
    return f"{change['to']}, {'another file' if kind == 'cask' else 'other bottles'}"
