"""A fault at each step of each way to change an environment, and how the environment ends."""

from __future__ import annotations

import pytest

from tests.doubles import fault_table
from tests.doubles.fault_table import CASES, PAGE
from tests.doubles.journeys import JOURNEYS


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """An environment that is wound back before each case."""
    with fault_table.staged(tmp_path_factory.mktemp("faults")) as stage:
        yield stage


@pytest.fixture(scope="module")
def outcomes():
    """What became of the cases so far."""
    return {}


@pytest.mark.parametrize("journey", JOURNEYS, ids=lambda journey: journey.name)
def test_a_journey_goes_through_the_steps_that_are_broken(stage, journey):
    assert stage.steps_of(journey) == list(journey.steps)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_fault_leaves_functions_that_fit_and_commands_that_go_on(stage, outcomes, case):
    ended = stage.play(case)
    outcomes[case] = ended.outcome

    assert ended.problems == []


def test_the_table_in_the_documentation_is_what_happens(stage, outcomes):
    found = {case: outcomes.get(case) or stage.play(case).outcome for case in CASES}

    assert PAGE.read_text(encoding="utf-8") == fault_table.page(found), (
        "write it anew: python -m tests.doubles.fault_table"
    )
