"""The report of a sync as a page: how it ended, what to do, what it did, what is different."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mirror import pages
from mirror.pages import Markup, element, joined, number, size

LISTED = 200
_REASONED = {"Worth a look": "warnings", "Without a bottle upstream": "without_bottle"}


def page(report: Mapping[str, Any]) -> str:
    """The page as HTML, of what report.json holds (docs/reference/bucket-layout.md)."""
    is_published = report["outcome"] == "published"
    sections = [
        Markup("") if is_published else _failure(report),
        _figures(report),
        _changes(report.get("changes")),
        _listing(
            "Bottles that could not be had",
            ("Bottle", "Cause", "Problem"),
            [
                (each["bottle"], each.get("error", ""), each["problem"])
                for each in report.get("failed", ())
            ],
        ),
        *(
            _listing(title, ("Formula", "Platform", "Reason"), _reasons(report.get(name, ())))
            for title, name in _REASONED.items()
        ),
        _listing(
            "Casks whose file is not mirrored",
            ("Cask", "Platform", "Reason"),
            [
                (each["cask"], each["platform"], each["problem"])
                for each in report.get("casks_left_out", ())
            ],
        ),
        _listing("Too large", ("Formula", "Platform", "Size"), _too_large(report)),
    ]
    return pages.filled(
        "report.html",
        sync=report["sync"],
        outcome=report["outcome"],
        grade="good" if is_published else "bad",
        ended_at=pages.moment(report["ended_at"]),
        sections=joined(*sections),
    )


def _failure(report: Mapping[str, Any]) -> Markup:
    told = {"What is wrong": "problem", "Where": "where", "What to do": "remedy"}
    parts = [
        joined(element("h3", title), element("p", report[name], class_="wrap"))
        for title, name in told.items()
        if report.get(name)
    ]
    return _section(str(report["error"]), *parts)


def _figures(report: Mapping[str, Any]) -> Markup:
    counts, sizes = report.get("counts", {}), report.get("bytes", {})
    shown = {
        **{name.replace("_", " "): number(value) for name, value in counts.items()},
        **{f"bytes, {name.replace('_', ' ')}": size(value) for name, value in sizes.items()},
        **{f"seconds, {name}": f"{value:.1f}" for name, value in report.get("seconds", {}).items()},
        **{f"retries, {name}": number(value) for name, value in report.get("retries", {}).items()},
        **{
            f"failures, {name}": number(value) for name, value in report.get("failures", {}).items()
        },
    }
    rows: list[tuple[object, ...]] = [
        (name[:1].upper() + name[1:], value) for name, value in shown.items()
    ]
    return (
        _section("Figures", pages.table(("What", "How much"), rows, numbers=1))
        if rows
        else Markup("")
    )


def _changes(changes: Mapping[str, Any] | None) -> Markup:
    if changes is None:
        return Markup("")
    against = changes["against"]
    title = f"Changed against {against}" if against else "The first snapshot: all is new"
    rows = _changed("formula", changes)
    headers = ("Change", "Formula", "From", "To")
    formulae = _listing(title, headers, rows, empty="Nothing is different.")
    if "casks" not in changes:
        return formulae
    headers = ("Change", "Cask", "From", "To")
    rows = _changed("cask", changes["casks"])
    casks = _listing("Changed casks", headers, rows, empty="No cask is different.")
    return joined(formulae, casks)


def _changed(kind: str, changes: Mapping[str, Any]) -> list[tuple[object, ...]]:
    return [
        *((_turn(kind, each), each[kind], each["from"], each["to"]) for each in changes["updated"]),
        *(("removed", each[kind], each["version"], "") for each in changes["removed"]),
        *(("new", each[kind], "", each["version"]) for each in changes["new"]),
    ]


def _turn(kind: str, change: Mapping[str, str]) -> str:
    """What the change is: of the same version, a platform's bottle may have come or gone."""
    if change["from"] != change["to"]:
        return "updated"
    return "another file" if kind == "cask" else "other bottles"


def _listing(
    title: str,
    headers: tuple[str, ...],
    rows: Sequence[tuple[object, ...]],
    *,
    empty: str = "",
) -> Markup:
    if not rows:
        return _section(title, element("p", empty, class_="muted")) if empty else Markup("")
    more = len(rows) - LISTED
    rest = element("p", f"and {number(more)} more: report.json has them", class_="muted")
    listed = pages.table(headers, rows[:LISTED])
    return _section(f"{title} ({number(len(rows))})", listed, rest if more > 0 else Markup(""))


def _reasons(found: Iterable[Mapping[str, str]]) -> list[tuple[object, ...]]:
    return [(each["formula"], each["platform"], each["problem"]) for each in found]


def _too_large(report: Mapping[str, Any]) -> list[tuple[object, ...]]:
    return [
        (each["formula"], each["tag"], size(each["size_bytes"]))
        for each in report.get("too_large", ())
    ]


def _section(title: str, *children: Markup) -> Markup:
    return element("section", element("h2", title), *children)
