"""An event of GitHub's as a value: what happened, to which ref, by whose code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from delivery.errors import BadInput

EVENTS = ("push", "pull_request", "merge_group", "schedule", "workflow_dispatch")


@dataclass(frozen=True)
class Event:
    """What started a run.

    Args:
        name: one of `EVENTS`.
        ref: ``refs/heads/main``, ``refs/tags/v1.2.3``, ``refs/pull/7/merge``.
        is_fork: whether the code is of somebody who may not push here.
        is_deletion: whether the push took the ref away.
        base: commit or ref that the code is compared with; empty where there is none.
        into: ref that a pull request is to be merged into; else empty.
    """

    name: str
    ref: str = ""
    is_fork: bool = False
    is_deletion: bool = False
    base: str = ""
    into: str = ""


def read(event: str, ref: str) -> Event:
    """From an event's name, or from the file of its payload, as ``$GITHUB_EVENT_PATH`` names it.

    Raises:
        BadInput: it is neither, or an event that no workflow here is started by.

    Source: GitHub, "Webhook events and payloads" and "Events that trigger workflows".
    """
    if event in EVENTS:
        return Event(event, ref)
    file = Path(event)
    if not event or not file.is_file():
        raise BadInput(
            f"{event!r} is neither an event nor a file of a payload",
            where="--event",
            remedy=f"name a file of JSON, or one of {', '.join(EVENTS)}",
        )
    try:
        return of_payload(json.loads(file.read_text(encoding="utf-8")), ref)
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise BadInput(
            f"not a payload of GitHub's: {error!r}", where=event, remedy="see $GITHUB_EVENT_PATH"
        ) from error


def of_payload(payload: Mapping[str, Any], ref: str = "") -> Event:
    """The event that a payload tells of; `ref` where it does not say itself."""
    if "pull_request" in payload:
        return _pull_request(payload["pull_request"], ref)
    if "merge_group" in payload:
        group = payload["merge_group"]
        return Event("merge_group", ref or group["head_ref"], base=group["base_sha"])
    if "ref" in payload and "after" in payload:
        known = "" if set(payload.get("before", "0")) == {"0"} else payload["before"]
        deleted = bool(payload.get("deleted", False))
        return Event("push", payload["ref"], is_deletion=deleted, base=known)
    if "schedule" in payload:
        return Event("schedule", ref)
    raise KeyError("no pull_request, merge_group, ref or schedule in it")


def _pull_request(told: Mapping[str, Any], ref: str) -> Event:
    # A head without a repository is of a fork that was deleted since.
    head = (told["head"]["repo"] or {}).get("full_name")
    is_fork = head != told["base"]["repo"]["full_name"]
    return Event(
        "pull_request",
        ref or f"refs/pull/{told['number']}/merge",
        is_fork=is_fork,
        base=told["base"]["sha"],
        into=f"refs/heads/{told['base']['ref']}",
    )
