"""A plan as a value: what happens to each resource, attribute by attribute, and why.

Source: Terraform, "JSON Output Format", plan representation, format 1.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from delivery.terraform import values

# What a resource holds that no `terraform apply` brings back once it is gone.
HELD_DATA = {
    "aws_cloudwatch_log_group": "logs",
    "aws_cloudwatch_log_stream": "logs",
    "aws_db_instance": "a database",
    "aws_dynamodb_table": "items",
    "aws_ebs_volume": "files",
    "aws_ecr_repository": "images",
    "aws_efs_file_system": "files",
    "aws_kms_key": "the key to whatever is encrypted with it",
    "aws_rds_cluster": "a database",
    "aws_s3_bucket": "objects",
    "aws_secretsmanager_secret": "a secret",  # nosec B105 - what it holds, in words
    "aws_sqs_queue": "messages",
}
ACTIONS = {
    ("create",): "create",
    ("update",): "update",
    ("delete",): "delete",
    ("delete", "create"): "replace",
    ("create", "delete"): "replace",
    ("forget",): "forget",
    ("no-op",): "none",
    ("read",): "none",
}
REASONS = {
    "replace_because_cannot_update": "cannot be changed in place",
    "replace_because_tainted": "its creation did not end well",
    "replace_by_request": "asked for with -replace",
    "replace_by_triggers": "follows another replacement",
    "delete_because_no_resource_config": "no longer in the configuration",
    "delete_because_wrong_repetition": "no longer in the configuration",
    "delete_because_count_index": "no longer in the configuration",
    "delete_because_each_key": "no longer in the configuration",
    "delete_because_no_module": "no longer in the configuration",
}
DESTRUCTIVE = frozenset({"delete", "replace"})


@dataclass(frozen=True)
class AttributeChange:
    """One attribute, before and after; None is "not there", secrets and unknowns are words."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True)
class ResourceChange:
    """What is planned for one resource, or what was found changed of it.

    `action` is create, update, delete, replace, forget, move or none. `attributes` are those that
    change; of a created resource, all that are known. `because` are the attributes that force a
    replacement. `before`, `after` and `unknown` are as Terraform has them, secrets included.
    """

    address: str
    type: str
    action: str
    attributes: tuple[AttributeChange, ...] = ()
    reason: str = ""
    because: tuple[str, ...] = ()
    before: Mapping[str, Any] = field(default_factory=dict, repr=False)
    after: Mapping[str, Any] = field(default_factory=dict, repr=False)
    unknown: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def holds(self) -> str:
        """What is lost with it for good: ``objects``, ``logs``, …; empty when nothing is."""
        return HELD_DATA.get(self.type, "")

    @property
    def destroys_data(self) -> bool:
        """Whether what it holds goes with it."""
        return bool(self.holds) and self.action in DESTRUCTIVE

    def as_json(self) -> dict[str, Any]:
        """What may be shown and kept: no raw values, so no secrets."""
        return {
            "address": self.address,
            "action": self.action,
            "reason": self.reason,
            "because": list(self.because),
            "holds": self.holds,
            "attributes": [
                {"path": each.path, "before": each.before, "after": each.after}
                for each in self.attributes
            ],
        }


@dataclass(frozen=True)
class PlanDocument:
    """A whole plan: every managed resource, what drifted, and the outputs that change."""

    resources: tuple[ResourceChange, ...]
    drift: tuple[ResourceChange, ...] = ()
    outputs: tuple[str, ...] = ()

    @property
    def changes(self) -> tuple[ResourceChange, ...]:
        """The resources that something happens to, by address."""
        return tuple(each for each in self.resources if each.action != "none")

    @property
    def counts(self) -> dict[str, int]:
        """How many resources are created, updated, deleted, replaced, moved and forgotten."""
        names = ("create", "update", "delete", "replace", "move", "forget")
        told = [each.action for each in self.changes]
        return {name: told.count(name) for name in names}

    @property
    def is_only_creation(self) -> bool:
        """Whether nothing that exists is touched."""
        return all(each.action == "create" for each in self.changes)

    def as_json(self) -> dict[str, Any]:
        """The whole plan, as `--json` prints it."""
        return {
            "counts": self.counts,
            "changes": [each.as_json() for each in self.changes],
            "outputs": list(self.outputs),
        }


def read(document: Mapping[str, Any]) -> PlanDocument:
    """The plan in what ``terraform show -json`` says of it."""
    managed = [each for each in document.get("resource_changes", ()) if _is_managed(each)]
    drifted = [each for each in document.get("resource_drift", ()) if _is_managed(each)]
    outputs = document.get("output_changes", {})
    changed = [name for name, each in outputs.items() if each["actions"] != ["no-op"]]
    return PlanDocument(
        resources=tuple(sorted(map(_resource, managed), key=lambda each: each.address)),
        drift=tuple(sorted(map(_resource, drifted), key=lambda each: each.address)),
        outputs=tuple(sorted(changed)),
    )


def _is_managed(entry: Mapping[str, Any]) -> bool:
    return bool(entry["mode"] == "managed")


def _resource(entry: Mapping[str, Any]) -> ResourceChange:
    change, address = entry["change"], entry["address"]
    before = values.visible(address, change["before"], {}, change.get("before_sensitive"))
    after = values.visible(
        address, change["after"], change.get("after_unknown"), change.get("after_sensitive")
    )
    action = _action(entry)
    return ResourceChange(
        address=address,
        type=entry["type"],
        action=action,
        attributes=() if action in {"none", "delete", "move"} else _differences(before, after),
        reason=REASONS.get(entry.get("action_reason", ""), ""),
        because=tuple(_dotted(path) for path in change.get("replace_paths", ())),
        before=change["before"] or {},
        after=change["after"] or {},
        unknown=change.get("after_unknown") or {},
    )


def _action(entry: Mapping[str, Any]) -> str:
    action = ACTIONS[tuple(entry["change"]["actions"])]
    moved = entry.get("previous_address", entry["address"]) != entry["address"]
    return "move" if action == "none" and moved else action


def _differences(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[AttributeChange, ...]:
    paths = sorted(before.keys() | after.keys())
    pairs = [AttributeChange(path, before.get(path), after.get(path)) for path in paths]
    return tuple(each for each in pairs if _differs(each, after))


def _differs(change: AttributeChange, after: Mapping[str, Any]) -> bool:
    """Whether it changes; what lies below an unknown has not gone, it is not known yet."""
    if change.after is None and any(
        value == values.UNKNOWN and change.path.startswith(f"{path}.")
        for path, value in after.items()
    ):
        return False
    return bool(change.before != change.after)


def _dotted(path: list[str | int]) -> str:
    return ".".join(str(each) for each in path)
