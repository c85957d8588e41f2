"""What several syncs have changed together: what came and went in between is not told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

KINDS = ("new", "updated", "removed")
Changes = dict[str, list[dict[str, str]]]
# The versions before and after a change; None is absent.
_ENDS: Mapping[str, Callable[[Mapping[str, str]], tuple[str | None, str | None]]] = {
    "new": lambda each: (None, each["version"]),
    "updated": lambda each: (each["from"], each["to"]),
    "removed": lambda each: (each["version"], None),
}


@dataclass
class _Course:
    """Of one name: its versions before the first change and after the last, None for absent."""

    before: str | None
    after: str | None
    # Another file of the same version came, or one for another platform.
    is_touched: bool = False


def formulae(reports: Iterable[Mapping[str, Any]]) -> Changes:
    """``{"new", "updated", "removed"}`` as a sync's report has them, of all of these together.

    Args:
        reports: of consecutive syncs, the oldest first; those without ``changes`` changed nothing.
    """
    return _net("formula", [each.get("changes") or {} for each in reports])


def casks(reports: Iterable[Mapping[str, Any]]) -> Changes:
    """The same of casks."""
    return _net("cask", [(each.get("changes") or {}).get("casks", {}) for each in reports])


def _net(kind: str, steps: Iterable[Mapping[str, Any]]) -> Changes:
    courses: dict[str, _Course] = {}
    for changes in steps:
        for name in KINDS:
            for each in changes.get(name, ()):
                _go_on(courses, each[kind], *_ENDS[name](each))
    found: Changes = {name: [] for name in KINDS}
    for name, course in sorted(courses.items()):
        if course.before is None and course.after is not None:
            found["new"].append({kind: name, "version": course.after})
        elif course.before is not None and course.after is None:
            found["removed"].append({kind: name, "version": course.before})
        elif course.before is not None and course.after is not None and _differs(course):
            told = {kind: name, "from": course.before, "to": course.after}
            found["updated"].append(told)
    return found


def _go_on(courses: dict[str, _Course], name: str, before: str | None, after: str | None) -> None:
    course = courses.setdefault(name, _Course(before, after))
    course.after = after
    course.is_touched |= before == after


def _differs(course: _Course) -> bool:
    return course.before != course.after or course.is_touched
