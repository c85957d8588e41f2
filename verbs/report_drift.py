"""How drift reads on a terminal: one row an attribute, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from delivery.drift.differences import BY_HAND, Drift
from delivery.drift.looking import DriftReport, Mended
from verbs import console
from verbs.report_plan import value

SHOWN = 3
# Every address begins so.
COMMON = "module.airbrew.module."
HEADERS = ("resource", "attribute", "declared", "found", "who", "when")


def drift(found: DriftReport) -> None:
    """What is not as deployed, what only looks so, and the one command that puts it back."""
    _rows(found.drift)
    for each in found.gaps:
        console.line(f"known gap of the sandbox: {each.address} {each.attribute}: {each.gap}")
    if not found.drift:
        console.line(
            f"no drift: {found.resources} resources are as deploy {found.deploy} left them"
        )
        return
    console.line(f"{len(found.drift)} differences from deploy {found.deploy}")
    _by_hand(found.drift)
    if found.mendable:
        console.line("next:")
        console.line(f"  inv drift --env {found.environment} --fix")


def mended(result: Mended) -> None:
    """What was put back, and what a person has to do."""
    put_back = len(result.report.mendable)
    console.line(f"{put_back} differences put back by deploy {result.outcome.number}")
    _by_hand(result.left)


def _rows(found: Sequence[Drift]) -> None:
    """A policy that was rewritten differs in every line: the first few say enough."""
    groups = groupby(found, key=lambda each: (each.address, each.attribute.partition(".")[0]))
    rows = []
    for (address, attribute), members in groups:
        each = list(members)
        rows += [_row(one) for one in each[:SHOWN]]
        if len(each) > SHOWN:
            more = f"{attribute}: {len(each) - SHOWN} more (--json)"
            rows.append([address.removeprefix(COMMON), more, *[""] * 4])
    if rows:
        console.table(HEADERS, rows)


def _row(each: Drift) -> list[str]:
    who = each.who.rpartition("/")[2] or each.who
    told = f"{who} ({each.event})" if who else "not known"
    return [
        each.address.removeprefix(COMMON),
        each.attribute,
        value(each.declared),
        value(each.found),
        told,
        each.when,
    ]


def _by_hand(found: Sequence[Drift]) -> None:
    for each in found:
        if each.mended_by == BY_HAND:
            console.line(
                f"by hand: {each.address} {each.attribute}: nobody declares it, so no deploy"
                f" puts it back; make it {value(each.declared)}, or declare it"
            )
