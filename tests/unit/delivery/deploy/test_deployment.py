"""deployment: what a deploy does, what it leaves alone, and what is known when it failed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from delivery import standing
from delivery.errors import (
    BadInput,
    DeployUnderWay,
    SmokeTestFailed,
    SyncFailed,
    TerraformFailed,
    ToolMissing,
)
from delivery.releases import under_way
from tests.doubles.stand import BUCKET, OUTPUTS, Stand

ROOT = Path(__file__).parents[4]
RIVAL = json.dumps(
    {"number": 1, "environment": "dev", "outcome": "failed", "fingerprint": "", "at": ""}
)


@pytest.fixture
def stand(tmp_path, mirror, public_key_pem):
    """An environment that nothing was deployed in; its mirror's bucket holds one bottle."""
    return Stand(tmp_path, public_key_pem)


def buckets(s3) -> list[str]:
    return [each["Name"] for each in s3.list_buckets()["Buckets"]]


def test_a_deploy_builds_applies_syncs_fetches_back_and_records(stand):
    outcome = stand.deploy()

    record = stand.latest()
    assert outcome.action == "deployed"
    assert stand.calls() == ["init", "plan", "show", "apply"]
    assert stand.states.started == 1
    assert outcome.bottle["formula"] == "lib+a@1"
    assert outcome.probe["requests"] > 20
    assert (record.number, record.outcome, record.outputs) == (1, "succeeded", OUTPUTS)
    assert " ".join(record.seconds) == (
        "build compare bootstrap lease mark upload init plan review keep apply settings"
        " smoke sync_worker smoke collector smoke orchestrator"
        " move sync_worker move collector move orchestrator answer sync fetch back probe"
    )


def test_a_publish_that_a_client_breaks_on_fails_the_deploy_with_the_probe_s_finding(stand, s3):
    s3.delete_object(Bucket="mirror", Key="api/cask.jws.json")

    with pytest.raises(SmokeTestFailed, match=r"brew 4.2-4.5, 4.6-5.1 .* api-file-missing"):
        stand.deploy()

    assert stand.latest().outcome == "failed"
    assert stand.latest().error.startswith("probe: brew 4.2-4.5, 4.6-5.1 cannot live on it")


def test_what_terraform_gets_is_what_is_in_the_bucket(stand, s3):
    stand.deploy()

    file = stand.checkout.settings_file(stand.environment)
    settings = json.loads(file.read_text())["settings"]
    for component in ("orchestrator", "sync_worker", "layer"):
        s3.head_object(Bucket=BUCKET, Key=settings["artifacts"][component]["key"])
    assert settings["artifacts"]["bucket"] == BUCKET


def test_nothing_changed_means_nothing_done_and_no_terraform(stand):
    stand.deploy()
    before = stand.calls()

    outcome = stand.deploy()

    assert outcome.action == "unchanged"
    assert outcome.outputs == OUTPUTS
    assert stand.calls() == before
    assert stand.latest().number == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda stand: stand.write("lambdas/orchestrator/handler.py", "handle = 2\n"),
        lambda stand: stand.write("terraform/modules/new/main.tf", ""),
        lambda stand: stand.configure("defaults: {logs: {retention_days: 3}}\n"),
    ],
    ids=["code", "Terraform", "configuration"],
)
def test_each_kind_of_change_is_deployed(stand, change):
    stand.deploy()
    change(stand)

    outcome = stand.deploy()

    assert (outcome.action, outcome.number) == ("deployed", 2)


def test_what_terraform_does_not_read_is_no_change(stand):
    stand.deploy()
    stand.write("terraform/modules/storage/README.md", "words")
    stand.write("terraform/modules/storage/tests/storage.tftest.hcl", "")

    assert stand.deploy().action == "unchanged"


