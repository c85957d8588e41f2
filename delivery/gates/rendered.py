"""A plan of an environment against an empty account, in Terraform's JSON form, for scanners."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from delivery.checkout import Checkout
from delivery.config import rendering
from delivery.environment import Environment
from delivery.terraform.running import Workspace

LOCAL_BACKEND = 'terraform {\n  backend "local" {}\n}\n'
NOT_COPIED = shutil.ignore_patterns(".terraform", "terraform.tfvars.json")


def render(
    checkout: Checkout,
    environment: Environment,
    settings: Mapping[str, Any],
    variables: Mapping[str, str],
    report: Callable[[str], None],
    target: Path,
) -> Path:
    """Plan in a copy of the tree with an empty state, so that everything is in the plan.

    A plan holds every setting: only the user may read the file, and no workflow uploads it.

    Args:
        settings: what Terraform gets (docs/reference/terraform-variables.md).
        variables: the environment of Terraform: where AWS's APIs answer.
        target: where the JSON goes.

    Raises:
        ToolMissing, TerraformFailed: there is no Terraform, or no plan.

    Source: Terraform, "JSON Output Format", plan representation.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "terraform"
        shutil.copytree(checkout.terraform_dir, folder, ignore=NOT_COPIED)
        root = folder / "environments" / environment.name
        rendering.write(root / "terraform.tfvars.json", settings)
        # Terraform lets a file of this name replace what others say ("Override Files").
        (root / "backend_override.tf").write_text(LOCAL_BACKEND, encoding="utf-8")
        terraform = Workspace.at(
            root,
            data_dir=Path(scratch) / "data",
            variables=variables,
            state_dir=checkout.state_dir,
        )
        terraform.init({})
        report(f"{environment.name}: {terraform.plan().summary}")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch(mode=0o600)
        target.write_text(terraform.planned(), encoding="utf-8")
    return target
