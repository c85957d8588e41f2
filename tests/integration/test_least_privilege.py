"""The roles and the bucket policy, enforced: a whole sync with MiniStack's AUTH switched on."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import threading
import time

import pytest

from delivery import executions, state_bucket
from delivery.artifacts.build import Places, Target, build
from delivery.cloud import Cloud
from delivery.config import effective, loading, rendering
from delivery.errors import SyncFailed
from delivery.paths import TERRAFORM_DIR
from delivery.terraform.running import Workspace
from sandbox import identity, ports
from sandbox.servers import CLOUDWATCH, MINISTACK, SERVERS
from sandbox.upstream import Upstream

# With AUTH on, MiniStack goes by roles, and this key is the root of this account
# (docs of MiniStack 1.5.33, "IAM enforcement").
ROOT_KEY, ACCOUNT = "test", "000000000000"
STATE_BUCKET = f"airbrew-dev-state-{ACCOUNT}"
START_SECONDS = 30


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    """A local AWS that denies what no policy allows."""
    folder = tmp_path_factory.mktemp("ministack")
    for name in ("state", "s3", "tmp"):
        (folder / name).mkdir()
    port, server = ports.free_port(), SERVERS[MINISTACK]
    variables = server.environment(folder, {MINISTACK: port, CLOUDWATCH: port}) | {"AUTH": "true"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            server.command(folder, port, "enforcing"),
            env=variables,
            cwd=TERRAFORM_DIR.parent,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_SECONDS
    while not identity.answers_as("enforcing", port, patience_seconds=1):
        assert time.monotonic() < deadline, (folder / "log").read_text()
        time.sleep(0.1)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    yield Cloud(
        "sandbox",
        ACCOUNT,
        "us-east-1",
        kept
        | {
            "AWS_ACCESS_KEY_ID": ROOT_KEY,
            "AWS_SECRET_ACCESS_KEY": ROOT_KEY,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        },
    )
    process.terminate()
    process.wait()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # Its Lambda workers.


@pytest.fixture(scope="module")
def upstream(tmp_path_factory):
    """A sample Homebrew to mirror from."""
    with Upstream(tmp_path_factory.mktemp("upstream")) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


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