def test_other_code_alone_takes_one_run_of_terraform(stand):
    stand.deploy()
    before = len(stand.calls())
    stand.write("lambdas/orchestrator/handler.py", "handle = 2\n")

    outcome = stand.deploy()

    assert stand.calls()[before:] == ["apply"]
    assert outcome.changes == {"create": 0, "update": 2, "delete": 0}
    assert stand.latest().versions["acme-dev-orchestrator"] == "2"


def test_after_a_deploy_that_failed_other_code_alone_is_planned_and_looked_at(stand):
    stand.deploy()
    stand.variables["DOUBLE_FAILS"] = "late:apply"
    stand.write("lambdas/orchestrator/handler.py", "handle = 2\n")
    with pytest.raises(TerraformFailed):
        stand.deploy()
    del stand.variables["DOUBLE_FAILS"]
    before = len(stand.calls())

    stand.deploy()

    assert stand.calls()[before : before + 3] == ["plan", "show", "apply"]


def test_force_deploys_what_is_unchanged(stand):
    stand.deploy()

    assert stand.deploy(force=True).action == "deployed"


def test_a_dry_run_where_nothing_was_deployed_creates_nothing(stand, s3):
    outcome = stand.deploy(dry_run=True)

    assert outcome.action == "planned"
    assert outcome.changes == {"create": 4, "update": 0, "delete": 0}
    assert buckets(s3) == ["mirror"]
    assert stand.resources() == []
    assert stand.calls() == ["init", "plan", "show"]
    assert not stand.checkout.settings_file(stand.environment).exists()


def test_a_dry_run_of_a_change_leaves_no_trace_in_the_cloud(stand, s3):
    stand.deploy()
    stand.write("lambdas/orchestrator/handler.py", "handle = 2\n")
    before = [each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]

    outcome = stand.deploy(dry_run=True)

    assert outcome.action == "planned"
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET)["Contents"]] == before


def test_a_failed_apply_is_recorded_and_the_next_deploy_goes_on(stand):
    stand.variables["DOUBLE_FAILS"] = "apply"
    with pytest.raises(TerraformFailed, match="denied"):
        stand.deploy()
    failed = stand.latest()
    del stand.variables["DOUBLE_FAILS"]

    outcome = stand.deploy()

    assert (failed.number, failed.outcome) == (1, "failed")
    assert failed.error == "apply: terraform apply: no: denied"
    assert (outcome.action, outcome.number) == ("deployed", 2)


def test_a_failed_deploy_keeps_what_stands_visible(stand, s3):
    stand.deploy()
    stand.variables["DOUBLE_FAILS"] = "plan"
    with pytest.raises(TerraformFailed):
        stand.deploy(force=True)

    assert stand.latest().outcome == "failed"
    assert standing.deployed(stand.environment, stand.cloud) == OUTPUTS


def test_a_failed_sync_is_recorded_with_the_new_outputs(stand):
    stand.states.ends = {"status": "FAILED", "error": "IncompleteSync", "cause": "jq is missing"}

    with pytest.raises(SyncFailed, match="jq is missing"):
        stand.deploy()

    assert stand.latest().outputs == OUTPUTS
    assert "sync: the sync ended FAILED: IncompleteSync" in stand.latest().error


def test_a_deploy_whose_bottle_does_not_come_back_failed_and_is_done_again(stand, s3):
    key = "api/internal/packages.arm64_tahoe.jws.json"
    served = s3.get_object(Bucket="mirror", Key=key)["Body"].read()
    s3.put_object(Bucket="mirror", Key=key, Body=served.replace(b"1.2", b"1.3"))
    with pytest.raises(SmokeTestFailed):
        stand.deploy()
    s3.put_object(Bucket="mirror", Key=key, Body=served)
    s3.delete_object(Bucket=BUCKET, Key="under-way/dev.json")  # The record alone must do.

    outcome = stand.deploy()

    assert outcome.action == "deployed"
    assert stand.latest().outcome == "succeeded"


