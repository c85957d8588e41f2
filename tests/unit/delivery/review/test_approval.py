"""Approval: the very same effects stay approved; anything else is refused, with the difference."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import json

import pytest
from botocore.exceptions import ClientError

from delivery.cloud import Cloud
from delivery.errors import BadInput, NotApproved
from delivery.releases.history import Record
from delivery.review import approval
from delivery.review.effects import Effects
from delivery.review.plans import Plans
from tests.doubles.plans import document, entry

FUNCTION = "aws_lambda_function.worker"
ROLE = "aws_iam_role.worker"
STATE_BUCKET = "acme-prod-state-123456789012"
SETTINGS = {"environment": "prod", "workflow": {"max_concurrency": 8}, "logs": {"retention": 365}}
RELEASE = {"orchestrator": "0c6f" * 16, "terraform": "7ee0" * 16}


def changes(*, memory=1024, action="update", more=(), **attributes):
    after = {"memory_size": memory, **attributes}
    found = document(
        entry(FUNCTION, action, before={"memory_size": 512}, after=after),
        entry(ROLE, after={"name": "worker"}),
        *more,
    )
    return tuple(each.as_json() for each in found.changes)


BASE = Effects(
    place={
        "environment": "prod",
        "cloud": "AWS",
        "account_id": "123456789012",
        "region": "us-east-1",
    },
    release=RELEASE,
    settings=SETTINGS,
    state={"lineage": "5a1d", "serial": 7},
    changes=changes(),
    monthly_usd=12.5,
)


@pytest.fixture
def plans(cloud, s3, tmp_path):
    """Where plans are kept, of an environment that was deployed before."""
    s3.create_bucket(Bucket=STATE_BUCKET)
    return Plans(cloud, STATE_BUCKET, tmp_path / "plans")


def varied(**change):
    return dataclasses.replace(BASE, **change)


def settings(path, value):
    found = copy.deepcopy(SETTINGS)
    found[path] = value
    return found


# What is different when it comes to applying → what the refusal says of it.
STALE = {
    "another release": (
        varied(release={**RELEASE, "orchestrator": "ffff" * 16}),
        "the release's orchestrator is ffffffffffff, approved was 0c6f0c6f0c6f",
    ),
    "another setting": (
        varied(settings=settings("workflow", {"max_concurrency": 80})),
        "the setting workflow.max_concurrency is 80, approved was 8",
    ),
    "a setting more": (
        varied(settings=settings("mirror", {"public_url": "https://x"})),
        "the setting mirror.public_url is https://x, approved was none",
    ),
    "a setting less": (
        varied(settings={"environment": "prod", "logs": {"retention": 365}}),
        "the setting workflow.max_concurrency is none, approved was 8",
    ),
    "a state that moved on": (
        varied(state={"lineage": "5a1d", "serial": 8}),
        "the state has moved on: serial 8, approved was 7",
    ),
    "another state": (
        varied(state={"lineage": "beef", "serial": 7}),
        "the state is another one: lineage beef, approved was 5a1d",
    ),
    "a state that is gone": (
        varied(state={"lineage": "", "serial": 0}),
        "the state is another one: lineage none, approved was 5a1d",
    ),
    "a resource more": (
        varied(changes=changes(more=[entry("aws_kms_key.a", after={})])),
        "it would also create aws_kms_key.a",
    ),
    "a destruction more": (
        varied(changes=changes(more=[entry("aws_s3_bucket.a", "delete", before={})])),
        "it would also destroy aws_s3_bucket.a",
    ),
    "a resource less": (
        varied(changes=changes()[1:]),
        f"it would no longer create {ROLE}",
    ),
    "an attribute": (
        varied(changes=changes(memory=2048)),
        f"{FUNCTION}: memory_size would go 512 → 2048, approved was 512 → 1024",
    ),
    "an attribute more": (
        varied(changes=changes(timeout=60)),
        f"{FUNCTION}: timeout would go none → 60, approved was unchanged",
    ),
    "a replacement for a change": (
        varied(changes=changes(action="replace")),
        f"it would replace {FUNCTION}, approved was to change it",
    ),
    "an output": (varied(outputs=("airbrew",)), "the outputs that change are"),
    "an accepted finding": (
        varied(exempted=("public-acl aws_s3_bucket_acl.a",)),
        "the accepted findings are",
    ),
    "the cost": (
        varied(monthly_usd=99.0),
        "a month is estimated at 99.00 US dollars, approved was 12.50",
    ),
    "another environment": (
        varied(place={**BASE.place, "environment": "staging"}),
        'the environment is "staging", approved was "prod"',
    ),
    "another account": (
        varied(place={**BASE.place, "account_id": "999999999999"}),
        'the account is "999999999999", approved was "123456789012"',
    ),
    "another region": (
        varied(place={**BASE.place, "region": "eu-west-1"}),
        'the region is "eu-west-1", approved was "us-east-1"',
    ),
    "the sandbox for AWS": (
        varied(place={**BASE.place, "cloud": "sandbox"}),
        'the cloud is "sandbox", approved was "AWS"',
    ),
}


def demand(effects, plans, approved, *, required=True, history=()):
    approval.demand(effects, plans, approved=approved, required=required, history=history)


def test_the_very_same_effects_are_let_through(plans):
    plans.keep(BASE)

    demand(copy.deepcopy(BASE), plans, BASE.digest)


@pytest.mark.parametrize(("found", "words"), STALE.values(), ids=STALE.keys())
def test_whatever_is_different_is_refused_with_the_difference(plans, found, words):
    plans.keep(BASE)

    with pytest.raises(NotApproved) as refusal:
        demand(found, plans, BASE.digest)

    assert words in refusal.value.problem


def test_every_difference_is_told_at_once(plans):
    plans.keep(BASE)
    moved = varied(
        monthly_usd=1.0,
        release={**RELEASE, "terraform": "ffff" * 16},
        state={"lineage": "5a1d", "serial": 9},
    )

    with pytest.raises(NotApproved) as refusal:
        demand(moved, plans, BASE.digest)

    assert len(refusal.value.problem.splitlines()) == 4


def test_the_digest_does_not_depend_on_the_order_of_anything(plans):
    shuffled = varied(
        settings=dict(reversed(SETTINGS.items())), place=dict(reversed(BASE.place.items()))
    )

    assert shuffled.digest == BASE.digest


@pytest.mark.parametrize(
    "digest",
    [BASE.digest[:12], BASE.digest[:-1], BASE.digest + "0", BASE.digest.upper(), "yes"],
    ids=["twelve digits", "one less", "one more", "capitals", "a word"],
)
def test_what_is_no_whole_digest_is_bad_input(plans, digest):
    with pytest.raises(BadInput, match="a digest is 64 of 0-9 and a-f, and is never shortened"):
        demand(BASE, plans, digest)


def test_nothing_approved_is_refused_where_approval_is_required_and_the_digest_told(plans):
    with pytest.raises(NotApproved, match=BASE.digest) as refusal:
        demand(BASE, plans, "")

    assert f"run this again with --approve {BASE.digest}" in refusal.value.remedy


def test_nothing_approved_is_fine_where_none_is_required(plans):
    demand(BASE, plans, "", required=False)


def test_what_was_approved_needlessly_binds_all_the_same(plans):
    plans.keep(BASE)

    with pytest.raises(NotApproved, match=r"99\.00"):
        demand(varied(monthly_usd=99.0), plans, BASE.digest, required=False)


def test_a_digest_that_nothing_was_planned_under_is_refused(plans):
    unknown = hashlib.sha256(b"unknown").hexdigest()

    with pytest.raises(NotApproved, match="no plan of that digest was made"):
        demand(BASE, plans, unknown)


def test_a_plan_that_was_carried_out_is_not_carried_out_again(plans):
    plans.keep(BASE)
    applied = varied(state={"lineage": "5a1d", "serial": 8})
    record = Record(
        3, "prod", "succeeded", "f", "2026-11-25T03:00:00Z", plan={"digest": BASE.digest}
    )

    with pytest.raises(NotApproved, match="deploy 3 carried it out already, 2026-11-25T03:00:00Z"):
        demand(applied, plans, BASE.digest, history=[record])


def test_a_kept_plan_that_somebody_changed_is_not_believed(plans, s3):
    plans.keep(BASE)
    forged = {**json.loads(BASE.canonical), "monthly_usd": 1.0}
    s3.put_object(
        Bucket=STATE_BUCKET, Key=f"plans/{BASE.digest}.json", Body=json.dumps(forged).encode()
    )

    with pytest.raises(NotApproved, match="does not hash to its name"):
        demand(varied(monthly_usd=99.0), plans, BASE.digest)


def test_effects_of_another_format_are_refused(plans):
    old = varied(format=0)
    plans.keep(old)

    with pytest.raises(NotApproved, match="approved in format 0, this is format 1"):
        demand(BASE, plans, old.digest)


def test_before_there_is_a_state_bucket_plans_are_kept_on_this_machine(cloud, tmp_path):
    plans = Plans(cloud, "not-there", tmp_path / "plans")

    place = plans.keep(BASE)

    assert place == str(tmp_path / "plans" / f"{BASE.digest}.json")
    with pytest.raises(NotApproved, match=r"99\.00"):
        demand(varied(monthly_usd=99.0), plans, BASE.digest)


def test_plans_are_kept_in_the_state_bucket_under_their_digest(plans, s3):
    assert plans.keep(BASE) == f"s3://{STATE_BUCKET}/plans/{BASE.digest}.json"

    body = s3.get_object(Bucket=STATE_BUCKET, Key=f"plans/{BASE.digest}.json")["Body"].read()
    assert hashlib.sha256(body).hexdigest() == BASE.digest


class LookingOnly:
    """S3 as somebody has it who may read and not write."""

    def __init__(self, s3):
        self.s3 = s3

    def __getattr__(self, name):
        return getattr(self.s3, name)

    def put_object(self, **_request):
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "PutObject")


class ReadOnly(Cloud):
    """An account of which one may only look."""

    def client(self, service):
        return LookingOnly(super().client(service))


def test_who_may_only_look_plans_all_the_same(s3, tmp_path):
    s3.create_bucket(Bucket=STATE_BUCKET)
    cloud = ReadOnly("AWS", "123456789012", "us-east-1", variables={})

    place = Plans(cloud, STATE_BUCKET, tmp_path / "plans").keep(BASE)

    assert place == str(tmp_path / "plans" / f"{BASE.digest}.json")
