"""schedules: what EventBridge Scheduler takes is let through, what it refuses is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.config.schedules import DAYS, FIELDS, MONTHS, flaws

SOUND = [
    # The examples of the EventBridge user guide.
    "cron(0 10 * * ? *)",
    "cron(15 12 * * ? *)",
    "cron(0 18 ? * MON-FRI *)",
    "cron(0 8 1 * ? *)",
    "cron(0/15 * * * ? *)",
    "cron(0/10 * ? * MON-FRI *)",
    "cron(0/5 8-17 ? * MON-FRI *)",
    "cron(0 9 ? * 2#1 *)",
    "cron(30 0 L * ? *)",
    "cron(0 0 3W * ? 2027-2030)",
    "cron(0 3 ? JAN,APR,JUL,OCT 6L *)",
    "cron(0 3 ? * FRIL *)",
    "cron(*/7 1-23/2 1,15,L 1-12/3 ? 2027/2)",
    "rate(1 minute)",
    "rate(5 minutes)",
    "rate(1 hour)",
    "rate(36 hours)",
    "rate(1 day)",
    "rate(7 days)",
    "at(2027-01-31T03:00:00)",
    "at(2028-02-29T23:59:59)",
]
BROKEN = {
    "cron()": "has 0 fields",
    "cron(0 10 * * ?)": "has 5 fields",
    "cron(0 10 * * ? * *)": "has 7 fields",
    "cron(-1 10 * * ? *)": 'minutes cannot be "-1"',
    "cron(0 24 * * ? *)": 'hours cannot be "24"',
    "cron(0 10 0 * ? *)": 'day-of-month cannot be "0"',
    "cron(0 10 32 * ? *)": 'day-of-month cannot be "32"',
    "cron(0 10 * 13 ? *)": 'month cannot be "13"',
    "cron(0 10 ? * 0 *)": 'day-of-week cannot be "0"',
    "cron(0 10 ? * 8 *)": 'day-of-week cannot be "8"',
    "cron(0 10 * * ? 1969)": 'year cannot be "1969"',
    "cron(0 10 * * ? 2200)": 'year cannot be "2200"',
    "cron(? 10 * * ? *)": 'minutes cannot be "?"',
    "cron(0 10 * ? ? *)": 'month cannot be "?"',
    "cron(0 22-2 * * ? *)": 'hours cannot be "22-2"',
    "cron(0,,5 10 * * ? *)": 'minutes cannot be "0,,5"',
    "cron(0, 10 * * ? *)": 'minutes cannot be "0,"',
    "cron(*,5 10 * * ? *)": 'minutes cannot be "*,5"',
    "cron(*/0 10 * * ? *)": 'minutes cannot be "*/0"',
    "cron(*/60 10 * * ? *)": 'minutes cannot be "*/60"',
    "cron(/5 10 * * ? *)": 'minutes cannot be "/5"',
    "cron(0 10 5L * ? *)": 'day-of-month cannot be "5L"',
    "cron(0 10 W * ? *)": 'day-of-month cannot be "W"',
    "cron(0 10 40W * ? *)": 'day-of-month cannot be "40W"',
    "cron(0 10 MON * ? *)": 'day-of-month cannot be "MON"',
    "cron(0 10 ? L MON *)": 'month cannot be "L"',
    "cron(0 10 ? * 2#6 *)": 'day-of-week cannot be "2#6"',
    "cron(0 10 ? * 2# *)": 'day-of-week cannot be "2#"',
    "cron(0 10 ? * 2#12 *)": 'day-of-week cannot be "2#12"',
    "cron(0 10 ? * 3#1,6#3 *)": 'day-of-week cannot be "3#1,6#3"',
    "cron(0 10 ? * MON/2 *)": 'day-of-week cannot be "MON/2"',
    "cron(0 10 ? * mon *)": 'day-of-week cannot be "mon"',
    "cron(0 10 ? * Lundi *)": 'day-of-week cannot be "Lundi"',
    "cron(0 10 * * * *)": "exactly one of the two must be ?",
    "cron(0 10 ? * ? *)": "exactly one of the two must be ?",
    "cron(0 10 1 * MON *)": "exactly one of the two must be ?",
    "cron(\N{ARABIC-INDIC DIGIT ZERO} 10 * * ? *)": "minutes cannot be",
    "rate(0 minutes)": "is not a rate",
    "rate(-5 minutes)": "is not a rate",
    "rate(5)": "is not a rate",
    "rate(5 weeks)": "is not a rate",
    "rate(5 minute)": '"minute" does not go with 5',
    "rate(1 hours)": '"hours" does not go with 1',
    "at(2027-01-31)": "is not a moment",
    "at(2027-02-29T03:00:00)": "is not a moment",
    "at(2027-1-31T03:00:00)": "is not a moment",
    "at(2027-01-31T03:00:00Z)": "is not a moment",
    "at(2027-01-31 03:00:00)": "is not a moment",
    "every day": "is not a schedule",
    "cron(0 10 * * ? *": "is not a schedule",
    "CRON(0 10 * * ? *)": "is not a schedule",
    "": "is not a schedule",
}


@pytest.mark.parametrize("expression", SOUND)
def test_what_the_service_takes_has_no_flaw(expression):
    assert flaws(expression) == []


@pytest.mark.parametrize(("expression", "problem"), BROKEN.items(), ids=repr)
def test_what_the_service_refuses_is_named_once(expression, problem):
    (found,) = flaws(expression)

    assert problem in found.problem
    assert found.remedy


def test_every_field_that_is_wrong_is_named():
    found = [flaw.problem for flaw in flaws("cron(60 24 * 13 * *)")]

    assert found == [
        'minutes cannot be "60"',
        'hours cannot be "24"',
        'month cannot be "13"',
        'day-of-month "*" and day-of-week "*": exactly one of the two must be ?',
    ]


@pytest.mark.parametrize(
    ("expression", "remedy"),
    [
        ("0 3 * * *", "cron(0 3 * * ? *)"),
        ("0 3 * * mon-fri", "cron(0 3 ? * MON-FRI *)"),
        ("cron(30 4 1 * *)", "cron(30 4 1 * ? *)"),
        ("cron(0 3 * * * *)", "cron(0 3 * * ? *)"),
        ("cron(0 3 * * SUN *)", "cron(0 3 ? * SUN *)"),
        ("cron(0 3 ? * ? *)", "cron(0 3 * * ? *)"),
        ("rate(12 hour)", "rate(12 hours)"),
    ],
)
def test_where_the_meaning_is_plain_the_remedy_is_the_whole_expression(expression, remedy):
    assert [flaw.remedy for flaw in flaws(expression)] == [remedy]
    assert flaws(remedy) == []


def test_crontab_s_numbers_for_days_are_not_passed_on():
    """Crontab's 1 is Monday, EventBridge's is Sunday."""
    (found,) = flaws("0 3 * * 1")

    assert "cron(0 3 ? * 1 *)" not in found.remedy


def numbers(low, high):
    return st.integers(low, high)


def field(low, high, names=()):
    """One field as the guide allows it: *, numbers, names, ranges, steps, lists of these."""
    value = numbers(low, high).map(str)
    if names:
        value = value | st.sampled_from(names)
    span = (
        st.tuples(numbers(low, high), numbers(low, high))
        .map(sorted)
        .map(lambda ends: f"{ends[0]}-{ends[1]}")
    )
    step = st.tuples(st.just("*") | value | span, numbers(1, high)).map(
        lambda parts: f"{parts[0]}/{parts[1]}"
    )
    return st.just("*") | st.lists(value | span | step, min_size=1, max_size=3).map(",".join)


MINUTES, HOURS, MONTH_DAYS = field(0, 59), field(0, 23), field(1, 31) | st.just("L")
MONTH, YEAR = field(1, 12, MONTHS), field(1970, 2199)
WEEK_DAYS = st.one_of(
    st.lists(st.sampled_from(DAYS) | numbers(1, 7).map(str), min_size=1, max_size=3).map(",".join),
    st.tuples(st.sampled_from(DAYS), numbers(1, 5)).map(lambda parts: f"{parts[0]}#{parts[1]}"),
    st.sampled_from(DAYS).map(lambda day: f"{day}L"),
)
WHICH_DAYS = st.tuples(MONTH_DAYS, st.just("?")) | st.tuples(st.just("?"), WEEK_DAYS)


@given(MINUTES, HOURS, WHICH_DAYS, MONTH, YEAR)
def test_any_cron_made_by_the_guide_s_rules_is_let_through(minutes, hours, days, month, year):
    assert flaws(f"cron({minutes} {hours} {days[0]} {month} {days[1]} {year})") == []


@given(st.integers(0, 5), st.integers(0, 9999))
def test_a_number_is_taken_exactly_within_its_field_s_range(index, number):
    field_ = FIELDS[index]

    assert field_.takes(str(number)) == (field_.low <= number <= field_.high)


@given(st.text())
def test_no_text_whatever_breaks_the_check(text):
    for expression in (text, f"cron({text})", f"rate({text})", f"at({text})"):
        assert all(flaw.problem and flaw.remedy for flaw in flaws(expression))


@given(st.integers(1, 10**6), st.sampled_from(["minute", "hour", "day"]))
def test_a_rate_has_exactly_one_right_plural(number, unit):
    singular, plural = flaws(f"rate({number} {unit})"), flaws(f"rate({number} {unit}s)")

    assert (singular == []) == (number == 1)
    assert (plural == []) == (number != 1)


@given(st.datetimes(), st.booleans())
def test_at_takes_every_moment_in_whole_seconds(moment, with_fraction):
    text = moment.replace(microsecond=500_000 if with_fraction else 0).isoformat()

    assert (flaws(f"at({text})") == []) == (not with_fraction)
