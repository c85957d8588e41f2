"""The roles and the bucket policy, enforced: a whole sync with MiniStack's AUTH switched on."""

from __future__ import annotations

import json
import shutil

import pytest

from delivery import executions, state_bucket
from delivery.artifacts.build import Places, Target, build
from delivery.config import effective, loading, rendering
from delivery.errors import SyncFailed
from delivery.paths import TERRAFORM_DIR
from delivery.terraform.running import Workspace
from tests.integration.enforcement import ACCOUNT, enforcing, sample_upstream

STATE_BUCKET = f"airbrew-dev-state-{ACCOUNT}"


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
def artifacts(cloud, tmp_path_factory):
    """The real functions, in the state bucket, as Terraform is told of them."""
    state_bucket.ensure(cloud, STATE_BUCKET)
    told = {"bucket": STATE_BUCKET}
    places = Places(state_dir=tmp_path_factory.mktemp("airbrew"))
    for name, built in build(target=Target.for_host(), places=places).items():
        key = f"artifacts/{name}/{built.sha256}.zip"
        state_bucket.upload(cloud, STATE_BUCKET, key, built.path)
        told[name] = {"key": key, "digest": built.base64_digest}
    return told


@pytest.fixture(scope="module")
def deployed(cloud, upstream, artifacts, tmp_path_factory, terraform):
    """What Terraform put out after applying the repository's own tree."""
    tree = tmp_path_factory.mktemp("tree") / "terraform"
    shutil.copytree(TERRAFORM_DIR, tree, ignore=shutil.ignore_patterns(".terraform"))
    root = tree / "environments" / "dev"
    given = {"settings": settings(upstream, artifacts, tree)}
    (root / "terraform.tfvars.json").write_text(json.dumps(given))
    workspace = Workspace.at(
        root, data_dir=tree / "data", variables=cloud.variables, state_dir=tree / "airbrew"
    )
    workspace.init(state_bucket.backend_config(cloud, STATE_BUCKET, "dev"))
    plan = workspace.plan()
    plan.apply(lambda _: None)
    again = workspace.plan()
    assert again.lines == (), "a second plan finds something to change"
    return plan.outputs()


CONFIGURATION = """
project: {name: airbrew}
environments:
  dev:
    type: development
    selection: {platforms: [arm64_tahoe], formulae: [jq, wget]}
    workflow: {batch_max_bottles: 3}
  staging: {type: staging}
  prod: {type: production}
"""


def settings(upstream, artifacts, folder):
    """What the delivery hands to Terraform for such a configuration."""
    file = folder / "airbrew.yaml"
    file.write_text(CONFIGURATION)
    target = Target.for_host()
    return rendering.terraform_settings(
        effective.effective(loading.load(file), "dev"),
        account_id=ACCOUNT,
        upstream_override={
            "api_url": f"{upstream.url}/api",
            "registry_url": upstream.url,
            "signing_key_pem": upstream.public_key_pem,
        },
        artifacts={**artifacts, "image": ""},
        architecture=target.architecture,
        runtime=f"python{target.python}",
    )


def synced(cloud, deployed):
    arn = executions.start(cloud, deployed["state_machine_arn"])
    return executions.follow(cloud, arn, lambda _: None).output


def test_nothing_passes_in_the_clear_and_then_the_roles_suffice_for_a_whole_sync(cloud, deployed):
    with pytest.raises(
        SyncFailed, match=r"s3:GetObject .*explicit deny in a resource-based policy"
    ):
        synced(cloud, deployed)

    # The sandbox has no TLS, so that the rule would hide what the roles may do.
    cloud.client("s3").delete_bucket_policy(Bucket=deployed["mirror_bucket"])
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
