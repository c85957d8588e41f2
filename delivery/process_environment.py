"""The only reader of environment variables in the delivery."""

from __future__ import annotations

import os


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
