"""The image of the Fargate task: in the environment's own ECR, immutable, named by digest."""

from __future__ import annotations

import json

import boto3
import pytest
from moto import mock_aws

from delivery import image_repository, task_image
from delivery.artifacts import image
from delivery.artifacts.image import Image
from delivery.checkout import Checkout, target_of
from delivery.cloud import Cloud
from delivery.config import effective, loading
from delivery.errors import BadInput

ACCOUNT = "123456789012"
CONFIGURATION = """
project: {name: acme}
environments:
  dev: {type: development, account_id: "123456789012"}
  staging: {type: staging, account_id: "123456789012", workflow: {fargate_threshold_gib: 50}}
  prod:
    type: production
    workflow: {fargate_threshold_gib: 50}
"""
REPOSITORY = "acme-staging-sync-worker"
ADDRESS = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/{REPOSITORY}"
TAG = f"inputs-{64 * '1'}"


@pytest.fixture
def environments(tmp_path):
    file = tmp_path / "airbrew.yaml"
    file.write_text(CONFIGURATION)
    return effective.validated(loading.load(file))


@pytest.fixture
def staging(environments):
    return environments["staging"]


@pytest.fixture
def ecr():
    with mock_aws():
        yield boto3.client("ecr", region_name="us-east-1")


@pytest.fixture
def cloud(ecr):
    return Cloud("AWS", ACCOUNT, "us-east-1", variables={})


def put(ecr, tag=TAG):
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"digest": f"sha256:{64 * '2'}", "size": 1, "mediaType": "a"},
            "layers": [],
        }
    )
    put = ecr.put_image(repositoryName=REPOSITORY, imageManifest=manifest, imageTag=tag)
    return put["image"]["imageId"]["imageDigest"]


def test_the_repository_is_made_once_and_its_tags_never_move(staging, cloud, ecr):
    assert image_repository.ensure(staging, cloud)
    assert not image_repository.ensure(staging, cloud)

    (made,) = ecr.describe_repositories()["repositories"]
    assert made["repositoryUri"] == ADDRESS
    assert made["imageTagMutability"] == "IMMUTABLE"
    assert made["imageScanningConfiguration"] == {"scanOnPush": True}
    tags = ecr.list_tags_for_resource(resourceArn=made["repositoryArn"])["tags"]
    assert {"Key": "Environment", "Value": "staging"} in tags
    policy = json.loads(ecr.get_lifecycle_policy(repositoryName=REPOSITORY)["lifecyclePolicyText"])
    assert [rule["selection"]["countNumber"] for rule in policy["rules"]] == [14, 50]


def test_a_login_is_asked_of_ecr_for_that_registry(staging, cloud):
    login = image_repository.login(staging, cloud)

    assert (login.registry, login.user) == (ADDRESS.partition("/")[0], "AWS")
    assert login.password


def test_the_pushed_image_is_what_the_task_runs(staging, cloud, ecr):
    image_repository.ensure(staging, cloud)
    digest = put(ecr)

    assert task_image.reference(staging, cloud, "", lambda: TAG) == f"{ADDRESS}@{digest}"


def test_a_release_s_image_is_taken_by_its_digest_whatever_the_checkout_would_build(
    staging, cloud, ecr
):
    image_repository.ensure(staging, cloud)
    digest = put(ecr, tag="inputs-of-then")

    found = task_image.reference(staging, cloud, digest, lambda: pytest.fail("asked for a tag"))

    assert found == f"{ADDRESS}@{digest}"


@pytest.mark.parametrize("has_repository", [False, True])
@pytest.mark.parametrize("digest", ["", f"sha256:{64 * '3'}"])
def test_an_image_that_was_not_pushed_stops_the_deploy_with_the_command_that_pushes_it(
    staging, cloud, has_repository, digest
):
    if has_repository:
        image_repository.ensure(staging, cloud)

    with pytest.raises(
        BadInput, match=r"was pushed for the Fargate(.|\n)*image.push --env staging"
    ):
        task_image.reference(staging, cloud, digest, lambda: TAG)


def test_without_the_fargate_route_and_in_the_sandbox_no_registry_is_asked(environments, cloud):
    def ask(name, cloud):
        return task_image.reference(environments[name], cloud, "", lambda: pytest.fail("asked"))

    assert ask("dev", cloud) == ""
    assert ask("prod", Cloud("sandbox", ACCOUNT, "us-east-1", variables={})) == ""


def test_a_release_names_the_image_that_was_pushed_from_here_where_a_task_can_start(
    environments, tmp_path
):
    checkout = Checkout(state_dir=tmp_path)
    target = target_of(environments["staging"])
    made = Image("name", "id", "docker", image.inputs(target).digest, was_built=True)

    before = task_image.digest_here(environments["staging"], checkout)
    image.known_as(made, target, f"sha256:{64 * '4'}", state_dir=tmp_path)

    assert before == ""
    assert task_image.digest_here(environments["staging"], checkout) == f"sha256:{64 * '4'}"
    assert task_image.digest_here(environments["dev"], checkout) == ""
