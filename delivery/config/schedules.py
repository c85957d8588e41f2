"""What EventBridge Scheduler takes as a schedule: ``cron(…)``, ``rate(…)`` and ``at(…)``.

Source: Amazon EventBridge user guide, "Cron expressions reference"; EventBridge Scheduler user
guide, "Schedule types". A range that runs backwards is nowhere documented, so it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

EXAMPLES = "cron(0 3 ? * SUN *), rate(12 hours) or at(2027-01-31T03:00:00)"
UNITS = ("minute", "hour", "day")


@dataclass(frozen=True)
class Flaw:
    """What is wrong with an expression, and what to write instead."""

    problem: str
    remedy: str


@dataclass(frozen=True)
class Field:
    """One of cron's six: its range, what its numbers are also called, and its wildcards."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    wildcards: str = ", - * /"

    @property
    def form(self) -> str:
        """``1-7 or SUN-SAT, with the wildcards , - * ? L #``."""
        named = f" or {self.names[0]}-{self.names[-1]}" if self.names else ""
        return f"{self.low}-{self.high}{named}, with the wildcards {self.wildcards}"

    def takes(self, text: str) -> bool:
        """Whether the field may say this."""
        if text in {"*", "?"}:
            return text in self.wildcards
        items = text.split(",")
        return all(self._takes_item(item, is_only=len(items) == 1) for item in items)

    def _takes_item(self, item: str, *, is_only: bool) -> bool:
        if self._is_span(item) or self._is_step(item) or self._is_last(item):
            return True
        if "W" in self.wildcards and item.endswith("W"):
            return self._number(item[:-1]) is not None
        # The guide allows "#" only where it is the field's one expression.
        return is_only and self._is_nth(item)

    def _is_span(self, item: str) -> bool:
        first, dash, last = item.partition("-")
        low, high = self._number(first), self._number(last if dash else first)
        return low is not None and high is not None and low <= high

    def _is_step(self, item: str) -> bool:
        start, slash, step = item.partition("/")
        if not slash or "/" not in self.wildcards:
            return False
        is_number = re.fullmatch(r"[0-9]{1,4}", step) is not None
        return is_number and 1 <= int(step) <= self.high and (start == "*" or self._is_span(start))

    def _is_nth(self, item: str) -> bool:
        day, _, nth = item.partition("#")
        is_day = "#" in self.wildcards and self._number(day) is not None
        return is_day and re.fullmatch("[1-5]", nth) is not None

    def _is_last(self, item: str) -> bool:
        if "L" not in self.wildcards or not item.endswith("L"):
            return False
        # "6L" is the month's last Friday: days of the week have it, days of the month do not.
        return item == "L" or ("#" in self.wildcards and self._number(item[:-1]) is not None)

    def _number(self, text: str) -> int | None:
        if text in self.names:
            return self.low + self.names.index(text)
        if not re.fullmatch(r"[0-9]{1,4}", text):
            return None
        return int(text) if self.low <= int(text) <= self.high else None


MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
FIELDS = (
    Field("minutes", 0, 59),
    Field("hours", 0, 23),
    Field("day-of-month", 1, 31, wildcards=", - * ? / L W"),
    Field("month", 1, 12, MONTHS),
    Field("day-of-week", 1, 7, DAYS, wildcards=", - * ? L #"),
    Field("year", 1970, 2199),
)
DAY_OF_MONTH, DAY_OF_WEEK = 2, 4


def flaws(expression: str) -> list[Flaw]:
    """All that EventBridge Scheduler would refuse in the expression; empty when it is sound."""
    found = re.fullmatch(r"(cron|rate|at)\((.*)\)", expression)
    if found is None:
        return [Flaw(f'"{expression}" is not a schedule', _wrapped(expression) or EXAMPLES)]
    kind, inner = found.groups()
    return list({"cron": _in_cron, "rate": _in_rate, "at": _in_at}[kind](inner))


def _wrapped(expression: str) -> str:
    """A bare crontab line as the schedule that it means, where that is plain."""
    fields = expression.split()
    return _with_year(fields) if len(fields) == 5 else ""


def _in_cron(inner: str) -> Iterator[Flaw]:
    fields = inner.split()
    if len(fields) != len(FIELDS):
        names = " ".join(field.name for field in FIELDS)
        remedy = (_with_year(fields) if len(fields) == 5 else "") or f"cron({names})"
        yield Flaw(f'"{inner}" has {len(fields)} fields, not 6', remedy)
        return
    for field, text in zip(FIELDS, fields, strict=True):
        if not field.takes(text):
            remedy = text.upper() if field.takes(text.upper()) else field.form
            yield Flaw(f'{field.name} cannot be "{text}"', remedy)
    if (fields[DAY_OF_MONTH] == "?") == (fields[DAY_OF_WEEK] == "?"):
        yield _days_flaw(fields)


def _days_flaw(fields: Sequence[str]) -> Flaw:
    month_day, week_day = fields[DAY_OF_MONTH], fields[DAY_OF_WEEK]
    problem = (
        f'day-of-month "{month_day}" and day-of-week "{week_day}": exactly one of the two must be ?'
    )
    if week_day == "?":
        return Flaw(problem, _cron(fields, DAY_OF_MONTH, "*"))
    doomed = DAY_OF_MONTH if month_day == "*" and week_day != "*" else DAY_OF_WEEK
    return Flaw(problem, _cron(fields, doomed, "?"))


def _with_year(fields: Sequence[str]) -> str:
    """Crontab's five fields as our six; empty where days of the week are counted otherwise."""
    minutes, hours, month_day, month, week_day = (field.upper() for field in fields)
    if week_day == "*":
        week_day = "?"
    elif month_day == "*":
        month_day = "?"
    # Crontab counts Sunday as 0, EventBridge as 1: a digit must not be passed on.
    if re.search(r"[0-9]", week_day):
        return ""
    six = [minutes, hours, month_day, month, week_day, "*"]
    return f"cron({' '.join(six)})"


def _cron(fields: Sequence[str], index: int, text: str) -> str:
    return f"cron({' '.join([*fields[:index], text, *fields[index + 1 :]])})"


def _in_rate(inner: str) -> Iterator[Flaw]:
    found = re.fullmatch(r"([0-9]{1,9})\s+([a-z]+)", inner)
    unit = found[2].removesuffix("s") if found else ""
    if found is None or int(found[1]) == 0 or unit not in UNITS:
        units = "minutes, hours or days"
        yield Flaw(f'"{inner}" is not a rate', f"rate(N {units}) with N from 1 on: rate(12 hours)")
        return
    fitting = unit if int(found[1]) == 1 else f"{unit}s"
    if found[2] != fitting:
        yield Flaw(f'"{found[2]}" does not go with {found[1]}', f"rate({found[1]} {fitting})")


def _in_at(inner: str) -> Iterator[Flaw]:
    try:
        moment = datetime.strptime(inner, "%Y-%m-%dT%H:%M:%S")  # noqa: DTZ007 - schedule.timezone is its zone
        is_moment = moment.isoformat() == inner
    except ValueError:
        is_moment = False
    if not is_moment:
        yield Flaw(f'"{inner}" is not a moment', "at(yyyy-mm-ddThh:mm:ss): at(2027-01-31T03:00:00)")
