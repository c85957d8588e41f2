"""Tokens as GitHub issues them to a job, but for their signature, which MiniStack does not check.

Source: GitHub, "OpenID Connect reference", the example token and its claims; changelog of
2026-04-23, "Immutable subject claims for GitHub Actions OIDC tokens".
"""

from __future__ import annotations

import base64
import json
from typing import Any

ISSUER = "https://token.actions.githubusercontent.com"
# Long after any test: whether a token has expired is asked where a test says so.
NEVER = 4102444800
MAIN = "refs/heads/main"


def claims(
    ref: str = MAIN,
    *,
    repository: str = "acme/mirror",
    numbers: tuple[str, str] = ("1001", "2002"),
    environment: str | None = None,
    event: str = "push",
    immutable: bool = False,
    **changed: Any,
) -> dict[str, Any]:
    """The claims of a job on `ref`, in a GitHub environment or none.

    Args:
        numbers: the owner's and the repository's.
        immutable: whether the subject has them, as in repositories since 2026-07-15.
        changed: claims that are other than GitHub would have them.
    """
    owner, name = repository.split("/")
    who = f"{owner}@{numbers[0]}/{name}@{numbers[1]}" if immutable else repository
    context = f"ref:{ref}"
    if event == "pull_request":
        context = "pull_request"
    if environment is not None:
        context = f"environment:{environment}"
    told = {
        "jti": "6a2c1f0e-0000-4000-8000-000000000000",
        "sub": f"repo:{who}:{context}",
        "aud": "sts.amazonaws.com",
        "ref": ref,
        "sha": "0" * 40,
        "repository": repository,
        "repository_owner": owner,
        "repository_owner_id": numbers[0],
        "repository_id": numbers[1],
        "repository_visibility": "private",
        "run_id": "1",
        "run_number": "1",
        "run_attempt": "1",
        "runner_environment": "github-hosted",
        "actor": "octocat",
        "actor_id": "583231",
        "workflow": "cicd",
        "event_name": event,
        "ref_type": "tag" if ref.startswith("refs/tags/") else "branch",
        "job_workflow_ref": f"{repository}/.github/workflows/cicd.yml@{ref}",
        "iss": ISSUER,
        "iat": 1795000000,
        "exp": NEVER,
        "environment": environment,
    }
    return {key: value for key, value in (told | changed).items() if value is not None}


def token(told: dict[str, Any]) -> str:
    """The claims as a token: header, payload, and a signature that nobody made."""
    header = {"typ": "JWT", "alg": "RS256", "kid": "none"}
    return ".".join([_part(header), _part(told), "c2lnbmF0dXJl"])


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
