"""Trying each new version by its number, before anybody is served by it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from delivery.deploy import aliases
from delivery.deploy.attempt import Attempt
from delivery.deploy.site import Site
from delivery.errors import SmokeTestFailed
from delivery.mirror.orchestrator import ask

CHECK = {"action": "check"}
# Reads upstream, the settings and the bucket, verifies signatures, selects; writes nothing.
PLAN = {"action": "plan", "dry_run": True}


def try_new(attempt: Attempt) -> None:
    """Let each version that was published last do something real that writes nothing.

    Raises:
        SmokeTestFailed: one of them cannot; the message is the mirror's own. Nobody was served
            by it, except in an environment that served nothing before.
    """
    for role in aliases.FORWARD:
        function = attempt.outputs[role]
        version = attempt.published[function]
        if attempt.versions.get(function) == version:
            continue  # It has served already.
        with attempt.site.steps.step(f"smoke {aliases.ROLES[role]}"):
            event = _event(attempt.site, role)
            _try(attempt, function, version, event)


def _event(site: Site, role: str) -> Mapping[str, Any]:
    # Behind an air gap there is no upstream that could be planned from.
    plans = role == "orchestrator_function" and not site.is_filled_by_import
    return PLAN if plans else CHECK


def _try(attempt: Attempt, function: str, version: str, event: Mapping[str, Any]) -> None:
    answer = ask(
        attempt.site.cloud,
        function,
        event,
        SmokeTestFailed,
        f'version {version} of "{function}" failed its smoke test',
        qualifier=version,
    )
    if event is PLAN:
        found = f"{answer['bottles']} bottles planned, {answer['missing']} missing"
        attempt.site.steps.detail(f"version {version}: {found}")
