"""The rehearsal's expressions mean what GitHub's mean, and what it does not know it refuses."""

from __future__ import annotations

import pytest

from tests.rehearsal.expressions import Refused, condition, evaluate, fill
from tests.rehearsal.syntax import legs

FINE = {"success": True, "failure": False, "cancelled": False, "always": True}
FAILED = {"success": False, "failure": True, "cancelled": False, "always": True}
CONTEXTS = {
    "github": {"event_name": "push", "ref": "refs/heads/main"},
    "needs": {"a": {"result": "success", "outputs": {"list": '[{"name": "dev"}]', "no": ""}}},
    "vars": {},
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("github.event_name == 'push'", True),
        ("github.event_name == 'PUSH'", True),
        ("github.event_name != 'push'", False),
        ("github.event_name == 'pull_request' && github.ref || 'other'", "other"),
        ("github.event_name == 'push' && github.ref || 'other'", "refs/heads/main"),
        ("!needs.a.outputs.no", True),
        ("vars.UNKNOWN != 'off'", True),
        ("needs.a['result']", "success"),
        ("fromJSON(needs.a.outputs.list)[0].name", "dev"),
        ("fromJSON('[]')[3]", None),
        ("'it''s'", "it's"),
        ("(true || false) && !false", True),
    ],
)
def test_an_expression_has_github_s_value(text, value):
    assert evaluate(text, CONTEXTS, FINE) == value


@pytest.mark.parametrize(
    "text", ["hashFiles('a')", "github.ref == 1", "env.X", "1 +", "a b", "github.*", "'open"]
)
def test_what_is_outside_of_the_subset_is_refused(text):
    with pytest.raises(Refused):
        evaluate(text, CONTEXTS, FINE)


@pytest.mark.parametrize(
    ("text", "when_fine", "when_failed"),
    [
        (None, True, False),
        ("github.event_name == 'push'", True, False),
        ("always()", True, True),
        ("${{ !cancelled() && needs.a.result == 'success' }}", True, True),
        ("failure()", False, True),
    ],
)
def test_a_condition_wants_success_unless_it_asks_for_the_status(text, when_fine, when_failed):
    assert condition(text, CONTEXTS, FINE) is when_fine
    assert condition(text, CONTEXTS, FAILED) is when_failed


def test_a_lone_expression_keeps_its_type_and_others_become_text():
    assert fill("${{ fromJSON('[1]') }}", CONTEXTS, FINE) == [1]
    assert fill("${{ github.ref }} and ${{ true }}", CONTEXTS, FINE) == "refs/heads/main and true"
    with pytest.raises(Refused, match="in the middle of a text"):
        fill("a ${{ fromJSON('[1]') }}", CONTEXTS, FINE)


def test_an_included_entry_extends_what_it_fits_and_is_one_of_its_own_elsewhere():
    matrix = {
        "suite": ["lint", "unit"],
        "python": ["3.13"],
        "include": [{"suite": "unit", "python": "3.11"}, {"suite": "lint", "fast": True}],
    }

    assert legs({"matrix": matrix}) == [
        {"suite": "lint", "python": "3.13", "fast": True},
        {"suite": "unit", "python": "3.13"},
        {"suite": "unit", "python": "3.11"},
    ]


def test_a_matrix_of_nothing_is_refused_as_github_does():
    with pytest.raises(Refused, match="no combination"):
        legs({"matrix": {"suite": []}})
