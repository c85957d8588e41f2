"""Each role can do all of its work where IAM is enforced, and may nothing that it never needs."""

from __future__ import annotations

import json
from urllib.request import urlopen

import pytest

from delivery.deploy import provisioning
from tests.doubles import iam_use, service_calls
from tests.doubles.mirror_life import MirrorLife, live
from tests.integration import enforced
from tests.integration.enforcement import DECISIONS, enforcing, sample_upstream
from tests.integration.unplayed import UNPLAYED

TASK = "airbrew-dev-sync-task"
ROLES = (
    *("airbrew-dev-orchestrator", "airbrew-dev-sync-worker", "airbrew-dev-collector"),
    *("airbrew-dev-sync", "airbrew-dev-sync-schedule", TASK, "airbrew-dev-sync-execution"),
)
CONFIGURATION = """
project: {name: airbrew}
environments:
  dev:
    type: development
    selection:
      platforms: [arm64_tahoe]
      formulae: [jq, wget]
      casks: [firefox, iterm2]
      tap_files: [TAP_FILE]
    publish: {channels: [canary, stable], soak_hours: 1000}
    retention: {keep_snapshots: 1, keep_days: 0, grace_days: 0}
    workflow: {batch_max_bottles: 3, fargate_threshold_gib: 0.001}
    task: {transfers: 1}
  staging: {type: staging}
  prod: {type: production}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("permissions")


@pytest.fixture(scope="module")
def cloud(folder):
    """A local AWS that denies what no policy allows, and writes down what it was asked."""
    (folder / "ministack").mkdir()
    with enforcing(folder / "ministack", "tests.doubles.recording_aws") as found:
        yield found


@pytest.fixture(scope="module")
def upstream(tmp_path_factory):
    with sample_upstream(tmp_path_factory.mktemp("upstream")) as server:
        yield server


@pytest.fixture(scope="module")
def deployed(cloud, upstream, folder, terraform):
    """An environment with casks, a tap, channels, and a task for what is large."""
    with urlopen(f"{upstream.url}/_sandbox/tap", timeout=30) as answer:
        (folder / "tap.json").write_bytes(answer.read())
    configuration = CONFIGURATION.replace("TAP_FILE", str(folder / "tap.json"))
    artifacts = enforced.artifacts_in(cloud, folder / "state")
    given = enforced.settings(upstream, artifacts, folder / "airbrew.yaml", configuration)
    outputs = enforced.applied(cloud, given, folder / "terraform")
    # The sandbox has no TLS; test_least_privilege sees what the policy refuses without it.
    cloud.client("s3").delete_bucket_policy(Bucket=outputs["mirror_bucket"])
    provisioning.put_settings(cloud, outputs["mirror_bucket"], outputs["settings"])
    return outputs


@pytest.fixture(scope="module")
def policies(cloud, deployed):
    """Role → what Terraform allows it."""
    iam = cloud.client("iam")

    def statements(role):
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            found = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            yield from found["Statement"]

    return {role: {"Statement": list(statements(role))} for role in ROLES}


@pytest.fixture(scope="module")
def calls(cloud, deployed, upstream, folder, policies):
    """What the roles asked for, while all was done that happens to a mirror in its life."""
    # MiniStack gives "*" as the resource of an answer to a token (`iam_use.with_machine`).
    answering = json.dumps(iam_use.FOR_ANY_TOKEN)
    cloud.client("iam").put_role_policy(
        RoleName=TASK, PolicyName="tokens", PolicyDocument=answering
    )
    live(MirrorLife(cloud, deployed, upstream))
    machine = deployed["state_machine_arn"]
    played = iam_use.with_machine(iam_use.calls(folder / "ministack" / DECISIONS), machine)
    return [*played, *service_calls.calls(cloud, machine, policies)]


def test_every_role_that_is_made_is_looked_at(cloud, policies):
    made = {each["RoleName"] for each in cloud.client("iam").list_roles()["Roles"]}

    assert {name for name in made if name.startswith("airbrew-dev-")} == set(ROLES)


def test_each_role_was_allowed_all_that_its_work_needs(calls):
    assert iam_use.denied(calls) == []


@pytest.mark.parametrize("role", ROLES)
def test_a_role_has_no_permission_that_its_work_does_not_need(role, policies, calls):
    mine = [each for each in calls if each.role == role]

    assert set(iam_use.excess(policies[role], mine)) == UNPLAYED[role].keys()
