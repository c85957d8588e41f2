"""What Terraform complains of, as an error of ours: what, where, and what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from delivery.errors import TerraformFailed
from delivery.paths import shown
from delivery.terraform.events import Event

REMEDIES = {
    "provider packages|provider registry|registry service": (
        "reach registry.terraform.io, or put a mirror of the provider into"
        " ~/.terraform.d/plugins (`terraform providers mirror` makes one)"
    ),
    "ExpiredToken|No valid credential|InvalidClientTokenId": "log in again, then run it again",
}


class Root(Protocol):
    """Where the command ran."""

    @property
    def folder(self) -> Path:
        """The root module."""

    @property
    def data_dir(self) -> Path:
        """What stands for its ``.terraform``."""


def failure(command: str, events: Sequence[Event], complaints: str, root: Root) -> TerraformFailed:
    """What to raise for a command that ended with an error.

    Args:
        events: what it told, line by line; its diagnostics are among them.
        complaints: what it wrote to stderr.
    """
    found = [each["diagnostic"] for each in events if each["type"] == "diagnostic"]
    errors = [each for each in found if each["severity"] == "error"]
    if not errors:
        errors = [{"summary": "Terraform ended without a reason", "detail": complaints.strip()}]
    locked = next((each for each in errors if "Lock Info:" in each["detail"]), None)
    if locked is not None:
        return _locked(locked["detail"], root)
    problem = "; ".join(_in_words(each) for each in errors)
    return TerraformFailed(
        f"terraform {command}: {problem}",
        where=_place(errors[0], root.folder),
        remedy=_remedy(problem),
    )


def _locked(detail: str, root: Root) -> TerraformFailed:
    found = dict(re.findall(r"^\s*(ID|Path|Operation|Who|Created):\s+(.*?)\s*$", detail, re.M))
    unlock = f"TF_DATA_DIR={root.data_dir} terraform -chdir={root.folder} force-unlock"
    doing = found.get("Operation", "").removeprefix("OperationType").lower() or "change"
    return TerraformFailed(
        f"the state is locked by {found.get('Who', 'somebody')}"
        f" since {found.get('Created', 'an unknown time')}, for {doing}",
        where=found.get("Path", shown(root.folder)),
        remedy="wait until that has ended and run it again; only when it is certainly dead,"
        f" as the last resort: `{unlock} {found.get('ID', 'ID')}`",
    )


def _place(error: Mapping[str, Any], folder: Path) -> str:
    if "range" not in error:
        return str(error.get("address") or shown(folder))
    place = error["range"]
    return f"{shown((folder / place['filename']).resolve())}:{place['start']['line']}"


def _in_words(error: Mapping[str, Any]) -> str:
    parts = [error["summary"], error["detail"], error.get("address", "")]
    return ": ".join(" ".join(part.split()) for part in parts if part)


def _remedy(problem: str) -> str:
    for pattern, remedy in REMEDIES.items():
        if re.search(pattern, problem):
            return remedy
    return "correct what it names and run the same command again; what was done stays recorded"
