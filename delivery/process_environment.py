"""The only reader of environment variables in the delivery."""

from __future__ import annotations

import os
from dataclasses import dataclass, field


@dataclass(frozen=True)
class GitHubAccess:
    """How to reach GitHub's API, as its own workflows and its command line have it."""

    token: str = field(repr=False)
    api: str


def github() -> GitHubAccess:
    """The token at hand, empty where there is none."""
    token = os.environ.get("GITHUB_TOKEN") or os.environ.get("GH_TOKEN", "")
    return GitHubAccess(token, os.environ.get("GITHUB_API_URL", "https://api.github.com"))


def current() -> dict[str, str]:
    """A copy of this process's environment, for child processes."""
    return dict(os.environ)


def requires_audit() -> bool:
    """Whether an audit that did not happen is a failure: on GitHub, and where one says so."""
    asked = os.environ.get("AIRBREW_REQUIRE_AUDIT", os.environ.get("GITHUB_ACTIONS", ""))
    return asked.lower() in {"1", "true", "yes"}


def deploys_to_sandbox() -> bool:
    """Whether CI also deploys environments without an account, into a sandbox on the runner."""
    return os.environ.get("AIRBREW_DEPLOY_SANDBOX", "").lower() in {"1", "true", "yes"}
