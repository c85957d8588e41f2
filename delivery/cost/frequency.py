"""How often a schedule starts in a month."""

from __future__ import annotations

import re
from collections.abc import Sequence

from delivery.config.schedules import FIELDS, Field

DAYS_A_MONTH = 365.25 / 12
MINUTES = {"minute": 1, "hour": 60, "day": 24 * 60}


def starts_a_month(expression: str) -> float:
    """The mean number of starts a month of a schedule that EventBridge Scheduler takes.

    ``L``, ``W`` and ``#`` mean one day a month. The year is not looked at.
    """
    kind, _, inner = expression.rstrip(")").partition("(")
    if kind == "at":
        return 1
    if kind == "rate":
        count, unit = inner.split()
        return DAYS_A_MONTH * 24 * 60 / (int(count) * MINUTES[unit.removesuffix("s")])
    return _cron(inner.split())


def _cron(fields: Sequence[str]) -> float:
    minutes, hours, month_day, month, week_day = (
        _count(field, text) for field, text in zip(FIELDS, fields[:5], strict=False)
    )
    if fields[4] == "?":
        days = month_day / 31 * DAYS_A_MONTH if "L" not in fields[2] else month_day
    elif re.search("[L#]", fields[4]):
        days = week_day
    else:
        days = week_day / 7 * DAYS_A_MONTH
    return minutes * hours * days * month / 12


def _count(field: Field, text: str) -> int:
    if text in {"*", "?"}:
        return field.high - field.low + 1
    return sum(_count_item(field, item) for item in text.split(","))


def _count_item(field: Field, item: str) -> int:
    span, _, step = item.partition("/")
    if span == "*":
        first, last = field.low, field.high
    elif "-" in span:
        first, last = (_number(field, each) for each in span.split("-"))
    else:
        first = _number(field, span)
        last = field.high if step else first
    return len(range(first, last + 1, int(step or 1)))


def _number(field: Field, text: str) -> int:
    """A number or a name of the field; what only a calendar knows (L, 15W, 6#3) counts as one."""
    if text in field.names:
        return field.low + field.names.index(text)
    return int(text) if text.isdigit() else field.low
