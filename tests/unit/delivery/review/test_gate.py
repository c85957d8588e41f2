"""The gate of a deploy: what is forbidden or was not approved is never applied."""

from __future__ import annotations

import json
import subprocess
from types import SimpleNamespace

import pytest

from delivery.deploy import deployment
from delivery.errors import BadInput, NotApproved, PolicyViolated
from delivery.progress import Steps
from delivery.releases import origin as origins
from delivery.review.policies import Finding, policies
from delivery.review.reviewing import Review
from tests.doubles.plans import entry
from tests.doubles.stand import BUCKET, Stand

APPROVAL = "defaults: {deploy: {approval: required}}\n"
FORBIDDEN = [
    entry("module.site.aws_s3_bucket_acl.a", after={"acl": "public-read"}),
    entry("module.site.aws_lambda_function_url.a", after={"authorization_type": "NONE"}),
]


@pytest.fixture
def stand(tmp_path, mirror, public_key_pem):
    """An environment that nothing was deployed in."""
    return Stand(tmp_path, public_key_pem)


@pytest.fixture
def guarded(stand):
    """The same, where a deploy has to be approved."""
    stand.configure(APPROVAL)
    return stand


def planned(stand):
    return deployment.plan(stand.environment, stand.cloud, Steps(), checkout=stand.checkout)


def digest(stand):
    return planned(stand).review["digest"]


def test_what_is_forbidden_stops_the_deploy_before_the_apply_with_all_of_it(stand):
    stand.variables["DOUBLE_PLANTED"] = json.dumps(FORBIDDEN)

    with pytest.raises(PolicyViolated, match="2 policies are violated") as stop:
        stand.deploy()

    assert "public-acl: module.site.aws_s3_bucket_acl.a: acl: public-read" in stop.value.problem
    assert "public-function: module.site.aws_lambda_function_url.a" in stop.value.problem
    assert stand.resources() == []
    assert "apply" not in stand.calls()
    assert stand.latest().error.startswith("review: 2 policies are violated")


def test_what_is_forbidden_and_accepted_is_deployed(stand):
    stand.variables["DOUBLE_PLANTED"] = json.dumps(FORBIDDEN)
    accepted = [
        f"{policy} module.site 9999-12-31 the site is public on purpose"
        for policy in ("public-acl", "public-function")
    ]
    stand.configure(f"defaults: {{deploy: {{exceptions: {json.dumps(accepted)}}}}}\n")

    assert stand.deploy().action == "deployed"


def test_a_bucket_that_holds_objects_is_not_destroyed_by_a_deploy(stand):
    doomed = entry("aws_s3_bucket.old", "delete", before={"bucket": "mirror"})
    stand.variables["DOUBLE_PLANTED"] = json.dumps([doomed])

    with pytest.raises(PolicyViolated, match=r"delete of a resource that holds \d+ objects"):
        stand.deploy()


def test_without_an_approval_nothing_is_begun_and_the_digest_is_told(guarded, s3):
    with pytest.raises(NotApproved) as refusal:
        guarded.deploy()

    assert digest(guarded) in refusal.value.problem
    assert [each["Name"] for each in s3.list_buckets()["Buckets"]] == ["mirror"]


def test_the_first_deploy_applies_what_was_approved_before_anything_was_there(guarded):
    assert guarded.deploy(approved=digest(guarded)).action == "deployed"


def test_the_history_names_the_digest_that_was_applied(guarded):
    approved = digest(guarded)
    guarded.deploy(approved=approved)

    assert guarded.latest().plan == {
        "create": 4,
        "update": 0,
        "delete": 0,
        "digest": approved,
    }


def test_ten_plans_of_the_same_have_one_digest(guarded):
    assert len({digest(guarded) for _ in range(10)}) == 1


def test_code_that_changed_since_is_refused_with_the_component(guarded):
    approved = digest(guarded)
    guarded.write("lambdas/orchestrator/handler.py", "handle = 2\n")

    with pytest.raises(NotApproved) as refusal:
        guarded.deploy(approved=approved)

    assert "the release's orchestrator is " in refusal.value.problem
    assert "the setting artifacts.orchestrator.digest is " in refusal.value.problem
    assert guarded.resources() == []