def test_ctrl_c_is_recorded_and_leaves_no_lock(stand):
    stand.states.ends = {"raises": KeyboardInterrupt()}
    with pytest.raises(KeyboardInterrupt):
        stand.deploy()
    interrupted = stand.latest()
    stand.states.__init__()

    outcome = stand.deploy()

    assert (interrupted.outcome, interrupted.error) == ("failed", "sync: interrupted")
    assert outcome.action == "deployed"


def test_a_deploy_that_was_killed_is_not_mistaken_for_the_one_before(stand):
    stand.deploy()
    under_way.mark(stand.cloud, BUCKET, "dev", kind="deploy", lease=2)

    outcome = stand.deploy()

    assert outcome.action == "deployed"
    assert stand.deploy().action == "unchanged"


def test_a_failure_that_cannot_be_recorded_is_still_the_failure_that_is_told(stand, s3):
    class Rival:
        """Somebody else records number 1 while this deploy runs, and its sync fails."""

        def __str__(self):
            s3.put_object(Bucket=BUCKET, Key="releases/dev/000001.json", Body=RIVAL)
            return "IncompleteSync"

    stand.states.ends = {"status": "FAILED", "error": Rival(), "cause": "jq is missing"}

    with pytest.raises(SyncFailed, match="IncompleteSync: jq is missing"):
        stand.deploy()


def test_without_terraform_a_first_deploy_makes_not_even_the_state_bucket(stand, s3, monkeypatch):
    stand.lose_terraform(monkeypatch)

    with pytest.raises(ToolMissing):
        stand.deploy()

    assert buckets(s3) == ["mirror"]


def test_without_terraform_a_later_deploy_changes_and_records_nothing(stand, s3, monkeypatch):
    stand.deploy()
    before = [each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    stand.write("lambdas/orchestrator/handler.py", "handle = 2\n")
    stand.lose_terraform(monkeypatch)

    with pytest.raises(ToolMissing):
        stand.deploy()

    assert [each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET)["Contents"]] == before
    assert stand.latest().number == 1


def test_what_is_unchanged_needs_no_terraform(stand, monkeypatch):
    stand.deploy()
    stand.lose_terraform(monkeypatch)

    assert stand.deploy().action == "unchanged"


def test_two_deploys_at_once_are_one_and_a_refusal(stand):
    holder = (
        "import sys\nfrom pathlib import Path\nfrom delivery.deploy import lock\n"
        "with lock.held(Path(sys.argv[1]), 'dev'):\n    print('held', flush=True)\n    input()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(stand.checkout.state_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        process.stdout.readline()
        with pytest.raises(DeployUnderWay, match=str(process.pid)):
            stand.deploy()
        process.communicate("\n")

    assert stand.deploy().action == "deployed"


def test_a_deploy_that_changes_nothing_loads_neither_terraform_nor_cryptography():
    program = (
        "import sys\nfrom delivery.deploy import deployment\n"
        "heavy = {'delivery.deploy.rollout', 'delivery.terraform', 'cryptography', 'http.server'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )

    loaded = subprocess.check_output([sys.executable, "-c", program], cwd=ROOT, text=True)

    assert loaded == "[]\n"


def test_with_the_fargate_route_the_pushed_image_is_taken_and_without_one_nothing_is_begun(
    stand, monkeypatch
):
    pushed = f"registry/name@sha256:{64 * 'a'}"
    stand.configure("defaults: {workflow: {fargate_threshold_gib: 50}}\n")
    monkeypatch.setattr("delivery.image_repository.digest_of", lambda *_, **_asked: "")
    with pytest.raises(BadInput, match=r"inv image\.push --env dev"):
        stand.deploy()
    assert stand.calls() == []

    monkeypatch.setattr("delivery.task_image.reference", lambda *_: pushed)
    stand.deploy()

    given = json.loads(stand.checkout.settings_file(stand.environment).read_text())
    assert given["settings"]["artifacts"]["image"] == pushed
