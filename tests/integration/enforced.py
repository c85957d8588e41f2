"""The environment dev, applied by real Terraform to a local AWS that enforces IAM."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from delivery import state_bucket
from delivery.artifacts.build import Places, Target, build
from delivery.cloud import Cloud
from delivery.config import effective, loading, rendering
from delivery.mirror import executions
from delivery.paths import TERRAFORM_DIR
from delivery.terraform.running import Workspace
from sandbox.upstream import Upstream
from tests.integration.enforcement import ACCOUNT

STATE_BUCKET = f"airbrew-dev-state-{ACCOUNT}"
# MiniStack plays CloudWatch, too, here, and drops fields of alarms (docs/reference/sandbox.md); a
# security group keeps its first rule until the second apply (delivery/drift/known.yaml).
GAPS = ("aws_cloudwatch_metric_alarm", "aws_security_group")


def artifacts_in(cloud: Cloud, folder: Path) -> dict[str, Any]:
    """The real functions, in the state bucket, as Terraform is told of them."""
    state_bucket.ensure(cloud, STATE_BUCKET)
    told: dict[str, Any] = {"bucket": STATE_BUCKET}
    for name, built in build(target=Target.for_host(), places=Places(state_dir=folder)).items():
        key = f"artifacts/{name}/{built.sha256}.zip"
        state_bucket.upload(cloud, STATE_BUCKET, key, built.path)
        told[name] = {"key": key, "digest": built.base64_digest}
    return told


def settings(
    upstream: Upstream, artifacts: Mapping[str, Any], file: Path, configuration: str
) -> Mapping[str, Any]:
    """What the delivery hands to Terraform for such a configuration."""
    file.write_text(configuration)
    target = Target.for_host()
    return rendering.terraform_settings(
        effective.effective(loading.load(file), "dev"),
        account_id=ACCOUNT,
        upstream_override={
            "api_url": f"{upstream.url}/api",
            "registry_url": upstream.url,
            "signing_key_pem": upstream.public_key_pem,
        },
        artifacts={"image": "", **artifacts},
        architecture=target.architecture,
        runtime=f"python{target.python}",
    )


def applied(cloud: Cloud, given: Mapping[str, Any], tree: Path) -> Mapping[str, Any]:
    """What Terraform put out after applying the repository's own tree, copied to `tree`."""
    shutil.copytree(TERRAFORM_DIR, tree, ignore=shutil.ignore_patterns(".terraform"))
    root = tree / "environments" / "dev"
    (root / "terraform.tfvars.json").write_text(json.dumps({"settings": given}))
    workspace = Workspace.at(
        root, data_dir=tree / "data", variables=cloud.variables, state_dir=tree / "airbrew"
    )
    workspace.init(state_bucket.backend_config(cloud, STATE_BUCKET, "dev"))
    plan = workspace.plan()
    plan.apply(lambda _: None)
    again = workspace.plan()
    changed = [each for each in again.lines if not any(gap in each for gap in GAPS)]
    assert changed == [], f"a second plan finds something to change: {changed}"
    return plan.outputs()


def synced(cloud: Cloud, deployed: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a sync of the deployed state machine put out."""
    arn = executions.start(cloud, deployed["state_machine_arn"])
    return executions.follow(cloud, arn, lambda _: None).output
