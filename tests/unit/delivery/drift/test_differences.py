"""Drift: what a plan of what was deployed still changes, less what nobody changed."""

from __future__ import annotations

import pytest

from delivery.drift import differences, roles
from delivery.drift.differences import BY_DEPLOY, BY_HAND, known
from tests.doubles.plans import document, entry

LOGS = "module.airbrew.module.functions.aws_cloudwatch_log_group.function"
BUCKET = "module.airbrew.module.storage.aws_s3_bucket.mirror"
ROLE = "module.airbrew.module.functions.aws_iam_role.function"
ALIAS = "module.airbrew.module.functions.aws_lambda_alias.live"
FLOW_LOG = "module.airbrew.module.network[0].aws_flow_log.task"


def changed(address, before, after):
    return entry(address, "update", before=before, after=after)


def of(found, *, is_sandbox=False):
    return differences.of(found, is_sandbox=is_sandbox)


def told(found):
    return [(each.attribute, each.declared, each.found, each.mended_by) for each in found]


def test_what_a_plan_would_change_is_drift_that_a_deploy_puts_back():
    hand = changed(LOGS, {"id": "logs", "retention_in_days": 1}, {"retention_in_days": 7})

    (found, *_) = of(document(hand))[::-1]

    assert told([found]) == [("retention_in_days", 7, 1, BY_DEPLOY)]
    assert found.names == ("logs",)


def test_what_was_deleted_is_told_as_a_whole_and_once():
    gone = entry(BUCKET, after={"bucket": "mirror", "x": 1})
    noticed = entry(BUCKET, "delete", before={"bucket": "mirror"})

    assert told(of(document(gone, drift=[noticed]))) == [
        ("(the resource)", "there", "gone", BY_DEPLOY)
    ]


def test_what_only_a_refresh_sees_is_for_a_person():
    website = changed(BUCKET, {"website": []}, {"website": [{"index_document": "a"}]})

    assert told(of(document(drift=[website]))) == [("website.0.index_document", None, "a", BY_HAND)]


def test_what_both_see_is_told_once():
    both = changed(LOGS, {"retention_in_days": 1}, {"retention_in_days": 7})
    noticed = changed(LOGS, {"retention_in_days": 7}, {"retention_in_days": 1})

    assert len(of(document(both, drift=[noticed]))) == 1


def test_nothing_in_another_spelling_is_no_drift():
    noise = changed(LOGS, {"tags": None, "kms_key_id": None}, {"tags": {}, "kms_key_id": ""})
    false = changed(BUCKET, {"bucket_key_enabled": None}, {"bucket_key_enabled": False})

    assert of(document(drift=[noise, false])) == []


def test_what_only_the_apply_decides_is_no_drift():
    follows = entry(
        LOGS,
        "update",
        before={"version": "1", "x": 1},
        after={"x": 2},
        unknown={"version": True},
    )

    assert [each.attribute for each in of(document(follows))] == ["x"]


@pytest.mark.parametrize(
    ("address", "attribute"),
    [(BUCKET, "versioning"), (ROLE, "inline_policy"), (ALIAS, "function_version")],
)
def test_what_is_looked_at_elsewhere_is_not_told_twice(address, attribute):
    noticed = changed(address, {attribute: "1"}, {attribute: "2"})

    assert of(document(drift=[noticed])) == []


def test_a_known_gap_of_the_sandbox_is_told_apart_there_and_is_drift_in_aws():
    hand = changed(FLOW_LOG, {"tags": {}}, {"tags": {"Name": "flow"}})

    (here,) = of(document(hand), is_sandbox=True)
    (in_aws,) = of(document(hand))

    assert here.gap == "MiniStack does not give back a flow log's tags"
    assert in_aws.gap == ""


def test_every_known_difference_says_why():
    assert all(len(each.because) > 10 for each in known())
    assert {each.only_in for each in known()} == {"", "sandbox"}


def role(**more):
    return entry(ROLE, "none", before={"name": "worker", **more}, after={"name": "worker"})


def policy(name):
    address = "module.airbrew.module.functions.aws_iam_role_policy.function"
    return entry(address, "none", before={}, after={"role": "worker", "name": name})


def test_a_policy_that_nobody_declares_is_found_beside_those_that_are():
    held = role(
        inline_policy=[{"name": "mirror"}, {"name": "backdoor"}], managed_policy_arns=["arn:reader"]
    )

    found = list(roles.of(document(held, policy("mirror"))))

    assert [(each.attribute, each.found) for each in found] == [
        ("inline_policy", "backdoor"),
        ("managed_policy_arns", "arn:reader"),
    ]


def test_declared_policies_and_attachments_are_no_drift():
    attached = entry(
        "module.airbrew.aws_iam_role_policy_attachment.reader",
        "none",
        before={},
        after={"role": "worker", "policy_arn": "arn:reader"},
    )
    held = role(inline_policy=[{"name": "mirror"}], managed_policy_arns=["arn:reader"])

    assert list(roles.of(document(held, policy("mirror"), attached))) == []
