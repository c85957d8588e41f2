"""From effective settings to terraform.tfvars.json (docs/reference/terraform-variables.md)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from delivery import whole_files
from delivery.config import selection, signing_key
from delivery.environment import Environment
from delivery.paths import HOMEBREW_KEY_FILE

PASSED_ON = ("publish", "retention", "schedule", "workflow", "network", "logs")
TASK_SIZES = ("cpu_units", "memory_mib", "transfers", "spot")
SAID = {"environment", "defaults"}


def terraform_settings(
    environment: Environment,
    *,
    account_id: str,
    upstream_override: Mapping[str, str] | None,
    artifacts: Mapping[str, Any],
    architecture: str,
    runtime: str,
) -> Mapping[str, Any]:
    """The `settings` of one environment's Terraform root; every key is always there.

    Args:
        account_id: where it goes; in the sandbox there is none in the configuration.
        upstream_override: ``api_url``, ``registry_url`` and ``signing_key_pem`` of a sample
            upstream; it stands in only where the configuration says nothing about upstream.
        artifacts: ``bucket``, and per component its ``key`` and ``digest``; ``image`` for a task
            for which the configuration names none.
        architecture, runtime: what the Lambdas run on, as AWS spells it.

    Raises:
        UnfitKey, UnfitBrewfile: a file that the configuration names was spoilt since it was
            checked.
    """
    settings = environment.settings
    return {
        "project": environment.project,
        "environment": environment.name,
        "region": environment.region,
        "account_id": account_id,
        "mirror": {
            "bucket_name": environment.bucket_name(account_id),
            "keep_replaced_days": settings["mirror"]["keep_replaced_days"],
            "public_url": settings["mirror"]["public_url"] or "",
        },
        "upstream": upstream(environment, upstream_override),
        "selection": selection.selection(environment),
        **{name: settings[name] for name in PASSED_ON},
        "functions": {
            "architecture": architecture,
            "runtime": runtime,
            "orchestrator": settings["functions"]["orchestrator"],
            "sync_worker": settings["functions"]["sync_worker"],
        },
        "security": _security(environment),
        "roles": {"permissions_boundary_arn": boundary_arn(environment, account_id)},
        "task": {name: settings["task"][name] for name in TASK_SIZES},
        "artifacts": {
            **artifacts,
            "image": settings["task"]["image"] or artifacts.get("image", ""),
        },
    }


def boundary_arn(environment: Environment, account_id: str) -> str:
    """The policy that bounds every role of the environment; empty where GitHub deploys nothing."""
    if environment.settings["github"]["repository"] is None:
        return ""
    return f"arn:aws:iam::{account_id}:policy/{environment.project}-{environment.name}-boundary"


def _security(environment: Environment) -> Mapping[str, Any]:
    security, github = environment.settings["security"], environment.settings["github"]
    subjects = []
    if github["repository"] is not None:
        owner, name = github["repository"].split("/")
        subjects = [f"repo:{owner}/{name}:"]
        if github["repository_id"] is not None:
            numbered = f"{owner}@{github['owner_id']}/{name}@{github['repository_id']}"
            subjects.append(f"repo:{numbered}:")
    told = {key: security[key] for key in ("monitoring", "data_events", "addresses")}
    return {**told, "subjects": subjects}


def write(path: Path, settings: Mapping[str, Any]) -> bool:
    """Write ``{"settings": …}`` whole or not at all; False when the file says so already."""
    text = json.dumps({"settings": settings}, indent=2, ensure_ascii=False) + "\n"
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    whole_files.write(path, text.encode())
    return True


def upstream(environment: Environment, override: Mapping[str, str] | None) -> Mapping[str, str]:
    """``api_url``, ``registry_url`` and ``signing_key_pem`` of what the environment mirrors.

    Args:
        override: the same of a sample upstream, for an environment that configures none.

    Raises:
        UnfitKey: the configured key file was spoilt since the configuration was checked.
    """
    configured = environment.settings["upstream"]
    # URLs and key belong together: what one upstream signs, another's key does not prove.
    if override and not any(
        environment.origins[f"upstream.{key}"].kind in SAID for key in configured
    ):
        return {name: override[name] for name in ("api_url", "registry_url", "signing_key_pem")}
    file = configured["public_key_file"]
    return {
        "api_url": configured["api_url"],
        "registry_url": configured["registry_url"],
        "signing_key_pem": signing_key.read(file) if file else HOMEBREW_KEY_FILE.read_text("ascii"),
    }
