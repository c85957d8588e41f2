"""The roles that workflows assume in an environment's account: their names, and what they trust."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from delivery import state_bucket
from delivery.environment import Environment
from delivery.errors import BadInput

ISSUER = "token.actions.githubusercontent.com"
PURPOSES = ("deploy", "plan")


def role_name(environment: Environment, purpose: str) -> str:
    """``github-airbrew-dev-deploy``, as terraform/modules/access names it."""
    return f"github-{environment.project}-{environment.name}-{purpose}"


def role_arn(environment: Environment, account_id: str, purpose: str) -> str:
    """The ARN of that role in the environment's account."""
    return f"arn:aws:iam::{account_id}:role/{role_name(environment, purpose)}"


def provider_arn(account_id: str) -> str:
    """GitHub's provider: an account has one of a URL, whichever environment made it."""
    return f"arn:aws:iam::{account_id}:oidc-provider/{ISSUER}"


def required(environment: Environment) -> Mapping[str, Any]:
    """The environment's `github` settings.

    Raises:
        BadInput: they name no repository.
    """
    github: Mapping[str, Any] = environment.settings["github"]
    if github["repository"] is None:
        raise BadInput(
            f'no repository is named for "{environment.name}"',
            where="github.repository in config/airbrew.yaml",
            remedy="set it to owner/name, and run `inv oidc.bootstrap` again",
        )
    return github


def open_to_github(environments: Sequence[Environment]) -> list[Environment]:
    """Those that let a repository's workflows in.

    Raises:
        BadInput: none does.
    """
    found = [each for each in environments if each.settings["github"]["repository"] is not None]
    if not found:
        required(environments[0])
    return found


def settings(
    environment: Environment, account_id: str, *, owns_provider: bool
) -> Mapping[str, Any]:
    """The `settings` of terraform/access.

    Raises:
        BadInput: the configuration names no repository.
    """
    github = required(environment)
    return {
        "project": environment.project,
        "environment": environment.name,
        "account": {"id": account_id, "region": environment.region},
        "repository": {
            "name": github["repository"],
            "owner_id": github["owner_id"] or "",
            "id": github["repository_id"] or "",
        },
        "deploy_from": {
            "environment": github["environment"] or environment.name,
            "branches": github["branches"],
            "tags": github["tags"],
        },
        "plan_from": {
            "branches": github["plan_branches"],
            "tags": github["plan_tags"],
            "pull_requests": github["plan_pull_requests"],
        },
        "buckets": {
            "state": state_bucket.name(environment.project, environment.name, account_id),
            "mirror": environment.bucket_name(account_id),
        },
        "owns_provider": owns_provider,
    }
