"""The only reader of environment variables in the delivery."""

from __future__ import annotations

import os


def current() -> dict[str, str]:
    """A copy of this process's environment, for child processes."""
    return dict(os.environ)
