"""The roles and the bucket policy, enforced: a whole sync with MiniStack's AUTH switched on."""

from __future__ import annotations

import contextlib
import json
from functools import partial

import pytest
from botocore.exceptions import ClientError

from delivery.deploy import provisioning
from delivery.errors import SyncFailed
from tests.integration import enforced, forbidden
from tests.integration.enforced import STATE_BUCKET, synced
from tests.integration.enforcement import ACCOUNT, enforcing, sample_upstream
from tests.integration.neighbours import FORBIDDEN, OTHERS, Reach, session_of, trusting


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    """A local AWS that denies what no policy allows."""
    with enforcing(tmp_path_factory.mktemp("ministack")) as found:
        yield found


@pytest.fixture(scope="module")
def upstream(tmp_path_factory):
    """A sample Homebrew to mirror from."""
    with sample_upstream(tmp_path_factory.mktemp("upstream")) as server:
        yield server


@pytest.fixture(scope="module")
def deployed(cloud, upstream, tmp_path_factory, terraform):
    """What Terraform put out after applying the repository's own tree."""
    folder = tmp_path_factory.mktemp("airbrew")
    artifacts = enforced.artifacts_in(cloud, folder / "state")
    given = enforced.settings(upstream, artifacts, folder / "airbrew.yaml", CONFIGURATION)
    return enforced.applied(cloud, given, folder / "terraform")


DENIED = {"AccessDenied", "AccessDeniedException"}
CONFIGURATION = """
project: {name: airbrew}
environments:
  dev:
    type: development
    selection: {platforms: [arm64_tahoe], formulae: [jq, wget]}
    workflow: {batch_max_bottles: 3, fargate_threshold_gib: 1}
  staging: {type: staging}
  prod: {type: production}
"""


def test_nothing_passes_in_the_clear_and_then_the_roles_suffice_for_a_whole_sync(cloud, deployed):
    with pytest.raises(
        SyncFailed, match=r"s3:GetObject .*explicit deny in a resource-based policy"
    ):
        synced(cloud, deployed)

    # The sandbox has no TLS, so that the rule would hide what the roles may do.
    cloud.client("s3").delete_bucket_policy(Bucket=deployed["mirror_bucket"])
    provisioning.put_settings(cloud, deployed["mirror_bucket"], deployed["settings"])
    first, second = synced(cloud, deployed), synced(cloud, deployed)

    assert first["copied"] == first["bottles"] > 3
    assert (second["copied"], second["bottles"]) == (0, first["bottles"])
    # A status page that may not be written does not fail a sync: so look.
    listed = cloud.client("s3").list_objects_v2(Bucket=deployed["mirror_bucket"], Prefix="status/")
    assert [each["Key"] for each in listed["Contents"]] == [
        "status/checked.json",
        "status/formulae.json",
        "status/status.json",
    ]
    cloud.client("s3").head_object(Bucket=deployed["mirror_bucket"], Key="index.html")


@pytest.fixture(scope="module")
def neighbours(cloud, deployed):
    """Staging and prod in the same account, so that nothing but policies keeps dev's roles out.

    Each has by name what a deploy gives it: two buckets, a function, its role, a state machine.
    """
    functions, states = cloud.client("lambda"), cloud.client("stepfunctions")
    code = functions.get_function(FunctionName=deployed["orchestrator_function"])["Configuration"]
    for environment in OTHERS:
        of = Reach(environment)
        for bucket in (of.mirror, of.state):
            cloud.client("s3").create_bucket(Bucket=bucket)
            cloud.client("s3").put_object(Bucket=bucket, Key=of.key, Body=b"theirs")
        cloud.client("iam").create_role(
            RoleName=of.function, AssumeRolePolicyDocument=trusting("lambda.amazonaws.com")
        )
        functions.create_function(
            FunctionName=of.function,
            Runtime=code["Runtime"],
            Handler=code["Handler"],
            Role=of.role,
            Code={"S3Bucket": STATE_BUCKET, "S3Key": an_artifact(cloud)},
        )
        definition = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})
        states.create_state_machine(
            name=f"airbrew-{environment}-sync", definition=definition, roleArn=of.role
        )


