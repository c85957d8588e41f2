"""A page for people that needs nothing beside itself: a title, sections, tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

STYLE = (
    "body{font:16px system-ui;margin:2rem;max-width:70rem}table{border-collapse:collapse}"
    "td,th{padding:.4rem .8rem;border-bottom:1px solid #ccc;text-align:left;vertical-align:top}"
    "@media(prefers-color-scheme:dark){body{background:#111;color:#eee}}"
)


def document(title: str, about: str, *parts: str) -> str:
    """The whole page.

    Args:
        title, about: text, which is escaped: the heading, and the line below it.
        parts: HTML, as it is.
    """
    told = escape(title)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{told}</title>'
        f"<style>{STYLE}</style><h1>{told}</h1><p>{escape(about)}</p>{''.join(parts)}</html>\n"
    )


def table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table whose every cell is escaped."""
    head = "".join(f'<th scope="col">{escape(each)}</th>' for each in headers)
    body = "".join(f"<tr>{''.join(f'<td>{escape(str(c))}</td>' for c in row)}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"
