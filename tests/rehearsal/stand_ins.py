"""What is not run but replaced, each by its name: actions of the marketplace, and what takes long.

Whatever is not in these tables is run, or refused.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.rehearsal.expressions import Refused
from tests.rehearsal.scene import REPOSITORY, Run

Outputs = dict[str, Any]
# Runs an action: with whose inputs, in which run, with which permissions of the job.
Action = Callable[[Run, Mapping[str, Any], Mapping[str, str]], Outputs]
JUNIT = (
    '<testsuites><testsuite tests="1" time="0.1"><testcase classname="{suite}" name="stand_in">'
    "{failure}</testcase></testsuite></testsuites>"
)


SERVERS = Path(".airbrew") / "sandbox" / "servers.json"


class StepFailed(AssertionError):
    """An action's stand-in says no, as the action would."""


def checkout(run: Run, inputs: Mapping[str, Any], permissions: Mapping[str, str]) -> Outputs:
    """A workspace with the event's commit and nothing else; the account of the sandbox stays."""
    _allowed(permissions, "contents", "read")
    if inputs.get("persist-credentials") != "false":
        raise Refused("a checkout that leaves its token behind")
    git = ["git", "-C", str(run.workspace)]
    subprocess.run([*git, "checkout", "-q", "--force", "--detach", run.event.sha], check=True)
    subprocess.run([*git, "clean", "-fdxq", "-e", ".airbrew"], check=True)
    return {}


def setup_python(run: Run, inputs: Mapping[str, Any], permissions: Mapping[str, str]) -> Outputs:
    """`python` is on the PATH of every step already: the one that runs the tests."""
    return {"python-version": inputs["python-version"]}


def upload(run: Run, inputs: Mapping[str, Any], permissions: Mapping[str, str]) -> Outputs:
    """Keep a copy, outside of the workspace that the next checkout empties."""
    found = [each for line in inputs["path"].splitlines() for each in _matching(run, line.strip())]
    if not found:
        if inputs.get("if-no-files-found") == "ignore":
            return {}
        raise StepFailed(f"nothing to upload at {inputs['path']!r}")
    name = inputs["name"]
    if name in run.artifacts:
        raise StepFailed(f"an artifact {name!r} is there already")
    store = Path(tempfile.mkdtemp(prefix="artifact-", dir=run.workspace.parent))
    for path in found:
        # A single folder is uploaded as what is in it.
        target = store if path.is_dir() and len(found) == 1 else store / path.name
        copy = shutil.copytree if path.is_dir() else shutil.copy2
        copy(path, target, **({"dirs_exist_ok": True} if path.is_dir() else {}))
    run.artifacts[name] = store
    return {"artifact-id": name, "artifact-digest": hashlib.sha256(name.encode()).hexdigest()}


def download(run: Run, inputs: Mapping[str, Any], permissions: Mapping[str, str]) -> Outputs:
    """Bring an artifact of the same run back."""
    store = run.artifacts[inputs["artifact-ids"]]
    shutil.copytree(store, run.workspace / inputs["path"], dirs_exist_ok=True)
    return {}


def attest(run: Run, inputs: Mapping[str, Any], permissions: Mapping[str, str]) -> Outputs:
    """Note the digests that were attested; `gh attestation verify` looks them up."""
    _allowed(permissions, "attestations", "write")
    _identity(run, permissions, "attestation")
    for path in _matching(run, inputs["subject-path"]):
        run.attested[hashlib.sha256(path.read_bytes()).hexdigest()] = run.event.ref
    return {}


def assume_role(run: Run, inputs: Mapping[str, Any], permissions: Mapping[str, str]) -> Outputs:
    """A role is assumed with a token of the run: there is no other way in.

    Later steps of the job get credentials of the role's account, which is in the sandbox.
    """
    if {"aws-access-key-id", "aws-secret-access-key"} & set(inputs):
        raise Refused("a long-lived key")
    _identity(run, permissions, inputs["role-to-assume"])
    account = inputs["role-to-assume"].split(":")[4]
    run.exported |= session(run.workspace, account, inputs["aws-region"])
    return {}


def session(workspace: Path, account: str, region: str) -> dict[str, str]:
    """What leads AWS's clients into an account of the sandbox that runs in a working copy."""
    servers = json.loads((workspace / SERVERS).read_text())["servers"]
    urls = {name: f"http://127.0.0.1:{each['port']}" for name, each in servers.items()}
    return {
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": "of the session",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ENDPOINT_URL": urls["ministack"],
        "AWS_ENDPOINT_URL_CLOUDWATCH": urls["cloudwatch"],
    }


def upload_sarif(run: Run, inputs: Mapping[str, Any], permissions: Mapping[str, str]) -> Outputs:
    """The findings go to the repository's page, which takes a permission of its own."""
    _allowed(permissions, "security-events", "write")
    return {}


ACTIONS: dict[str, Action] = {
    "actions/checkout": checkout,
    "actions/setup-python": setup_python,
    "actions/upload-artifact": upload,
    "actions/download-artifact": download,
    "actions/attest-build-provenance": attest,
    "aws-actions/configure-aws-credentials": assume_role,
    "github/codeql-action/upload-sarif": upload_sarif,
}


def install(run: Run, env: Mapping[str, str]) -> int:
    """The requirements are installed already, where the tests run."""
    return 0 if (run.workspace / "requirements" / "desk.txt").is_file() else 1


def suite(run: Run, env: Mapping[str, str]) -> int:
    """A suite takes minutes, and has its own place in CI: here it ends as the event wants it."""
    name = env.get("SUITE", "security")
    known = re.findall(r"^def (\w+)\(session", (run.workspace / "noxfile.py").read_text(), re.M)
    if name not in known:
        return 2
    fails = name in run.circumstances.failing_suites
    build = run.workspace / "build"
    build.mkdir(exist_ok=True)
    failure = '<failure message="it is broken"/>' if fails else ""
    (build / f"{name}.xml").write_text(JUNIT.format(suite=name, failure=failure))
    return int(fails)


def verify(run: Run, env: Mapping[str, str]) -> int:
    """What this workflow attested, in this run or an earlier one, is believed."""
    if env["WORKFLOW"] != f"{REPOSITORY}/.github/workflows/cicd.yml":
        return 1
    file = run.workspace / "build" / "release" / env["RELEASE"] / "release.json"
    known = run.attested | run.attested_before
    return 0 if hashlib.sha256(file.read_bytes()).hexdigest() in known else 1


GH_VERIFY = (
    'gh attestation verify "build/release/$RELEASE/release.json" --repo "$GITHUB_REPOSITORY"'
    ' --signer-workflow "$WORKFLOW"'
)
# Word for word: a step that says anything else is really run.
COMMANDS: dict[str, Callable[[Run, Mapping[str, str]], int]] = {
    "python -m pip install --require-hashes --requirement requirements/desk.txt": install,
    'python -m nox --session "$SUITE"': suite,
    "python -m nox --session security": suite,
    GH_VERIFY: verify,
}


def _identity(run: Run, permissions: Mapping[str, str], whom: str) -> None:
    _allowed(permissions, "id-token", "write")
    run.obtained.identity_tokens.append(whom)


def _allowed(permissions: Mapping[str, str], what: str, how: str) -> None:
    if permissions.get(what) not in {how, "write"}:
        raise StepFailed(f"the job has no permission {what}: {how}")


def _matching(run: Run, pattern: str) -> list[Path]:
    return sorted(run.workspace.glob(pattern))
