"""rollback: the old versions serve at once, Terraform follows; what is out of reach is refused."""

from __future__ import annotations

import json

import pytest

from delivery.errors import (
    BadInput,
    CannotRollBack,
    PolicyViolated,
    SmokeTestFailed,
    TerraformFailed,
)
from delivery.releases import history
from tests.doubles.plans import entry
from tests.doubles.rig import Fault, Rig
from tests.doubles.s3 import refusal
from tests.doubles.stand import BUCKET

ORCHESTRATOR = "acme-dev-orchestrator"
RETENTIONS = (1, 3, 5, 14, 30)


@pytest.fixture
def rig(tmp_path, public_key_pem, monkeypatch):
    """Three deploys of dev, each with other code; what the first served is in `rig.codes[1]`."""
    rig = Rig(tmp_path, public_key_pem, monkeypatch)
    rig.codes = {}
    for number in (1, 2, 3):
        rig.write("lambdas/orchestrator/handler.py", f"handle = {number}\n")
        rig.deploy()
        rig.codes[number] = rig.serving()
    return rig


def test_a_rollback_goes_to_the_deploy_before_and_is_recorded(rig):
    outcome = rig.roll_back()

    record = rig.latest()
    assert rig.serving() == rig.codes[2]
    assert (outcome.action, outcome.number) == ("rolled back", 4)
    assert (record.kind, record.outcome, record.rollback["number"]) == ("rollback", "succeeded", 2)
    assert record.artifacts == rig.records()[2].artifacts
    assert record.versions[ORCHESTRATOR] == "2"
    assert record.rollback["alias_seconds"] <= record.rollback["seconds"]


def test_the_old_versions_serve_before_terraform_is_started(rig):
    before = rig.calls()
    with pytest.raises(OSError, match="space"):
        rig.roll_back(Fault("error", "recall"))

    assert rig.serving() == rig.codes[2]
    assert rig.calls() == before


def test_who_goes_back_twice_goes_back_further(rig):
    rig.roll_back()
    rig.roll_back()

    assert rig.serving() == rig.codes[1]
    assert rig.latest().rollback["number"] == 1


def test_after_the_first_deploy_there_is_nothing_earlier(rig):
    rig.roll_back(to="1")

    with pytest.raises(CannotRollBack, match="no earlier deploy"):
        rig.roll_back()


@pytest.mark.parametrize("digits", [6, 64])
def test_a_release_is_named_by_the_beginning_of_its_id(rig, digits):
    first = rig.records()[-1].release["id"]

    rig.roll_back(to=first[:digits])

    assert rig.serving() == rig.codes[1]


def test_what_was_rolled_back_is_deployed_again_by_the_same_command(rig):
    rig.roll_back()

    outcome = rig.deploy()

    assert outcome.action == "deployed"
    assert rig.serving() == rig.codes[3]


def test_an_old_version_reads_the_settings_that_it_was_deployed_with(rig):
    before = rig.serving()[ORCHESTRATOR]
    rig.configure("defaults: {logs: {retention_days: 3}}\n")
    rig.deploy()

    rig.roll_back()

    key = before.split()[1]
    assert rig.serving()[ORCHESTRATOR] == before
    assert json.loads(rig.s3.objects[key])["logs"]["retention_days"] == 7


def test_a_dry_run_says_where_it_would_go_and_changes_nothing(rig):
    before = dict(rig.s3.objects), rig.serving(), rig.resources()

    outcome = rig.roll_back(dry_run=True)

    assert outcome.action == "planned"
    assert outcome.rollback["number"] == 2
    assert outcome.changes == {"create": 0, "update": 2, "delete": 0}
    assert (rig.s3.objects, rig.serving(), rig.resources()) == before


def test_a_deploy_that_failed_is_no_place_to_go_back_to(rig):
    rig.variables["DOUBLE_FAILS"] = "plan"
    with pytest.raises(TerraformFailed):
        rig.deploy(force=True)
    del rig.variables["DOUBLE_FAILS"]

    with pytest.raises(CannotRollBack, match="deploy 4 failed: plan: terraform plan: no: denied"):
        rig.roll_back(to="4")


def test_a_rollback_to_what_stands_is_refused(rig):
    with pytest.raises(CannotRollBack, match="deploy 3 is what stands"):
        rig.roll_back(to="3")


def test_an_unknown_deploy_is_refused_and_the_good_ones_are_named(rig):
    with pytest.raises(CannotRollBack) as refused:
        rig.roll_back(to="41")

    assert 'no deploy of "dev" is called "41"' in str(refused.value)
    assert refused.value.exit_code == 2
    assert "(good: 3, 2, 1)" in refused.value.remedy


def test_what_was_destroyed_since_cannot_come_back(rig):
    rig.destroy(delete_data=False)
    rig.deploy()

    with pytest.raises(CannotRollBack, match="deploy 2 was destroyed by 4, with its versions"):
        rig.roll_back(to="2")


