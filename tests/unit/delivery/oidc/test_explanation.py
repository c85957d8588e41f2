"""explanation: which condition of which role refused, and what to change: in words to act on."""

from __future__ import annotations

import json

import pytest

from delivery.config import effective, loading
from delivery.oidc import access, explanation
from tests.doubles.github_tokens import NEVER, claims

ISSUER = "token.actions.githubusercontent.com"
DEVELOP = "refs/heads/develop"
PULL = "refs/pull/7/merge"
OTHERS = ("6666", "7777")
CONFIGURATION = """
project: {name: acme}
environments:
  dev: {type: development, github: {repository: acme/mirror}}
  staging: {type: staging}
  prod: {type: production}
"""


@pytest.fixture
def environment(tmp_path):
    """The environment dev, which lets acme/mirror in."""
    file = tmp_path / "airbrew.yaml"
    file.write_text(CONFIGURATION)
    return effective.effective(loading.load(file), "dev")


def policy(**condition):
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Principal": {"Federated": access.provider_arn("123456789012")},
                "Condition": {
                    operator: {f"{ISSUER}:{key}": value for key, value in keys.items()}
                    for operator, keys in condition.items()
                },
            }
        ],
    }


def deploy_policy(*subjects, **more):
    return policy(
        StringEquals={
            "aud": "sts.amazonaws.com",
            "sub": [f"{each}:environment:dev" for each in subjects],
            **more,
        },
        StringLike={"ref": [DEVELOP]},
    )


@pytest.fixture
def asked(cloud, environment):
    """What the roles with these subjects say to a token: reasons by purpose."""

    def ask(told, *subjects, now=0.0, **more):
        subjects = subjects or ("repo:acme/mirror",)
        plan = policy(
            StringEquals={"aud": "sts.amazonaws.com"},
            StringLike={"sub": [f"{each}:ref:{DEVELOP}" for each in subjects]},
        )
        trusted = {"deploy": deploy_policy(*subjects, **more), "plan": plan}
        for purpose, document in trusted.items():
            cloud.client("iam").create_role(
                RoleName=access.role_name(environment, purpose),
                AssumeRolePolicyDocument=json.dumps(document),
            )
        answers = explanation.explain(environment, cloud, told, now=now)
        return {each.purpose: each for each in answers}

    return ask


BOOTSTRAP = "run `inv oidc.bootstrap --env dev`"


@pytest.mark.parametrize(
    ("told", "condition", "remedy"),
    [
        (
            claims("refs/heads/x/y", environment="dev"),
            "StringLike ref",
            f'run it on {DEVELOP}, or add "x/y" to github.branches of dev and {BOOTSTRAP}',
        ),
        (
            claims("refs/tags/v1", environment="dev"),
            "StringLike ref",
            f'run it on {DEVELOP}, or add "v1" to github.tags of dev and {BOOTSTRAP}',
        ),
        (
            claims(PULL, environment="dev", event="push"),
            "StringLike ref",
            f"run it on {DEVELOP}: no pull request deploys",
        ),
        (
            claims(DEVELOP),
            "StringEquals sub",
            "put the job into the GitHub environment dev (environment: dev)",
        ),
        (
            claims(DEVELOP, environment="dev", repository="Acme/Mirror"),
            "StringEquals sub",
            f'spell github.repository "Acme/Mirror", as GitHub does, and {BOOTSTRAP}',
        ),
        (
            claims(DEVELOP, environment="dev", repository="mallory/mirror"),
            "StringEquals sub",
            (
                '"mallory/mirror" is not let in, be it a fork or not; if it is to be, set'
                f" github.repository and {BOOTSTRAP}"
            ),
        ),
        (
            claims(DEVELOP, environment="dev", immutable=True),
            "StringEquals sub",
            (
                "the repository sends its numbers, as those made or renamed since 2026-07-15 do:"
                f' set github.owner_id: "1001" and github.repository_id: "2002", and {BOOTSTRAP}'
            ),
        ),
        (
            claims(DEVELOP, environment="dev", aud="https://github.com/acme"),
            "StringEquals aud",
            (
                "ask for the token with the audience sts.amazonaws.com, as"
                " aws-actions/configure-aws-credentials does when it is given none"
            ),
        ),
        (
            claims(DEVELOP, environment="dev", iss="https://example.com"),
            "Federated iss",
            "only tokens of GitHub.com are let in; this one was issued by another",
        ),
        (
            claims(DEVELOP, environment="dev", sub="repository_owner:acme"),
            "StringEquals sub",
            (
                "this is no default subject: take the repository's or the organisation's own"
                " template back (gh api -X PUT repos/OWNER/NAME/actions/oidc/customization/sub -F"
                " use_default=true)"
            ),
        ),
    ],
    ids=lambda value: None if isinstance(value, dict) else value[:30],
)
def test_each_refusal_of_the_deploy_role_says_what_to_change(asked, told, condition, remedy):
    (reason,) = asked(told)["deploy"].reasons

    assert (reason.condition, reason.remedy) == (condition, remedy)


@pytest.mark.parametrize(
    ("told", "remedy"),
    [
        (
            claims(DEVELOP, environment="dev"),
            'take "environment: dev" off the job, or let it assume the deploy role',
        ),
        (
            claims(PULL, event="pull_request"),
            (
                "if pull requests of the repository may look, set github.plan_pull_requests: true"
                f" and {BOOTSTRAP}"
            ),
        ),
        (
            claims("refs/heads/x/y"),
            f'run it on ref:{DEVELOP}, or add "x/y" to github.plan_branches and {BOOTSTRAP}',
        ),
        (
            claims("refs/tags/v1.2.3"),
            f'run it on ref:{DEVELOP}, or add "v1.2.3" to github.plan_tags and {BOOTSTRAP}',
        ),
    ],
)
def test_each_refusal_of_the_plan_role_says_what_to_change(asked, told, remedy):
    (reason,) = asked(told)["plan"].reasons

    assert reason.remedy == remedy


def test_the_numbers_of_others_are_told_as_what_they_are(asked):
    told = claims(DEVELOP, environment="dev", immutable=True, numbers=OTHERS)

    reasons = asked(told, "repo:acme@1001/mirror@2002", repository_id="2002")["deploy"].reasons

    assert {each.condition for each in reasons} == {
        "StringEquals sub",
        "StringEquals repository_id",
    }
    assert "6666 and 7777 are the numbers of another owner or repository" in reasons[0].remedy
    assert "another repository of the same name sent this" in reasons[1].remedy


def test_a_token_that_would_be_let_in_but_for_its_age_says_so(asked):
    told = claims(DEVELOP, environment="dev")

    answer = asked(told, now=NEVER + 1.0)["deploy"]

    assert not answer.accepted
    assert [each.condition for each in answer.reasons] == ["exp"]


def test_what_is_let_in_has_no_reasons(asked):
    answers = asked(claims(DEVELOP, environment="dev"))

    assert (answers["deploy"].accepted, answers["deploy"].reasons) == (True, ())
    assert not answers["plan"].accepted


def test_a_condition_that_somebody_added_is_pointed_at(asked):
    told = claims(DEVELOP, environment="dev", actor="octocat")

    (reason,) = asked(told, actor="hubot")["deploy"].reasons

    assert reason.remedy == f"this condition is none of ours: {BOOTSTRAP}"


def test_an_account_that_was_never_set_up_is_told_to_be(cloud, environment):
    answers = explanation.explain(environment, cloud, claims())

    assert [each.reasons[0].remedy for each in answers] == [BOOTSTRAP, BOOTSTRAP]
