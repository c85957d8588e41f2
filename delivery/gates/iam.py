"""Policies that allow more than they say: in the Terraform sources, and in a rendered plan."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from delivery.gates.findings import Finding
from delivery.gates.gate import Scene

WILDCARD = re.compile(r'"(?:[a-z0-9-]+:)?\*"|\bNot(?:Action|Resource|Principal)\b')
# No comment explains these: whoever may do them may do everything.
NEVER = re.compile(r'"(?:iam|sts|organizations|kms|\*):\*"|\bActions?\s*=\s*\[?\s*"\*"')
DOCUMENTS = ("policy", "assume_role_policy")


def look(scene: Scene) -> list[Finding]:
    """Wildcards that allow, without a comment that says why; and what no comment explains."""
    found = [each for name in scene.files("terraform/**/*.tf") for each in _in_source(scene, name)]
    return found + (_in_plan(scene.plan) if scene.plan else [])


def _in_source(scene: Scene, name: str) -> Iterator[Finding]:
    lines = (scene.root / name).read_text(encoding="utf-8").splitlines()
    for at, line in enumerate(lines):
        code = line.partition("#")[0]
        if not WILDCARD.search(code):
            continue
        block = _block(lines, at)
        if re.search(r'Effect\s*=\s*"Deny"', block):
            continue
        if NEVER.search(code):
            yield Finding(name, at + 1, "allows-everything", f"{line.strip()!r}")
        elif "#" not in block:
            yield Finding(name, at + 1, "wildcard", f"no comment says why: {line.strip()!r}")


def _block(lines: list[str], at: int) -> str:
    """The lines of the object around a line, by their indentation, as `terraform fmt` leaves it."""
    inner = _indent(lines[at])
    outside = [n for n, line in enumerate(lines) if line.strip() and _indent(line) < inner]
    first = max((n for n in outside if n < at), default=0)
    last = min((n for n in outside if n > at), default=len(lines))
    return "\n".join(lines[first : last + 1])


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _in_plan(plan: Path) -> list[Finding]:
    document = json.loads(plan.read_text(encoding="utf-8"))
    return [
        Finding(plan.name, 0, rule, f"{address}: {told}")
        for address, policy in policies(document)
        for statement in _statements(policy)
        for rule, told in _excess(statement)
    ]


def policies(plan: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Address and policy of everything in a plan's JSON whose policy is known before it is applied.

    Source: Terraform, "JSON Output Format": `resource_changes[].change.after`.
    """
    for change in plan.get("resource_changes", ()):
        after = change["change"].get("after") or {}
        for name in DOCUMENTS:
            if isinstance(after.get(name), str):
                yield change["address"], json.loads(after[name])


def _statements(policy: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    statements = policy.get("Statement", ())
    return [statements] if isinstance(statements, Mapping) else list(statements)


def _excess(statement: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if statement.get("Effect") != "Allow":
        return
    for action in _listed(statement.get("Action")):
        if action == "*" or action.endswith(":*"):
            yield "wildcard-action", f"allows {action}"
    if statement.get("Principal") in ("*", {"AWS": "*"}) and "Condition" not in statement:
        yield "anybody", "trusts everybody, without a condition"
    for negated in ("NotAction", "NotResource", "NotPrincipal"):
        if negated in statement:
            yield "all-but", f"allows everything but what {negated} lists"


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())