@pytest.mark.parametrize("gone", ["artifacts/orchestrator/", "artifacts/terraform/", "settings/"])
def test_a_release_of_which_a_part_is_gone_is_refused_before_anything_is_moved(rig, gone):
    target = rig.records()[2]
    digest = {"settings/": target.settings}.get(gone) or target.artifacts[gone.split("/")[1]]
    (key,) = [key for key in rig.s3.objects if key.startswith(gone) and digest in key]
    del rig.s3.objects[key]

    with pytest.raises(CannotRollBack, match="a part of it is gone") as refused:
        rig.roll_back(to="1")

    assert refused.value.where == f"s3://{BUCKET}/{key}"
    assert rig.serving() == rig.codes[3]
    assert rig.latest().number == 3


def test_a_version_that_was_deleted_is_refused(rig):
    functions = rig.functions.read()
    del functions[ORCHESTRATOR]["versions"]["2"]
    rig.functions.write(functions)

    with pytest.raises(CannotRollBack, match=f'version 2 of "{ORCHESTRATOR}" was deleted'):
        rig.roll_back()


def test_a_release_cannot_go_back_behind_the_layout_that_wrote_the_data(rig):
    rig.write("lambdas/mirror/layout.txt", "2\n")
    rig.deploy()

    with pytest.raises(CannotRollBack, match=r"in generation 2 of its layout.* reads 1"):
        rig.roll_back()

    assert rig.serving()[ORCHESTRATOR] != rig.codes[3][ORCHESTRATOR]


def stands(rig, *resources):
    """Let Terraform's state say that these stand, and deploy settings that nobody has had yet."""
    serial = rig.latest().number
    state = {"lineage": "x", "serial": serial, "resources": list(resources)}
    rig.s3.objects["terraform/dev.tfstate"] = json.dumps(state).encode()
    days = RETENTIONS[serial % len(RETENTIONS)]
    rig.configure(f"defaults: {{logs: {{retention_days: {days}}}}}\n")
    rig.deploy()


def resource(kind, name, *instances):
    """One of the state's resources, in a module of its own."""
    return {
        "module": "module.airbrew.module.shelf",
        "mode": "managed",
        "type": kind,
        "name": name,
        "instances": list(instances),
    }


def made(rig, *buckets):
    """Deploy where these buckets stand."""
    found = [{"index_key": name, "attributes": {"bucket": name}} for name in buckets]
    stands(rig, resource("aws_s3_bucket", "shelf", *found))


def versioned(rig, status):
    """Deploy where the bucket's versioning has that status."""
    attributes = {"bucket": "old", "versioning_configuration": [{"status": status}]}
    stands(rig, resource("aws_s3_bucket_versioning", "shelf", {"attributes": attributes}))


@pytest.fixture
def shelved(rig):
    """Deploy 4 has one bucket, deploy 5 a second one, deploy 6 other code; they hold objects."""
    made(rig, "old")
    made(rig, "old", "new")
    rig.write("lambdas/orchestrator/handler.py", "handle = 6\n")
    rig.deploy()
    rig.s3.counts = {"old": 1, "new": 12}
    return rig


def test_what_was_made_since_and_holds_data_is_told_before_anything_is_moved(shelved):
    before = shelved.serving(), shelved.calls()

    with pytest.raises(CannotRollBack) as refused:
        shelved.roll_back(to="4")

    address = 'module.airbrew.module.shelf.aws_s3_bucket.shelf["new"]'
    assert f"data-destroyed: {address}: delete of a resource that holds 12 objects" in str(
        refused.value
    )
    assert "deploy.exceptions" in refused.value.remedy
    assert (shelved.serving(), shelved.calls()) == before
    assert shelved.latest().number == 6


def test_a_deploy_of_code_alone_keeps_in_mind_what_stands(shelved):
    assert shelved.records()[0].protected == shelved.records()[1].protected != []

    assert shelved.roll_back().rollback["number"] == 5


def test_what_was_made_since_and_is_empty_is_no_obstacle(shelved):
    shelved.s3.counts = {"old": 1}

    assert shelved.roll_back(to="4").rollback["number"] == 4


def test_a_loss_that_the_configuration_accepts_is_no_obstacle(shelved):
    accepted = "data-destroyed module.airbrew.module.shelf 9999-12-31 the shelf is given up"
    shelved.configure(f"defaults: {{deploy: {{exceptions: ['{accepted}']}}}}\n")

    assert shelved.roll_back(to="4").rollback["number"] == 4


@pytest.fixture
def hardened(rig):
    """Deploy 4 has a bucket without versioning, deploy 5 turns it on, deploy 6 is other code."""
    versioned(rig, "Suspended")
    versioned(rig, "Enabled")
    rig.write("lambdas/orchestrator/handler.py", "handle = 6\n")
    rig.deploy()
    return rig


def test_a_setting_that_no_policy_lets_go_is_told_before_anything_is_moved(hardened):
    before = hardened.serving(), hardened.calls()

    with pytest.raises(CannotRollBack) as refused:
        hardened.roll_back(to="4")

    address = "module.airbrew.module.shelf.aws_s3_bucket_versioning.shelf"
    wrong = "versioning_configuration.status: Enabled → Suspended"
    assert f"versioning-off: {address}: {wrong}" in str(refused.value)
    assert (hardened.serving(), hardened.calls()) == before
    assert hardened.latest().number == 6


