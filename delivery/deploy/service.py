"""What serves: moving every alias of an environment, forward or back, and proving who answers."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from delivery.deploy import aliases
from delivery.deploy.attempt import Attempt


def forward(attempt: Attempt) -> None:
    """Let the versions that were published last serve.

    Raises:
        LeaseLost: somebody else changes the environment; what is not moved yet stays.
        SmokeTestFailed: another version answers than the one that was moved to.
    """
    move(attempt, attempt.published, aliases.FORWARD)


def back(attempt: Attempt, versions: Mapping[str, str]) -> float:
    """Let earlier versions serve again; returns the seconds until they answered.

    Raises:
        LeaseLost, SmokeTestFailed: as `forward`.
    """
    since = time.monotonic()
    move(attempt, versions, aliases.BACK)
    return time.monotonic() - since


def move(attempt: Attempt, versions: Mapping[str, str], order: Sequence[str]) -> None:
    """Move each alias in `order`, then ask the orchestrator's who answers."""
    steps, cloud = attempt.site.steps, attempt.site.cloud
    attempt.lease.check()
    for role in order:
        function = str(attempt.outputs.get(role, ""))
        if function not in versions:
            continue  # An earlier release may have had fewer functions.
        with steps.step(f"move {aliases.ROLES[role]}"):
            attempt.touched = True
            if aliases.move(cloud, function, versions[function], lease=attempt.lease.number):
                steps.detail(f"{function}: version {versions[function]} serves")
            attempt.versions[function] = versions[function]
    with steps.step("answer"):
        function = str(attempt.outputs["orchestrator_function"])
        aliases.prove(cloud, function, versions[function])
