"""A Terraform that plays a bucket and three functions: init, plan, apply, output, state list.

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
from pathlib import Path
from typing import Any

from published import Functions  # Beside this program, as it is run.

BUCKET = "module.airbrew.module.storage.aws_s3_bucket.mirror"
FUNCTION = "module.airbrew.module.functions.aws_lambda_function."
ARTIFACTS = {
    "orchestrator": "orchestrator",
    "collector": "orchestrator",
    "sync_worker": "sync_worker",
}
HOME = Path(os.environ.get("DOUBLE_DIR", "."))
STATE = HOME / "state.json"


def write(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def say(kind: str, **more: object) -> None:
    write(json.dumps({"type": kind, "@message": kind, **more}))


def state() -> dict[str, str]:
    if Path("backend_override.tf").exists() or not STATE.exists():
        return {}
    return json.loads(STATE.read_text())


def settings() -> dict[str, Any]:
    """Its absence is an error there, too."""
    return json.loads(Path("terraform.tfvars.json").read_text())["settings"]


def mirror_settings() -> dict[str, str]:
    body = json.dumps({"selection": settings()["selection"], "logs": settings()["logs"]})
    return {"key": f"settings/{hashlib.sha256(body.encode()).hexdigest()}.json", "body": body}


def wanted() -> dict[str, str]:
    """Address → what it is to be: a function is its code, and the settings that it reads."""
    artifacts, key = settings()["artifacts"], mirror_settings()["key"]
    functions = {
        f"{FUNCTION}{name}": f"{artifacts[artifact]['key']} {key}"
        for name, artifact in ARTIFACTS.items()
    }
    return {BUCKET: "bucket"} | functions


def plan(options: list[str]) -> int:
    targets = [each.removeprefix("-target=") for each in options if each.startswith("-target=")]
    held = state()
    if "-destroy" in options:
        changes = [("delete", each, "") for each in held if not targets or each in targets]
    else:
        changes = [
            ("update" if each in held else "create", each, value)
            for each, value in wanted().items()
            if held.get(each) != value
        ]
    for action, address, _ in changes:
        say("planned_change", change={"resource": {"addr": address}, "action": action})
    counts = [action for action, _, _ in changes]
    say(
        "change_summary",
        changes={
            "add": counts.count("create"),
            "change": counts.count("update"),
            "remove": counts.count("delete"),
        },
    )
    out = next(each for each in options if each.startswith("-out="))
    Path(out.removeprefix("-out=")).write_text(json.dumps(changes))
    return 2 if changes else 0


def apply(options: list[str]) -> int:
    held, functions = state(), Functions(HOME)
    for action, address, value in json.loads(Path(options[-1]).read_text()):
        name = function_at(address)
        if action == "delete":
            del held[address]
            if name:
                functions.drop(name)
        else:
            held[address] = value
            if name:
                functions.publish(name, value)
        hook = {"resource": {"addr": address}, "action": action, "elapsed_seconds": 1}
        say("apply_complete", hook=hook)
    STATE.write_text(json.dumps(held))
    return 0


def function_at(address: str) -> str:
    """The function's name; empty for what is none."""
    if not address.startswith(FUNCTION):
        return ""
    return json.loads(os.environ["DOUBLE_OUTPUTS"])[f"{address.removeprefix(FUNCTION)}_function"]


def init(_options: list[str]) -> int:
    (Path(os.environ["TF_DATA_DIR"]) / "terraform.tfstate").write_text("{}")
    return 0


def output(_options: list[str]) -> int:
    published = Functions(HOME).read()
    versions = {name: str(len(each["versions"])) for name, each in published.items()}
    outputs = json.loads(os.environ["DOUBLE_OUTPUTS"])
    value = {**outputs, "versions": versions, "settings": mirror_settings()}
    write(json.dumps({"airbrew": {"value": value}}))
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
    fails = os.environ.get("DOUBLE_FAILS", "")
    code = COMMANDS[command](given) if fails != command else 1
    if fails.removeprefix("late:") == command:
        say("diagnostic", diagnostic={"severity": "error", "summary": "no", "detail": "denied"})
        code = 1
    sys.exit(code)
