"""The only reader of environment variables in the sandbox."""

from __future__ import annotations

import os

LOOPBACK = "127.0.0.1,localhost"


def inherited() -> dict[str, str]:
    """This process's environment as it is: for what belongs to a server of the sandbox."""
    return dict(os.environ)


def without_aws() -> dict[str, str]:
    """This process's environment without anything that leads to a real account.

    Behind a company's proxy, what is on this machine is asked for directly.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    for name in ("NO_PROXY", "no_proxy"):
        kept[name] = f"{kept[name]},{LOOPBACK}" if kept.get(name) else LOOPBACK
    return kept
