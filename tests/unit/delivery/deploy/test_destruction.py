"""destruction: the machinery goes, the data only when told to; then one can deploy again."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from delivery.deploy import destruction
from delivery.errors import BadInput, TerraformFailed, ToolMissing
from tests.doubles.stand import BUCKET, OUTPUTS, Stand

MIRROR = "module.airbrew.module.storage.aws_s3_bucket.mirror"


@pytest.fixture
def stand(tmp_path, mirror, public_key_pem):
    """An environment that is deployed; its mirror's bucket holds one bottle."""
    stand = Stand(tmp_path, public_key_pem)
    stand.deploy()
    return stand


@pytest.fixture
def held(s3, mirror):
    """How many objects the mirror holds."""
    return s3.list_objects_v2(Bucket=mirror)["KeyCount"]


def test_the_mirror_is_kept_unless_told_otherwise(stand, s3, held):
    outcome = stand.destroy(delete_data=False)

    assert {each.rpartition(".")[2] for each in outcome.destroyed} == {
        "orchestrator",
        "collector",
        "sync_worker",
    }
    assert stand.resources() == [MIRROR]
    assert outcome.kept[0].startswith("s3://mirror ")
    assert s3.list_objects_v2(Bucket="mirror")["KeyCount"] == held
    assert stand.latest().outcome == "destroyed"


@pytest.mark.parametrize("delete_data", [False, True])
def test_a_preview_tells_what_the_destroy_then_does_and_changes_nothing(stand, delete_data):
    stand.keep_state()
    before, record = stand.resources(), stand.latest()

    told = destruction.preview(stand.environment, stand.cloud, delete_data=delete_data)

    assert (stand.resources(), stand.latest()) == (before, record)
    done = stand.destroy(delete_data=delete_data)
    assert sorted(told.destroyed) == sorted(done.destroyed)
    assert (told.kept, told.objects_deleted) == (done.kept, done.objects_deleted)
    assert told.dry_run


def test_what_was_never_deployed_has_no_preview(tmp_path, mirror, public_key_pem):
    stand = Stand(tmp_path, public_key_pem)

    with pytest.raises(BadInput, match="nothing was ever deployed"):
        destruction.preview(stand.environment, stand.cloud, delete_data=False)


def test_a_kept_mirror_is_taken_into_care_again_by_the_next_deploy(stand):
    stand.destroy(delete_data=False)

    outcome = stand.deploy()

    assert outcome.action == "deployed"
    assert outcome.changes == {"create": 3, "update": 0, "delete": 0}
    assert stand.resources()[0] == MIRROR


def test_with_its_data_everything_but_the_history_goes(stand, s3, held):
    outcome = stand.destroy(delete_data=True)

    assert stand.resources() == []
    assert outcome.objects_deleted == held
    assert [kept.split()[0] for kept in outcome.kept] == [f"s3://{BUCKET}"]
    assert s3.list_objects_v2(Bucket="mirror")["KeyCount"] == 0


def test_data_that_was_kept_can_be_deleted_later(stand, s3, held):
    stand.environment.settings["mirror"]["bucket_name"] = "mirror"
    stand.destroy(delete_data=False)

    outcome = stand.destroy(delete_data=True)

    assert outcome.objects_deleted == held
    assert stand.resources() == []


def test_a_destroy_that_failed_is_recorded_and_is_not_mistaken_for_the_deploy_before(stand):
    stand.variables["DOUBLE_FAILS"] = "apply"
    with pytest.raises(TerraformFailed, match="denied"):
        stand.destroy(delete_data=False)
    failed = stand.latest()
    del stand.variables["DOUBLE_FAILS"]

    outcome = stand.deploy()

    assert (failed.outcome, failed.outputs) == ("failed", OUTPUTS)
    assert failed.error == "destroy: terraform apply: no: denied"
    assert outcome.action == "deployed"


@pytest.mark.parametrize("delete_data", [False, True])
def test_what_no_deploy_made_stays_and_is_named_with_what_it_is_for(stand, delete_data):
    stand.configure(
        "defaults:\n"
        "  github: {repository: acme/airbrew}\n"
        "  secrets: [{name: SLACK_WEBHOOK_URL}, {name: NEVER_SET}, {name: AT_GITHUB, aws: false}]\n"
    )
    ask = stand.cloud.client
    ask("ecr").create_repository(repositoryName="acme-dev-sync-worker")
    ask("secretsmanager").create_secret(Name="acme-dev/slack-webhook-url", SecretString="x")
    ask("iam").create_role(RoleName="github-acme-dev-deploy", AssumeRolePolicyDocument="{}")

    kept = stand.destroy(delete_data=delete_data).kept

    assert [each.partition(" (")[0] for each in kept[0 if delete_data else 1 :]] == [
        f"s3://{BUCKET}",
        "ECR repository acme-dev-sync-worker",
        "secret acme-dev/slack-webhook-url",
        "role github-acme-dev-deploy, and what belongs to it",
    ]
    assert all(each.endswith(")") for each in kept)


def test_what_one_may_not_look_at_is_taken_to_be_there(stand, monkeypatch):
    def refuse(**_asked):
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "DescribeImages")

    monkeypatch.setattr(stand.cloud.client("ecr"), "describe_images", refuse)

    kept = stand.destroy(delete_data=False).kept

    assert kept[-1].startswith("ECR repository acme-dev-sync-worker ")


def test_another_checkout_can_destroy_what_this_one_deployed(stand):
    stand.checkout.settings_file(stand.environment).unlink()

    stand.destroy(delete_data=True)

    assert stand.checkout.settings_file(stand.environment).exists()
    assert stand.resources() == []


def test_where_nothing_was_deployed_there_is_nothing_to_destroy(tmp_path, s3, public_key_pem):
    stand = Stand(tmp_path, public_key_pem)

    with pytest.raises(BadInput, match='nothing was ever deployed in "dev"'):
        stand.destroy(delete_data=True)

    assert stand.calls() == []


def test_without_terraform_no_bucket_is_emptied_and_nothing_is_marked(stand, s3, held, monkeypatch):
    stand.lose_terraform(monkeypatch)

    with pytest.raises(ToolMissing):
        stand.destroy(delete_data=True)

    assert s3.list_objects_v2(Bucket="mirror")["KeyCount"] == held
    assert stand.latest().outcome == "succeeded"
    assert stand.deploy().action == "unchanged"
