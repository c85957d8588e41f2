"""Pages that need nothing but themselves: one HTML file, styled, escaped, fenced in by a CSP."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from html import escape
from pathlib import Path
from string import Template

from mirror.bucket import Bucket

HTML_TYPE = "text/html; charset=utf-8"
_FOLDER = Path(__file__).parent / "templates"


class Markup(str):
    """Text that is HTML already; everything else is escaped."""

    __slots__ = ()


def filled(template: str, *, script: str = "", **values: str) -> str:
    """A file of ``templates/`` with its ``$names`` filled in, style and script inlined.

    A browser runs that one script and no other, and asks no other host for anything, whatever
    upstream wrote into a description. Source: W3C, "Content Security Policy Level 3", hashes.
    """
    style, code = _file("style.css"), _file(script) if script else ""
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(code)};"
        " connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    fixed = {"style": style, "script": code, "policy": policy}
    return Template(_file(template)).substitute(
        fixed | {name: markup(value) for name, value in values.items()}
    )


def markup(text: object) -> Markup:
    """The text as HTML, unless it is that already."""
    return text if isinstance(text, Markup) else Markup(escape(str(text), quote=True))


def element(name: str, *children: object, **attributes: object) -> Markup:
    """``<name class="…">children</name>``; ``class_`` is class, ``_`` in a name becomes ``-``."""
    pairs = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value), quote=True)}"'
        for key, value in attributes.items()
    )
    return Markup(f"<{name}{pairs}>{joined(*children)}</{name}>")


def joined(*children: object) -> Markup:
    """The children one after the other, each escaped unless it is HTML already."""
    return Markup("".join(markup(child) for child in children))


def table(
    headers: tuple[str, ...], rows: Sequence[tuple[object, ...]], *, numbers: int = 0
) -> Markup:
    """A table whose last `numbers` columns stand right-aligned; it scrolls in a narrow window."""
    first_number = len(headers) - numbers

    def cells(name: str, row: tuple[object, ...]) -> Markup:
        return joined(
            *(
                element(name, cell, **({"class_": "number"} if at >= first_number else {}))
                for at, cell in enumerate(row)
            )
        )

    head = element("thead", element("tr", cells("th", headers)))
    body = element("tbody", *(element("tr", cells("td", row)) for row in rows))
    # What can be scrolled takes the focus, and what takes the focus has a name.
    named = {"role": "region", "aria_label": ", ".join(headers)}
    return element("div", element("table", head, body), class_="wide", tabindex="0", **named)


def size(size_bytes: int) -> str:
    """``183402113`` as ``174.9 MiB``."""
    value, unit = float(size_bytes), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return f"{size_bytes} B" if unit == "B" else f"{value:.1f} {unit}"


def number(value: int) -> str:
    """``54552`` as ``54,552``."""
    return f"{value:,}"


def moment(text: str) -> Markup:
    """``2026-11-22T03:04:05Z`` as ``22 November 2026, 03:04 UTC``, readable by scripts too."""
    when = datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)
    shown = f"{when.day} {when:%B %Y, %H:%M} UTC"
    return element("time", shown, datetime=f"{when:%Y-%m-%dT%H:%M:%SZ}")


def write(bucket: Bucket, key: str, page: str) -> None:
    """Put a page where a browser shows it as one."""
    bucket.write(key, page.encode(), HTML_TYPE)


@cache
def _file(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8").strip()


def _hash(text: str) -> str:
    if not text:
        return "'none'"
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
