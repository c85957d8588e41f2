"""A Terraform that plays a bucket and three functions: init, plan, show, apply, output, state list.

Its state lies in ``state.json`` of the folder that DOUBLE_DIR names, beside ``calls.log``; what
it publishes in ``lambda.json``. DOUBLE_FAILS names a command that ends with a diagnostic, before
it has done anything, or with ``late:`` before it, when all is done; DOUBLE_OUTPUTS is the root's
output, but for versions and settings. Source of the messages: Terraform 1.11, "Machine-Readable
UI"; of the empty state: its "Override Files".
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    from published import Functions  # Beside this program, as it is run.
else:
    from tests.doubles.published import Functions

BUCKET = "module.airbrew.module.storage.aws_s3_bucket.mirror"
FUNCTION = "module.airbrew.module.functions.aws_lambda_function."
ARTIFACTS = {
    "orchestrator": "orchestrator",
    "collector": "orchestrator",
    "sync_worker": "sync_worker",
}


class Terraform:
    """One run in one folder.

    Args:
        variables: its environment variables.
        write: takes each line that it prints.
    """

    def __init__(
        self, folder: Path, variables: Mapping[str, str], write: Callable[[str], object]
    ) -> None:
        self.folder, self.variables, self.write = folder, variables, write
        self.home = Path(variables.get("DOUBLE_DIR", "."))
        self.state_file = self.home / "state.json"

    def run(self, command: str, *given: str) -> int:
        """Its exit code."""
        with (self.home / "calls.log").open("a") as log:
            log.write(f"{command}\n")
        fails = self.variables.get("DOUBLE_FAILS", "")
        code = COMMANDS[command](self, given) if fails != command else 1
        if fails.removeprefix("late:") == command:
            told = {"severity": "error", "summary": "no", "detail": "denied"}
            self.say("diagnostic", diagnostic=told)
            return 1
        return code

    def version(self, _options: Sequence[str]) -> int:
        self.write(json.dumps({"terraform_version": "1.11.4"}))
        return 0

    def init(self, _options: Sequence[str]) -> int:
        (Path(self.variables["TF_DATA_DIR"]) / "terraform.tfstate").write_text("{}")
        return 0

    def plan(self, options: Sequence[str]) -> int:
        changes = self._destruction(options) if "-destroy" in options else self._changes()
        self._tell(changes)
        out = next(each for each in options if each.startswith("-out="))
        Path(out.removeprefix("-out=")).write_text(json.dumps(changes))
        return 2 if changes else 0

    def show(self, options: Sequence[str]) -> int:
        """The plan as a document; DOUBLE_PLANTED adds resources to it, as a bad tree would."""
        changes = json.loads(Path(options[-1]).read_text())
        planted = json.loads(self.variables.get("DOUBLE_PLANTED", "[]"))
        told = [self._told(*each) for each in changes]
        self.write(json.dumps({"resource_changes": [*told, *planted]}))
        return 0

    def apply(self, options: Sequence[str]) -> int:
        held, functions = self.state(), Functions(self.home)
        if "-auto-approve" in options:
            changes = self._changes()
            self._tell(changes)
        else:
            changes = json.loads(Path(options[-1]).read_text())
        for action, address, value in changes:
            name = self._function_at(address)
            if action == "delete":
                del held[address]
                functions.drop(name)
            else:
                held[address] = value
                if name:
                    functions.publish(name, value)
            hook = {"resource": {"addr": address}, "action": action, "elapsed_seconds": 1}
            self.say("apply_complete", hook=hook)
        self.state_file.write_text(json.dumps(held))
        self.say("outputs", outputs=self._root_outputs())
        return 0

    def output(self, _options: Sequence[str]) -> int:
        self.write(json.dumps(self._root_outputs()))
        return 0

    def state_list(self, _options: Sequence[str]) -> int:
        self.write("\n".join(self.state()))
        return 0

    def state(self) -> dict[str, str]:
        if (self.folder / "backend_override.tf").exists() or not self.state_file.exists():
            return {}
        return json.loads(self.state_file.read_text())

    def say(self, kind: str, **more: object) -> None:
        self.write(json.dumps({"type": kind, "@message": kind, **more}))

    def _told(self, action: str, address: str, value: str) -> dict[str, Any]:
        before = None if action == "create" else {"is": self.state()[address]}
        after = None if action == "delete" else {"is": value}
        return {
            "address": address,
            "mode": "managed",
            "type": address.split(".")[-2],
            "change": {"actions": [action], "before": before, "after": after},
        }

    def _destruction(self, options: Sequence[str]) -> list[tuple[str, str, str]]:
        targets = [each.removeprefix("-target=") for each in options if each.startswith("-target=")]
        return [("delete", each, "") for each in self.state() if not targets or each in targets]

    def _changes(self) -> list[tuple[str, str, str]]:
        held = self.state()
        return [
            ("update" if each in held else "create", each, value)
            for each, value in self._wanted().items()
            if held.get(each) != value
        ]

    def _wanted(self) -> dict[str, str]:
        """Address → what it is to be: a function is its code, its settings, and its layer."""
        artifacts, key = self._settings()["artifacts"], self._mirror_settings()["key"]
        functions = {
            f"{FUNCTION}{name}": f"{artifacts[artifact]['key']} {key} {artifacts['layer']['key']}"
            for name, artifact in ARTIFACTS.items()
        }
        return {BUCKET: "bucket"} | functions

    def _settings(self) -> dict[str, Any]:
        """Its absence is an error there, too."""
        return json.loads((self.folder / "terraform.tfvars.json").read_text())["settings"]

    def _mirror_settings(self) -> dict[str, str]:
        settings = self._settings()
        # `jsonencode` sorts the keys of objects.
        body = json.dumps(
            {"selection": settings["selection"], "logs": settings["logs"]}, sort_keys=True
        )
        return {"key": f"settings/{hashlib.sha256(body.encode()).hexdigest()}.json", "body": body}

    def _tell(self, changes: Sequence[tuple[str, str, str]]) -> None:
        for action, address, _ in changes:
            self.say("planned_change", change={"resource": {"addr": address}, "action": action})
        counts = [action for action, _, _ in changes]
        summary = {"add": "create", "change": "update", "remove": "delete"}
        self.say(
            "change_summary", changes={name: counts.count(each) for name, each in summary.items()}
        )

    def _root_outputs(self) -> dict[str, Any]:
        published = Functions(self.home).read()
        versions = {name: str(len(each["versions"])) for name, each in published.items()}
        value = {**self._outputs(), "versions": versions, "settings": self._mirror_settings()}
        return {"airbrew": {"value": value}}

    def _outputs(self) -> dict[str, Any]:
        return json.loads(self.variables["DOUBLE_OUTPUTS"])

    def _function_at(self, address: str) -> str:
        """The function's name; empty for what is none."""
        if not address.startswith(FUNCTION):
            return ""
        return self._outputs()[f"{address.removeprefix(FUNCTION)}_function"]


COMMANDS: dict[str, Callable[[Terraform, Sequence[str]], int]] = {
    "version": Terraform.version,
    "init": Terraform.init,
    "plan": Terraform.plan,
    "show": Terraform.show,
    "apply": Terraform.apply,
    "output": Terraform.output,
    "state": Terraform.state_list,
}

if __name__ == "__main__":
    terraform = Terraform(Path.cwd(), os.environ, lambda line: sys.stdout.write(f"{line}\n"))
    sys.exit(terraform.run(*sys.argv[1:]))
