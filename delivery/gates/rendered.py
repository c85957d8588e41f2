"""A plan of an environment against an empty account, in Terraform's JSON form, for scanners."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from delivery.checkout import Checkout
from delivery.cloud import Cloud
from delivery.config import rendering
from delivery.deploy import settings
from delivery.environment import Environment
from delivery.terraform import apart
from delivery.terraform.running import Workspace


def render(
    checkout: Checkout,
    environment: Environment,
    cloud: Cloud,
    report: Callable[[str], None],
    target: Path,
) -> Path:
    """Plan in a copy of the tree with an empty state, so that everything is in the plan.

    A plan holds every setting: only the user may read the file, and no workflow uploads it.

    Args:
        cloud: where AWS's APIs answer.
        target: where the JSON goes.

    Raises:
        ToolMissing, TerraformFailed: there is no Terraform, or no plan.

    Source: Terraform, "JSON Output Format", plan representation.
    """
    built = checkout.build(environment, report)
    digests = {name: each.sha256 for name, each in built.items()}
    wanted = settings.of(environment, cloud.account_id, cloud.upstream, digests)
    root = checkout.root_of(environment)
    with apart.copied(checkout.terraform_dir, root) as (tree, data_dir):
        copy = replace(checkout, terraform_dir=tree)
        rendering.write(copy.settings_file(environment), wanted)
        terraform = Workspace.at(
            copy.root_of(environment),
            data_dir=data_dir,
            variables=cloud.variables,
            state_dir=checkout.state_dir,
        )
        terraform.init({})
        report(f"{environment.name}: {terraform.plan().summary}")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch(mode=0o600)
        target.write_text(terraform.planned(), encoding="utf-8")
    return target
