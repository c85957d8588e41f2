"""trust: a policy evaluated as STS would; whole sets of claims are tried in the sandbox."""

from __future__ import annotations

import pytest

from delivery.errors import DeliveryError
from delivery.oidc import trust
from tests.doubles.github_tokens import claims

ISSUER = "token.actions.githubusercontent.com"
PROVIDER = f"arn:aws:iam::123456789012:oidc-provider/{ISSUER}"


def statement(effect="Allow", **condition):
    return {
        "Effect": effect,
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": PROVIDER},
        "Condition": {
            operator: {f"{ISSUER}:{key}": value for key, value in keys.items()}
            for operator, keys in condition.items()
        },
    }


def verdict(*statements, **changed):
    return trust.evaluate({"Statement": list(statements)}, claims(**changed))


@pytest.mark.parametrize(
    ("pattern", "ref", "matches"),
    [
        ("refs/heads/main", "refs/heads/main", True),
        ("refs/heads/*", "refs/heads/feature/x", True),
        ("refs/tags/v?.*", "refs/tags/v1.2", True),
        ("refs/tags/v?.*", "refs/tags/v10.2", False),
        ("refs/heads/main", "refs/heads/Main", False),
        ("refs/heads/v1.2", "refs/heads/v1x2", False),
        ("refs/heads/main", "refs/heads/main\n", False),
        ("refs/heads/[a-z]*", "refs/heads/main", False),
    ],
)
def test_patterns_match_as_iam_has_them(pattern, ref, matches):
    assert verdict(statement(StringLike={"ref": pattern}), ref=ref).accepted is matches


def test_a_star_means_itself_where_things_are_to_be_equal():
    found = verdict(statement(StringEquals={"ref": "refs/heads/*"}))

    assert found.refusals == (
        trust.Refusal("StringEquals", "ref", ("refs/heads/*",), "refs/heads/main"),
    )


def test_one_statement_that_allows_is_enough_and_the_nearest_one_is_told():
    near = statement(StringEquals={"aud": "sts.amazonaws.com", "ref": "refs/heads/x"})
    far = statement(StringEquals={"aud": "other", "ref": "refs/heads/x", "actor": "nobody"})

    assert verdict(near, statement()).accepted
    assert [each.claim for each in verdict(far, near).refusals] == ["ref"]


def test_an_explicit_deny_wins():
    denying = statement("Deny", StringEquals={"actor": "octocat"})

    assert verdict(statement(), denying).accepted is False
    assert verdict(statement(), denying, actor="hubot").accepted is True


def test_a_policy_without_a_statement_that_allows_lets_nobody_in():
    assert verdict() == trust.Verdict(accepted=False)


def test_another_action_and_another_issuer_are_refusals_too():
    other = statement() | {"Action": ["sts:AssumeRole"]}

    found = verdict(other, iss="https://example.com")

    assert [each.claim for each in found.refusals] == ["action", "iss"]


def test_a_list_of_audiences_is_not_one_of_its_members():
    found = verdict(statement(StringEquals={"aud": "sts.amazonaws.com"}), aud=["sts.amazonaws.com"])

    assert found.accepted is False


def test_an_operator_that_is_none_of_ours_is_not_guessed_at():
    with pytest.raises(DeliveryError, match='the operator "StringNotLike" is none') as refused:
        verdict(statement(StringNotLike={"ref": "refs/heads/x"}))

    assert "inv oidc.bootstrap" in refused.value.remedy
