"""Condition keys that AWS knows and MiniStack 1.5.33 does not; with AUTH=true they count.

Without these a policy that names one of them refuses everybody there. Both functions that are
wrapped have no public name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from ministack.core import iam_actions
from ministack.core.responses import get_account_id
from ministack.services import cognito, iam, sts

# Source: IAM, "Available keys for AWS OIDC federation", GitHub; AWS What's New of 2026-01,
# "AWS STS now supports validation of select identity provider specific claims".
GITHUB = "token.actions.githubusercontent.com"
GITHUB_CLAIMS = (
    "actor",
    "actor_id",
    "enterprise_id",
    "environment",
    "job_workflow_ref",
    "ref",
    "repository",
    "repository_id",
    "workflow",
)
BOUNDARY = "iam:PermissionsBoundary"

Principal = tuple[str, dict[str, Any]]
Context = dict[str, Any]


def install() -> None:
    """Let MiniStack know GitHub's claims, and the boundary of roles."""
    sts._web_identity_principal = _with_claims(sts._web_identity_principal)
    iam_actions.request_tag_context = _with_boundary(iam_actions.request_tag_context)


def _with_claims(known: Callable[..., Principal]) -> Callable[..., Principal]:
    def principal(token: str, provider_id: str, role_arn: str) -> Principal:
        found, keys = known(token, provider_id, role_arn)
        if found.endswith(f":oidc-provider/{GITHUB}"):
            claims = cognito._decode_id_token_unverified(token)
            keys |= {f"{GITHUB}:{each}": claims[each] for each in GITHUB_CLAIMS if each in claims}
        return found, keys

    return principal


def _with_boundary(known: Callable[..., Context]) -> Callable[..., Context]:
    def context(service: str, action: str, body: bytes, params: Mapping[str, Any]) -> Context:
        found = known(service, action, body, params)
        if service == "iam" and (boundary := _boundary(action, body, params)):
            found[BOUNDARY] = boundary
        return found

    return context


def _boundary(action: str, body: bytes, params: Mapping[str, Any]) -> str | None:
    """The boundary that the request asks for, else the one that its role has."""
    given = {**params, **parse_qs(body.decode(errors="replace"))}
    asked, name = _first(given.get("PermissionsBoundary")), _first(given.get("RoleName"))
    if asked or action == "iam:CreateRole":
        return asked
    role = iam._roles.get_scoped(get_account_id(), None, name) if name else None
    return (role or {}).get("PermissionsBoundary")


def _first(value: Any) -> str | None:
    if isinstance(value, list):
        value = value[0] if value else None
    return None if value is None else str(value)
