"""Handing values on to later steps and jobs, as GitHub's runner reads them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from delivery.errors import BadInput


def append(file: Path, values: Mapping[str, Any]) -> None:
    """Add ``name=value`` lines to ``$GITHUB_OUTPUT``; what is no text goes as compact JSON.

    Source: GitHub, "Workflow commands", setting an output parameter.
    """
    lines = [f"{name}={_spelt(value)}" for name, value in values.items()]
    with file.open("a", encoding="utf-8") as opened:
        opened.writelines(f"{line}\n" for line in lines)


def _spelt(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    if "\n" in text:
        raise BadInput(
            f"a value of several lines: {text!r}",
            where="--output",
            remedy="hand it on as JSON; a line of it could set another output",
        )
    return text


def picked(document: Path, keys: list[str]) -> dict[str, Any]:
    """Values of a JSON document by their top-level keys.

    Raises:
        BadInput: it is no JSON object, or a key is not in it.
    """
    try:
        told = json.loads(document.read_text(encoding="utf-8"))
        return {key: told[key] for key in keys}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(
            f"{', '.join(keys)} cannot be had from it: {error!r}",
            where=str(document),
            remedy="name a file that a verb has written with --json, and keys that it has",
        ) from error
