"""Pages that are written by hand but for the parts between marks, which are generated."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def filled(text: str, parts: Mapping[str, str]) -> str:
    """The page with each part between ``<!-- name -->`` and ``<!-- /name -->`` as it is now."""
    for name, part in parts.items():
        head, begin, rest = text.partition(f"<!-- {name} -->\n")
        _, end, tail = rest.partition(f"<!-- /{name} -->")
        text = f"{head}{begin}{part}\n{end}{tail}"
    return text


def fill(page: Path, parts: Mapping[str, str], *, check: bool) -> bool:
    """Bring the page up to date, or with `check` only look; True when it was current."""
    text = page.read_text(encoding="utf-8")
    current = filled(text, parts)
    if text != current and not check:
        page.write_text(current, encoding="utf-8")
    return text == current


def row(*cells: str) -> str:
    """One row of a Markdown table."""
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
