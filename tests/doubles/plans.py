"""Plans as ``terraform show -json`` tells them (format 1.2), made of a few lines each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from delivery.terraform import plan_document
from delivery.terraform.plan_document import PlanDocument

ACTIONS = {
    "create": ["create"],
    "update": ["update"],
    "delete": ["delete"],
    "replace": ["delete", "create"],
    "none": ["no-op"],
    "forget": ["forget"],
}


def entry(
    address: str,
    action: str = "create",
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    unknown: Mapping[str, Any] | None = None,
    sensitive: Mapping[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """One of ``resource_changes``; `more` are keys like ``action_reason`` and ``replace_paths``."""
    change = {
        "actions": ACTIONS[action],
        "before": before,
        "after": after,
        "after_unknown": unknown or {},
        "before_sensitive": sensitive or {},
        "after_sensitive": sensitive or {},
        "replace_paths": more.pop("replace_paths", []),
    }
    kind = address.split(".")[-2]
    return {"address": address, "mode": "managed", "type": kind, "change": change, **more}


def document(
    *entries: Mapping[str, Any],
    drift: Sequence[Mapping[str, Any]] = (),
    outputs: Mapping[str, Any] | None = None,
) -> PlanDocument:
    """A plan of these resources, as the delivery reads it."""
    return plan_document.read(
        {
            "resource_changes": list(entries),
            "resource_drift": list(drift),
            "output_changes": outputs or {},
        }
    )