def an_artifact(cloud):
    found = cloud.client("s3").list_objects_v2(Bucket=STATE_BUCKET, Prefix="artifacts/orchestrator")
    return found["Contents"][0]["Key"]


@pytest.fixture(scope="module")
def sessions(cloud, deployed):
    """A session of each of dev's roles, with the permissions that Terraform gave it."""
    iam = cloud.client("iam")
    iam.create_user(UserName="neighbour")
    key = iam.create_access_key(UserName="neighbour")["AccessKey"]
    user = f"arn:aws:iam::{ACCOUNT}:user/neighbour"
    iam.put_user_policy(
        UserName="neighbour",
        PolicyName="become",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}],
            }
        ),
    )
    sts = session_of(key["AccessKeyId"], key["SecretAccessKey"]).client(
        "sts", endpoint_url=cloud.variables["AWS_ENDPOINT_URL"]
    )
    found = {}
    for role in iam.list_roles()["Roles"]:
        if role["RoleName"].startswith("airbrew-dev-"):
            # Who may wear it is another test's matter; here it is what it may do.
            iam.update_assume_role_policy(
                RoleName=role["RoleName"], PolicyDocument=trusting(principal=user)
            )
            given = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="test")["Credentials"]
            found[role["RoleName"]] = session_of(
                given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
            )
    return found


def test_the_sessions_may_what_their_own_environment_needs(cloud, deployed, sessions):
    """Else being denied elsewhere would prove nothing."""
    url = cloud.variables["AWS_ENDPOINT_URL"]
    s3 = sessions["airbrew-dev-orchestrator"].client("s3", endpoint_url=url)

    with contextlib.suppress(ClientError):  # Gone already, where the test above came first.
        cloud.client("s3").delete_bucket_policy(Bucket=deployed["mirror_bucket"])

    assert (
        s3.list_objects_v2(Bucket=deployed["mirror_bucket"], Prefix="snapshots/")["KeyCount"] >= 0
    )
    assert len(sessions) == 7


@pytest.mark.parametrize("words", forbidden.FORBIDDEN)
def test_no_role_may_do_what_it_never_has_to(cloud, sessions, words):
    url = cloud.variables["AWS_ENDPOINT_URL"]
    roles = sessions.keys() - forbidden.EXCEPT.get(words, set())
    refusals = {}

    for role in roles:
        try:
            forbidden.FORBIDDEN[words](partial(sessions[role].client, endpoint_url=url))
        except ClientError as error:
            refusals[role] = error.response["Error"]["Code"]

    assert refusals.keys() == roles
    assert set(refusals.values()) <= DENIED


@pytest.mark.parametrize("environment", OTHERS)
def test_no_role_of_one_environment_can_touch_another(cloud, sessions, neighbours, environment):
    url = cloud.variables["AWS_ENDPOINT_URL"]
    asked, allowed = 0, []
    for name, session in sessions.items():
        for words, call in FORBIDDEN.items():
            asked += 1
            try:
                call(Reach(environment, session, url))
            except ClientError as error:
                if error.response["Error"]["Code"] not in DENIED:
                    allowed.append(f"{name} could {words} of {environment}: {error}")
            else:
                allowed.append(f"{name} could {words} of {environment}")

    assert allowed == []
    assert asked >= 20


def test_every_name_and_tag_says_whose_it_is(cloud, deployed):
    body = cloud.client("s3").get_object(Bucket=STATE_BUCKET, Key="terraform/dev.tfstate")["Body"]
    with body:
        resources = json.loads(body.read())["resources"]
    found = [
        (f"{each['type']}.{each['name']}", instance["attributes"])
        for each in resources
        if each["mode"] == "managed"
        for instance in each["instances"]
    ]

    untagged = [
        name
        for name, attributes in found
        if "tags_all" in attributes and attributes["tags_all"].get("Environment") != "dev"
    ]
    nameless = [
        name
        for name, attributes in found
        if "tags_all" in attributes
        and "airbrew-dev-" not in str(_name(attributes))
        and name != "aws_default_security_group.unused"  # AWS's own name: "default".
    ]
    assert len(found) > 20
    assert untagged == []
    assert nameless == []


def _name(attributes):
    """What it is called: in a network only by its tag."""
    return attributes.get("name") or attributes["tags_all"].get("Name") or attributes.get("id")
