"""Asking the deployed orchestrator: what a sync would do, what is wanted, to publish an import."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from delivery.cloud import Cloud
from delivery.errors import DeliveryError, PublishFailed, SyncFailed
from delivery.mirror import mirror_words

# What `terraform/modules/functions` names the version that is in service.
ALIAS = "live"


@dataclass(frozen=True)
class DryRun:
    """What a sync would do: counts, the same per platform, and the first missing bottles.

    Args:
        warnings: ``{"formula", "platform", "problem"}`` of what an operator should look at.
        chains: of each example, from what the settings select to its formula.
        sizes: what the manifests tell, if they were asked; docs/reference/state-machine.md.
        requests: about how many a sync makes of S3: ``{"put", "get"}``.
        why: platform → why a formula is selected, or why not.
        casks: the same of casks; empty when none is selected.
    """

    formulae: int
    bottles: int
    present: int
    missing: int
    warnings: Sequence[Mapping[str, str]]
    by_platform: Mapping[str, Mapping[str, int]]
    examples: Sequence[str]
    chains: Mapping[str, Sequence[str]]
    sizes: Mapping[str, Any] | None
    requests: Mapping[str, int]
    why: Mapping[str, Mapping[str, Any]]
    casks: Mapping[str, Any] = field(default_factory=dict)


def dry_run(
    cloud: Cloud,
    function: str,
    *,
    api_url: str = "",
    platforms: Sequence[str] = (),
    formulae: Sequence[str] = (),
    sizes: bool = False,
    why: str = "",
) -> DryRun:
    """Let the deployed Lambda plan, and write nothing.

    Args:
        api_url: plan this API instead of the configured one; its signature is checked too.
        platforms: bottle tags instead of the configured ones.
        formulae: names, globs or ``*`` instead of the configured ones.
        sizes: read the manifests of missing bottles, too.
        why: a name or glob of formulae to give the reason of.

    Raises:
        SyncFailed: the function failed; the message is the mirror's own.
    """
    event: dict[str, Any] = {"action": "plan", "dry_run": True}
    wanted = {
        "api_url": api_url,
        "platforms": list(platforms),
        "formulae": list(formulae),
        "sizes": sizes,
        "why": why,
    }
    event |= {name: value for name, value in wanted.items() if value}
    payload = ask(cloud, function, event, SyncFailed, "the orchestrator could not plan")
    told = {"casks": {}, **payload}
    return DryRun(**{name: told[name] for name in DryRun.__dataclass_fields__})


def import_publish(cloud: Cloud, function: str, snapshot: str) -> Mapping[str, Any]:
    """Let the deployed Lambda publish what `delivery.air_gap.importing` has brought.

    Returns:
        ``{"snapshot", "formulae", "bottles", "bytes", "copied", "api_files_changed"}``.

    Raises:
        PublishFailed: it refused; the message is the mirror's own.
    """
    event = {"action": "import_publish", "snapshot": snapshot}
    return ask(
        cloud, function, event, PublishFailed, f"the orchestrator did not publish {snapshot}"
    )


def want(cloud: Cloud, function: str, *, everything: bool) -> Mapping[str, Any]:
    """Let the deployed Lambda write out which bottles and casks the mirror lacks.

    Returns:
        ``{"key", "bottles", "casks", "present"}``; `key` is that of the list.

    Raises:
        SyncFailed: it could not; the message is the mirror's own.
    """
    event = {"action": "want", "everything": everything}
    return ask(cloud, function, event, SyncFailed, "the orchestrator could not say what is wanted")


def ask(
    cloud: Cloud,
    function: str,
    event: Mapping[str, Any],
    error: type[DeliveryError],
    failure: str,
    *,
    qualifier: str = ALIAS,
) -> Mapping[str, Any]:
    """Call a deployed function and wait for its answer.

    Args:
        error: what to raise when it fails, with the mirror's own message.
        failure: who could not do what, as the message begins.
        qualifier: a version's number instead of the version in service.
    """
    answer = cloud.client("lambda").invoke(
        FunctionName=function, Qualifier=qualifier, Payload=json.dumps(event).encode()
    )
    body = answer["Payload"].read().decode()
    if answer.get("FunctionError"):
        told = mirror_words.parse(body)
        raise error(
            f"{failure}: {told.problem}",
            where=told.where or f"Lambda function {function}:{qualifier}",
            remedy=told.remedy or "mend what the message names, then run the same command again",
        )
    payload: Mapping[str, Any] = json.loads(body)
    return payload
