"""What the checkout wants of an environment, as Terraform gets it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from delivery import digests, state_bucket
from delivery.checkout import target_of
from delivery.config import rendering
from delivery.environment import Environment

RUN_BY_FUNCTIONS = ("orchestrator", "sync_worker", "layer")


def artifact_key(component: str, sha256: str) -> str:
    """``artifacts/layer/<sha256>.zip``, in the state bucket."""
    return f"artifacts/{component}/{sha256}.zip"


def of(
    environment: Environment,
    account_id: str,
    upstream: Mapping[str, str],
    artifacts: Mapping[str, str],
    *,
    image: str = "",
) -> Mapping[str, Any]:
    """The settings that this release means in this account.

    Args:
        upstream: the sample upstream of the sandbox; empty in AWS.
        artifacts: component → SHA-256 of its zip in hex, as a release record has them; those
            that no function runs are left out.
        image: what a task runs where the configuration names no image, ``…@sha256:…``.
    """
    target = target_of(environment)
    bucket = state_bucket.name(environment.project, environment.name, account_id)
    references = {
        name: {"key": artifact_key(name, sha256), "digest": digests.as_base64(sha256)}
        for name, sha256 in artifacts.items()
        if name in RUN_BY_FUNCTIONS
    }
    return rendering.terraform_settings(
        environment,
        account_id=account_id,
        upstream_override=upstream or None,
        artifacts={"bucket": bucket, **references, "image": image},
        architecture=target.architecture,
        runtime=f"python{target.python}",
    )
