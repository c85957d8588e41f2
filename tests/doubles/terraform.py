"""A Terraform that plays two resources: init, plan, apply, output, state list, as JSON lines.

Its state lies in ``state.json`` of the folder that DOUBLE_DIR names, beside ``calls.log``.
DOUBLE_FAILS names a command that ends with a diagnostic; DOUBLE_OUTPUTS is the root's output.
Source of the messages: Terraform 1.11, "Machine-Readable UI"; of the empty state: its
"Override Files".
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

WANTED = [
    "module.airbrew.module.functions.aws_lambda_function.orchestrator",
    "module.airbrew.module.storage.aws_s3_bucket.mirror",
]
HOME = Path(os.environ.get("DOUBLE_DIR", "."))
STATE = HOME / "state.json"


def write(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def say(kind: str, **more: object) -> None:
    write(json.dumps({"type": kind, "@message": kind, **more}))


def state() -> list[str]:
    if Path("backend_override.tf").exists() or not STATE.exists():
        return []
    return json.loads(STATE.read_text())


def plan(options: list[str]) -> int:
    targets = [each.removeprefix("-target=") for each in options if each.startswith("-target=")]
    if "-destroy" in options:
        changes = [("delete", each) for each in state() if not targets or each in targets]
    else:
        json.loads(Path("terraform.tfvars.json").read_text())  # Its absence is an error there, too.
        changes = [("create", each) for each in WANTED if each not in state()]
    for action, address in changes:
        say("planned_change", change={"resource": {"addr": address}, "action": action})
    counts = [action for action, _ in changes]
    say(
        "change_summary",
        changes={"add": counts.count("create"), "change": 0, "remove": counts.count("delete")},
    )
    out = next(each for each in options if each.startswith("-out="))
    Path(out.removeprefix("-out=")).write_text(json.dumps(changes))
    return 2 if changes else 0


def apply(options: list[str]) -> int:
    held = state()
    for action, address in json.loads(Path(options[-1]).read_text()):
        held = (
            [*held, address] if action == "create" else [each for each in held if each != address]
        )
        hook = {"resource": {"addr": address}, "action": action, "elapsed_seconds": 1}
        say("apply_complete", hook=hook)
    STATE.write_text(json.dumps(held))
    return 0


def init(_options: list[str]) -> int:
    (Path(os.environ["TF_DATA_DIR"]) / "terraform.tfstate").write_text("{}")
    return 0


def output(_options: list[str]) -> int:
    write(json.dumps({"airbrew": {"value": json.loads(os.environ["DOUBLE_OUTPUTS"])}}))
    return 0


def state_list(_options: list[str]) -> int:
    write("\n".join(state()))
    return 0


def version(_options: list[str]) -> int:
    write(json.dumps({"terraform_version": "1.11.4"}))
    return 0


COMMANDS = {
    "version": version,
    "init": init,
    "plan": plan,
    "apply": apply,
    "output": output,
    "state": state_list,
}

if __name__ == "__main__":
    command, *given = sys.argv[1:]
    with (HOME / "calls.log").open("a") as log:
        log.write(f"{command}\n")
    if os.environ.get("DOUBLE_FAILS") == command:
        say("diagnostic", diagnostic={"severity": "error", "summary": "no", "detail": "denied"})
        sys.exit(1)
    sys.exit(COMMANDS[command](given))
