"""Drift against the last good deploy: looked for without changing anything, and put back."""

from __future__ import annotations

import json

import pytest

from delivery.drift import looking
from delivery.errors import BadInput, DeployUnderWay, NotApproved, PolicyViolated
from delivery.progress import Steps
from delivery.releases import last_drift, under_way
from tests.doubles.plans import entry
from tests.doubles.stand import BUCKET, OUTPUTS, Stand

LOGS = "module.airbrew.module.functions.aws_cloudwatch_log_group.worker"
CHANGED = entry(
    LOGS, "update", before={"name": "w", "retention": 1}, after={"name": "w", "retention": 7}
)


class Trail:
    """CloudTrail that knows nothing."""

    def lookup_events(self, **_request):
        return {"Events": []}


@pytest.fixture
def stand(tmp_path, mirror, public_key_pem, monkeypatch):
    """An environment that was deployed once."""
    stand = Stand(tmp_path, public_key_pem)
    client = stand.cloud.client
    trail = Trail()
    monkeypatch.setattr(
        type(stand.cloud), "client", lambda _, name: trail if name == "cloudtrail" else client(name)
    )
    stand.deploy()
    return stand


def look(stand):
    return looking.look(stand.environment, stand.cloud, Steps(), stand.checkout)


def mend(stand, found, **more):
    return looking.mend(
        found, stand.environment, stand.cloud, Steps(), checkout=stand.checkout, **more
    )


def plant(stand, *entries):
    stand.variables["DOUBLE_PLANTED"] = json.dumps(entries)


def settings_key(stand):
    function = OUTPUTS["orchestrator_function"]
    found = stand.lambdas.get_function_configuration(FunctionName=function, Qualifier="1")
    return found["Environment"]["Variables"]["AIRBREW_SETTINGS_KEY"]


def test_what_was_just_deployed_has_not_drifted_and_nothing_is_applied(stand):
    before = stand.calls()

    found = look(stand)

    assert (found.deploy, found.drift, found.gaps) == (1, (), ())
    assert "apply" not in stand.calls()[len(before) :]


def test_a_checkout_that_has_moved_on_is_no_drift(stand):
    stand.write("lambdas/orchestrator/handler.py", "handle = 2\n")
    stand.configure("defaults: {logs: {retention_days: 3}}\n")

    assert look(stand).drift == ()


def test_what_terraform_would_put_back_is_told_with_what_was_declared_and_found(stand):
    plant(stand, CHANGED)

    (found,) = look(stand).drift

    assert (found.address, found.attribute) == (LOGS, "retention")
    assert (found.declared, found.found) == (7, 1)


def test_what_was_found_is_noted_for_the_status_and_so_is_what_mending_left(stand):
    assert last_drift.read(stand.cloud, BUCKET, "dev") is None
    plant(stand, CHANGED)

    found = look(stand)
    noted = last_drift.read(stand.cloud, BUCKET, "dev")
    mend(stand, found)

    assert noted["drifted"] == len(found.drift) == 1
    assert last_drift.read(stand.cloud, BUCKET, "dev")["drifted"] == 0


def test_an_alias_that_was_moved_by_hand_is_told_and_moved_back(stand):
    function = OUTPUTS["collector_function"]
    stand.functions.publish(function, "another artifact and layer")
    held = stand.lambdas.get_alias(FunctionName=function, Name="live")
    stand.lambdas.update_alias(
        FunctionName=function, Name="live", FunctionVersion="2", RevisionId=held["RevisionId"]
    )

    (found,) = look(stand).drift

    assert (found.address, found.attribute) == (f"alias {function}:live", "version")
    assert (found.declared, found.found) == ("1", "2")


def test_settings_that_were_overwritten_are_told_and_written_again(stand, s3):
    key = settings_key(stand)
    before = s3.get_object(Bucket="mirror", Key=key)["Body"].read()
    s3.put_object(Bucket="mirror", Key=key, Body=b"{}")

    found = look(stand)
    mended = mend(stand, found)

    assert [(each.address, each.attribute) for each in found.drift] == [
        (f"s3://mirror/{key}", "sha256")
    ]
    assert mended.left == ()
    assert s3.get_object(Bucket="mirror", Key=key)["Body"].read() == before


def test_settings_that_were_deleted_are_told(stand, s3):
    key = settings_key(stand)
    s3.delete_object(Bucket="mirror", Key=key)

    assert [(each.address, each.found) for each in look(stand).drift] == [
        (f"s3://mirror/{key}", "gone")
    ]


def test_mending_deploys_the_last_good_deploy_once_more(stand):
    plant(stand, CHANGED)

    mended = mend(stand, look(stand))

    assert (mended.outcome.action, mended.outcome.number) == ("deployed", 2)


def test_mending_passes_the_same_policies(stand):
    plant(stand, CHANGED, entry("aws_s3_bucket_acl.a", after={"acl": "public-read"}))
    found = look(stand)

    with pytest.raises(PolicyViolated, match="public-acl"):
        mend(stand, found)


def test_mending_wants_the_approval_that_a_deploy_wants(stand):
    stand.configure("defaults: {deploy: {approval: required}}\n")
    plant(stand, CHANGED)
    found = look(stand)

    with pytest.raises(NotApproved, match=found.review["digest"]):
        mend(stand, found)
    assert mend(stand, found, approved=found.review["digest"]).outcome.action == "deployed"


def test_an_environment_that_is_being_changed_is_not_looked_at(stand):
    under_way.mark(stand.cloud, BUCKET, "dev", kind="deploy", lease=7)

    with pytest.raises(DeployUnderWay, match="what differs now is no drift"):
        look(stand)


def test_where_nothing_is_deployed_nothing_can_have_drifted(stand):
    stand.destroy(delete_data=False)

    with pytest.raises(BadInput, match='nothing is deployed in "dev"'):
        look(stand)