def test_what_stands_the_same_is_no_obstacle(hardened):
    assert hardened.roll_back().rollback["number"] == 5


def test_a_rehearsal_notes_that_a_policy_is_in_the_way_and_moves_nothing_back(hardened):
    versioned(hardened, "Suspended")
    hardened.environment.settings["deploy"]["rehearse_rollback"] = True
    state = hardened.s3.objects["terraform/dev.tfstate"]
    hardened.s3.objects["terraform/dev.tfstate"] = state.replace(b"Suspended", b"Enabled")
    hardened.configure("defaults: {logs: {retention_days: 60}, deploy: {rehearse_rollback: true}}")

    outcome = hardened.deploy()

    assert outcome.action == "deployed"
    assert "versioning-off" in outcome.rehearsal["refused"]


def test_where_the_state_of_then_is_gone_the_plan_decides(hardened):
    hardened.s3.versions.clear()

    assert hardened.roll_back(to="4").rollback["number"] == 4


def test_where_the_state_of_then_may_not_be_read_the_plan_decides(hardened):
    def deny(call, _key):
        if call == "GetObjectVersion":
            raise refusal("AccessDenied", 403)

    hardened.s3.before = deny

    assert hardened.roll_back(to="4").rollback["number"] == 4


def test_a_bucket_of_another_name_is_another_bucket(rig):
    for name in ("old", "new"):
        attributes = {"attributes": {"bucket": name}}
        stands(rig, resource("aws_s3_bucket", "shelf", attributes))
    rig.s3.counts = {"new": 3}

    with pytest.raises(CannotRollBack, match="replace of a resource that holds 3 objects"):
        rig.roll_back()


def test_what_was_taken_away_since_and_is_forbidden_now_does_not_come_back(rig):
    acl = resource("aws_s3_bucket_acl", "shelf", {"attributes": {"acl": "public-read"}})
    stands(rig, acl)
    stands(rig)

    with pytest.raises(CannotRollBack, match=r"public-acl: .*: acl: public-read"):
        rig.roll_back()


def test_a_rollback_that_the_plan_stops_after_all_says_what_serves_and_how_to_go_on(rig):
    planted = entry("aws_s3_bucket_acl.shelf", after={"acl": "public-read"})
    rig.variables["DOUBLE_PLANTED"] = json.dumps([planted])

    with pytest.raises(PolicyViolated) as stopped:
        rig.roll_back()

    assert stopped.value.where == "the plan, which was not applied"
    (standing,) = stopped.value.__notes__
    assert standing.endswith("the rest of dev is not back; go on: inv rollback --env dev --to 2")
    assert rig.serving() == rig.codes[2]
    assert (rig.latest().rollback["number"], rig.latest().rollback["outcome"]) == (2, "failed")
    del rig.variables["DOUBLE_PLANTED"]
    assert rig.roll_back(to="2").rollback["number"] == 2


def test_a_failed_deploy_changes_back_what_it_has_changed_itself(rig):
    address = "module.airbrew.module.functions.aws_lambda_function.orchestrator"
    planted = entry(address, "update", before={"kms_key_arn": "key"}, after={"kms_key_arn": None})

    def plant():
        rig.variables["DOUBLE_PLANTED"] = json.dumps([planted])

    rig.configure("defaults: {logs: {retention_days: 3}}\n")
    rig.write("lambdas/orchestrator/handler.py", "handle = 4\n")
    rig.before_health, rig.health_fails = plant, True

    with pytest.raises(SmokeTestFailed) as failed:
        rig.deploy()

    assert "dev is back on deploy 3" in failed.value.__notes__[0]
    assert rig.serving() == rig.codes[3]


def test_of_a_record_that_names_nothing_protected_the_plan_decides(shelved):
    assert shelved.records()[3].protected == []

    assert shelved.roll_back(to="3").rollback["number"] == 3


def test_an_old_version_that_does_not_answer_fails_the_rollback_and_says_what_serves(rig):
    bad = rig.codes[2][ORCHESTRATOR]
    rig.lambdas.fails = lambda _function, code: code == bad

    with pytest.raises(SmokeTestFailed, match="does not serve as it should") as failed:
        rig.roll_back()

    (standing,) = failed.value.__notes__
    assert f"{ORCHESTRATOR} 2" in standing
    assert rig.latest().outcome == "failed"


def test_where_nothing_was_deployed_there_is_nothing_to_roll_back(
    tmp_path, public_key_pem, monkeypatch
):
    rig = Rig(tmp_path / "new", public_key_pem, monkeypatch)

    with pytest.raises(BadInput, match="nothing was ever deployed"):
        rig.roll_back()


def test_good_records_are_those_since_the_last_destroy(rig):
    rig.destroy(delete_data=False)

    assert history.good(rig.records()) == []
