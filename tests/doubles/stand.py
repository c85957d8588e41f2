"""A checkout that can be deployed in a second: moto's S3, a double of Terraform, instant syncs."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import boto3

from delivery.artifacts.build import Places
from delivery.checkout import Checkout
from delivery.cloud import Cloud
from delivery.config import effective, loading
from delivery.deploy import deployment, destruction
from delivery.progress import Steps
from delivery.releases import history
from tests.doubles.lambdas import LambdaClient
from tests.doubles.published import Functions

TERRAFORM = Path(__file__).with_name("terraform.py")
BUCKET = "acme-dev-state-123456789012"
CONFIGURATION = """\
project: {{name: acme}}
environments:
  dev:
    type: development
    account_id: "123456789012"
    upstream: {{public_key_file: {key_file}}}
    selection: {{formulae: ["lib+a@1"]}}
  staging: {{type: staging}}
  prod: {{type: production}}
"""
# Installs nothing, into the folder that pip would install into.
PIP = """\
import os, sys
os.mkdir(sys.argv[sys.argv.index("--target") + 1])
with open(sys.argv[sys.argv.index("--report") + 1], "w") as report:
    report.write('{"pip_version": "1", "install": []}')
"""
OUTPUTS = {
    "mirror_bucket": "mirror",
    "state_machine_arn": "arn:aws:states:us-east-1:123456789012:stateMachine:acme-dev-sync",
    "orchestrator_function": "acme-dev-orchestrator",
    "collector_function": "acme-dev-collector",
    "sync_worker_function": "acme-dev-sync-worker",
    "schedule_name": "acme-dev-sync",
}
PUBLISHED = {"snapshot": "2026-11-24T0300Z", "bottles": 1, "bytes": 31, "copied": 1}


class States:
    """Step Functions whose executions are over at once, as `ends` says."""

    def __init__(self) -> None:
        self.ends: dict[str, Any] = {"status": "SUCCEEDED", "output": json.dumps(PUBLISHED)}
        self.started = 0

    def start_execution(self, **_request: Any) -> dict[str, Any]:
        self.started += 1
        if "raises" in self.ends:
            raise self.ends["raises"]
        return {"executionArn": "arn:aws:states:us-east-1:123456789012:execution:acme-dev-sync:1"}

    def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
        return {"executionArn": executionArn, **self.ends}


@dataclass(frozen=True)
class DoubleCloud(Cloud):
    """moto for everything but Step Functions and Lambda, with the same clients for all tests."""

    states: States = field(default_factory=States)
    lambdas: Any = None

    def client(self, service: str) -> Any:
        doubles = {"stepfunctions": self.states, "lambda": self.lambdas}
        return doubles.get(service) or _client(service)


@cache  # Making one costs more than most tests do.
def _client(service: str) -> Any:
    return boto3.client(service, region_name="us-east-1")


class Stand:
    """One environment, ``dev``, with what can be done to it and what became of it."""

    def __init__(self, folder: Path, public_key_pem: str) -> None:
        self.folder = folder
        self.states = States()
        self.variables = {
            "PATH": str(folder / "bin"),
            "DOUBLE_DIR": str(folder),
            "DOUBLE_OUTPUTS": json.dumps(OUTPUTS),
        }
        self.functions = Functions(folder)
        self.lambdas = LambdaClient(self.functions)
        self.cloud = DoubleCloud(
            "AWS",
            "123456789012",
            "us-east-1",
            self.variables,
            states=self.states,
            lambdas=self.lambdas,
        )
        self._lay_out(public_key_pem)
        self.configure()
        self.checkout = Checkout(
            repository=folder,
            terraform_dir=folder / "terraform",
            state_dir=folder / ".airbrew",
            places=Places(
                lambdas=folder / "lambdas",
                requirements=folder / "layer.txt",
                state_dir=folder / ".airbrew",
                pip=(sys.executable, str(folder / "pip.py")),
            ),
        )

    def configure(self, more: str = "") -> None:
        """Write the configuration, with `more` at its end, and read it."""
        text = CONFIGURATION.format(key_file=self.folder / "key.pem") + more
        self.write("airbrew.yaml", text)
        self.environment = effective.effective(loading.load(self.folder / "airbrew.yaml"), "dev")

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def deploy(self, steps: Steps | None = None, **options: Any) -> Any:
        return deployment.deploy(
            self.environment,
            self.cloud,
            steps or Steps(),
            deployment.Wish(**options),
            checkout=self.checkout,
        )

    def destroy(self, *, delete_data: bool, steps: Steps | None = None) -> Any:
        return destruction.destroy(
            self.environment,
            self.cloud,
            steps or Steps(),
            delete_data=delete_data,
            checkout=self.checkout,
        )

    def lose_terraform(self, monkeypatch: Any) -> None:
        """Take the program away, on a machine that HashiCorp builds none for."""
        (self.folder / "bin" / "terraform").unlink()
        monkeypatch.setattr("platform.machine", lambda: "riscv64")

    def latest(self) -> history.Record | None:
        return history.latest(self.cloud, BUCKET, "dev")

    def calls(self) -> list[str]:
        """Terraform's commands so far, its version left out."""
        log = self.folder / "calls.log"
        said = log.read_text().split() if log.exists() else []
        return [command for command in said if command != "version"]

    def resources(self) -> list[str]:
        return list(self.state())

    def state(self) -> dict[str, str]:
        """Address → what stands there."""
        state = self.folder / "state.json"
        return json.loads(state.read_text()) if state.exists() else {}

    def keep_state(self) -> None:
        """What stands there, in the state bucket: real Terraform's backend does that itself."""
        resources = []
        for address in self.resources():
            module, kind, name = address.rsplit(".", 2)
            told = {"module": module, "mode": "managed", "type": kind, "name": name}
            resources.append(told | {"instances": [{"attributes": {}}]})
        self.cloud.client("s3").put_object(
            Bucket=BUCKET,
            Key="terraform/dev.tfstate",
            Body=json.dumps({"resources": resources}).encode(),
        )

    def _lay_out(self, public_key_pem: str) -> None:
        self.write("key.pem", public_key_pem)
        self.write("layer.txt", "")
        self.write("pip.py", PIP)
        for name in ("orchestrator", "sync_worker", "mirror"):
            self.write(f"lambdas/{name}/handler.py", "handle = 1\n")
        self.write("lambdas/mirror/layout.txt", "1\n")
        self.write("terraform/environments/dev/main.tf", "")
        program = self.write(
            "bin/terraform", f'#!/bin/sh\nexec {sys.executable} -S -E {TERRAFORM} "$@"\n'
        )
        program.chmod(0o755)