def test_a_setting_that_changed_since_is_refused_by_its_name(guarded):
    approved = digest(guarded)
    guarded.configure("defaults: {deploy: {approval: required}, logs: {retention_days: 3}}\n")

    with pytest.raises(NotApproved, match=r"the setting logs\.retention_days is 3, approved was 7"):
        guarded.deploy(approved=approved)


def test_an_approval_that_was_used_is_not_used_again(guarded):
    approved = digest(guarded)
    guarded.deploy(approved=approved)

    with pytest.raises(NotApproved, match="deploy 1 carried it out already"):
        guarded.deploy(approved=approved, force=True)


def test_a_shortened_digest_is_bad_input_before_anything_is_begun(guarded, s3):
    with pytest.raises(BadInput, match="a digest is 64 of 0-9 and a-f"):
        guarded.deploy(approved=digest(guarded)[:12])

    assert [each["Name"] for each in s3.list_buckets()["Buckets"]] == ["mirror"]


def test_a_plan_is_kept_in_the_state_bucket_once_there_is_one(guarded, s3):
    guarded.deploy(approved=digest(guarded))
    guarded.write("lambdas/orchestrator/handler.py", "handle = 2\n")

    outcome = planned(guarded)

    key = f"plans/{outcome.review['digest']}.json"
    assert outcome.review["kept"] == f"s3://{BUCKET}/{key}"
    s3.head_object(Bucket=BUCKET, Key=key)


def test_nothing_to_do_needs_no_approval(guarded):
    guarded.deploy(approved=digest(guarded))

    assert guarded.deploy().action == "unchanged"


COMMITTED = "defaults: {deploy: {uncommitted: refused}}\n"


def commit(stand):
    """Put everything but what a deploy leaves behind into a commit."""
    stand.write(".gitignore", "/.airbrew/\n*.log\n*.json\n/terraform/environments/*/.terraform\n")
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@b")
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "A release")):
        subprocess.run([*git, *words], cwd=stand.folder, check=True)


def test_changes_that_are_in_no_commit_are_refused_before_anything_is_begun(stand, s3):
    stand.configure(COMMITTED)
    commit(stand)
    stand.write("lambdas/orchestrator/handler.py", "handle = 2\n")

    with pytest.raises(BadInput, match="this checkout has changes that are in no commit") as told:
        stand.deploy()

    assert told.value.where == "deploy.uncommitted in config/airbrew.yaml"
    assert stand.calls() == []
    assert [each["Name"] for each in s3.list_buckets()["Buckets"]] == ["mirror"]


def test_a_plan_of_such_changes_is_shown_and_says_that_they_are_refused(stand):
    stand.configure(COMMITTED)

    assert planned(stand).review["uncommitted_refused"] is True
    stand.configure()
    assert planned(stand).review["uncommitted_refused"] is False


def test_what_a_commit_holds_is_deployed_where_nothing_else_may_be(stand):
    stand.configure(COMMITTED)
    commit(stand)

    assert stand.deploy().action == "deployed"
    assert stand.latest().release["dirty"] is False


def test_a_release_that_was_made_with_changes_is_not_taken_over_either(stand):
    stand.deploy()
    origin = origins.find(stand.environment, stand.cloud)
    stand.configure(COMMITTED)

    with pytest.raises(BadInput, match=f"release {origin.release.short_id} was made with changes"):
        stand.deploy(origin=origin, force=True)


def found(policy):
    """A review that finds this one policy violated, at the trail."""
    finding = Finding(policies()[policy], "aws_cloudtrail.trail", "evidence")
    return SimpleNamespace(verdict=SimpleNamespace(findings=[finding]))


def test_what_an_attempt_has_made_itself_it_may_take_away_again():
    review = found("data-destroyed")

    Review.admit(review, made={"aws_cloudtrail.trail"})
    with pytest.raises(PolicyViolated, match="a policy is violated"):
        Review.admit(review, made={"aws_cloudtrail.other"})


def test_what_an_attempt_has_changed_itself_it_may_change_back_but_not_destroy():
    own = {"aws_cloudtrail.trail"}

    Review.admit(found("trail-off"), altered=own)
    with pytest.raises(PolicyViolated, match="data-destroyed"):
        Review.admit(found("data-destroyed"), altered=own)
