"""Whether a role by which GitHub comes in is there, and lets the configured repository in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from delivery.cloud import Cloud
from delivery.environment import Environment
from delivery.oidc import access

Flaw = tuple[str, str]


def flaw(environment: Environment, cloud: Cloud, purpose: str) -> Flaw | None:
    """``("missing" or "malformed", why)``; None where workflows of the repository come in.

    Which job of the repository does is for `inv oidc.explain`.
    """
    repository = access.required(environment)["repository"]
    try:
        name = access.role_name(environment, purpose)
        role = cloud.client("iam").get_role(RoleName=name)["Role"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise
        return "missing", "it is not in this account: no workflow comes in by it"
    subjects = set(_subjects(role["AssumeRolePolicyDocument"]))
    if any(each.startswith(f"repo:{repository}:") for each in subjects):
        return None
    return "malformed", f"it lets nothing of {repository} in"


def _subjects(policy: Mapping[str, Any]) -> Iterator[str]:
    for statement in policy["Statement"]:
        for values in statement.get("Condition", {}).values():
            told = values.get(f"{access.ISSUER}:sub", ())
            yield from [told] if isinstance(told, str) else told
