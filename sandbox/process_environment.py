"""The only reader of environment variables in the sandbox."""

from __future__ import annotations

import os


def without_aws() -> dict[str, str]:
    """This process's environment without anything that leads to a real account."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
