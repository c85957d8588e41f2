"""What Terraform tells, one JSON object a line. Source: Terraform, "Machine-Readable UI"."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Event = Mapping[str, Any]
Report = Callable[[str], None]

PAST = {"create": "created", "update": "changed", "delete": "destroyed"}


def parsed(line: str) -> Event:
    """A line that Terraform wrote; what is not JSON becomes an event of type ``text``."""
    try:
        event = json.loads(line)
    except ValueError:
        return {"type": "text", "@message": line}  # `init -json` has lines that are not JSON.
    return event if isinstance(event, dict) else {"type": "text", "@message": line}


def counts(events: Sequence[Event]) -> Mapping[str, int]:
    """How many resources are to be created, updated and deleted."""
    summary = next(each["changes"] for each in events if each["type"] == "change_summary")
    return {"create": summary["add"], "update": summary["change"], "delete": summary["remove"]}


def outputs(events: Sequence[Event]) -> dict[str, Any]:
    """What Terraform tells of the root at the end of an apply; the last word counts."""
    told = [each["outputs"] for each in events if each["type"] == "outputs"]
    return {
        name: each["value"] for found in told for name, each in found.items() if "value" in each
    }


def tell(event: Event, report: Report) -> None:
    """Report what an event says about the course of an apply, if anything."""
    hook = event.get("hook", {})
    if event["type"] == "apply_complete" and hook["action"] in PAST:
        report(f"{PAST[hook['action']]} {hook['resource']['addr']} ({hook['elapsed_seconds']} s)")
    elif event["type"] == "apply_progress":
        report(f"waiting for {hook['resource']['addr']} ({hook['elapsed_seconds']} s)")
    elif event["type"] == "apply_errored":
        report(f"could not {hook['action']} {hook['resource']['addr']}")
    elif event["type"] == "log":
        report(event["@message"])
