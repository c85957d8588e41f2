"""iam_use: what of a policy was never used, and what was never allowed."""

from __future__ import annotations

import json

import pytest

from tests.doubles import iam_use
from tests.doubles.iam_use import Call

ROLE, BUCKET = "airbrew-dev-orchestrator", "arn:aws:s3:::mirror"
READS = {
    "Sid": "Read",
    "Effect": "Allow",
    "Action": "s3:GetObject",
    "Resource": [f"{BUCKET}/api/*", f"{BUCKET}/index.html"],
}
MADE = [
    Call(ROLE, "s3:GetObject", f"{BUCKET}/api/internal/packages.arm64_tahoe.jws.json", "Allow"),
    Call(ROLE, "s3:GetObject", f"{BUCKET}/index.html", "Allow"),
]


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def test_a_policy_of_which_all_is_used_has_no_excess():
    assert list(iam_use.excess(policy(READS), MADE)) == []


@pytest.mark.parametrize(
    ("planted", "told"),
    [
        (
            {"Sid": "Delete", "Action": "s3:DeleteObject", "Resource": f"{BUCKET}/api/*"},
            ["Delete: s3:DeleteObject", f"Delete: {BUCKET}/api/*"],
        ),
        (
            READS | {"Action": ["s3:GetObject", "s3:GetObjectVersion"]},
            ["Read: s3:GetObjectVersion"],
        ),
        (
            READS | {"Resource": [*READS["Resource"], f"{BUCKET}/settings/*"]},
            [f"Read: {BUCKET}/settings/*"],
        ),
        (
            READS | {"Resource": f"{BUCKET}/api?/*"},
            ["Read: s3:GetObject", f"Read: {BUCKET}/api?/*"],
        ),
    ],
    ids=["a statement", "an action", "a resource", "a pattern that fits nothing"],
)
def test_what_was_planted_is_told(planted, told):
    assert list(iam_use.excess(policy(READS, planted), MADE)) == told


def test_an_action_on_another_statement_s_resource_is_no_use():
    elsewhere = [Call(ROLE, "s3:GetObject", f"{BUCKET}/settings/1.json", "Allow")]

    assert "Read: s3:GetObject" in iam_use.excess(policy(READS), elsewhere)


def test_what_one_of_several_decisions_allows_is_not_denied():
    refused = Call(ROLE, "s3:PutObject", f"{BUCKET}/api/x", "ImplicitDeny")
    again = Call(ROLE, "s3:GetObject", f"{BUCKET}/index.html", "ImplicitDeny")

    assert iam_use.denied([*MADE, again, refused]) == [refused]


@pytest.mark.parametrize(
    ("context", "decision"),
    [
        ({"ecs:cluster": "ours"}, "Allow"),
        ({"ecs:cluster": "theirs"}, "ImplicitDeny"),
        ({}, "ImplicitDeny"),
    ],
)
def test_a_condition_counts(context, decision):
    runs = {
        "Action": "ecs:RunTask",
        "Resource": "task:1",
        "Condition": {"ArnEquals": {"ecs:cluster": "ours"}},
    }

    decided = iam_use.decide(policy(runs), Call(ROLE, "ecs:RunTask", "task:1"), context)

    assert decided.decision == decision


def test_only_what_roles_asked_for_is_taken_from_the_record(tmp_path):
    session = f"arn:aws:sts::000000000000:assumed-role/{ROLE}/{ROLE}"
    root = "arn:aws:iam::000000000000:root"
    record = tmp_path / "decisions.jsonl"
    told = [(who, "s3:GetObject", f"{BUCKET}/index.html", "Allow") for who in (session, root)]
    record.write_text("".join(json.dumps(each) + "\n" for each in told))

    assert iam_use.calls(record) == [MADE[1]]


def test_a_condition_that_names_several_values_wants_one_of_them():
    passed = {
        "Sid": "Pass",
        "Action": "iam:PassRole",
        "Resource": "*",
        "Condition": {"StringEquals": {"iam:PassedToService": ["ecs.amazonaws.com", "states"]}},
    }
    call = Call(ROLE, "iam:PassRole", "arn:aws:iam::1:role/x")

    allowed = iam_use.decide(policy(passed), call, {"iam:PassedToService": "ecs.amazonaws.com"})
    refused = iam_use.decide(policy(passed), call, {"iam:PassedToService": "lambda"})

    assert (allowed.decision, refused.decision) == ("Allow", "ImplicitDeny")


def test_a_resource_that_was_not_named_is_named_and_others_are_left():
    unnamed = Call(ROLE, "s3:ListAllMyBuckets", "*", "Allow")

    named = iam_use.named([*MADE, unnamed], {"s3:ListAllMyBuckets": BUCKET})

    assert named == [*MADE, Call(ROLE, "s3:ListAllMyBuckets", BUCKET, "Allow")]


def test_of_a_role_s_sessions_one_can_be_looked_at(tmp_path):
    begins, file = f"arn:aws:sts::000000000000:assumed-role/{ROLE}", tmp_path / "decisions.jsonl"
    told = [[f"{begins}/{session}", "s3:GetObject", "*", "Allow"] for session in ("life", "other")]
    file.write_text("".join(f"{json.dumps(each)}\n" for each in told))

    assert len(iam_use.calls(file)) == 2
    assert len(iam_use.calls(file, "/life")) == 1
