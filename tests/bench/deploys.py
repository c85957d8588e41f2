"""How long `inv` takes beside a bare Terraform: nothing to do, only code changed, going back."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.figures import Figure
from tests.integration.conftest import Checkout, copied, listed

# What a bare Terraform does not do: prove the new versions, and the mirror as a whole.
PROOFS = ("smoke ", "sync", "fetch back", "probe")
HANDLER = Path("lambdas") / "orchestrator" / "handler.py"
# In the checkout, so that its own code says how it runs Terraform.
HOW = """
import json
from delivery.deploy import provisioning
from delivery import state_bucket
from delivery.checkout import Checkout
from verbs.target import environment_named, reach
dev = environment_named("dev")
cloud = reach(dev, report=lambda _: None)
bucket = state_bucket.name(dev.project, dev.name, cloud.account_id)
found = provisioning.workspace(Checkout(), dev, cloud, bucket)
print(json.dumps([str(found.program), str(found.folder), dict(found.variables)]))
"""


def measure(runs: int = 3) -> list[Figure]:
    """``deploy.noop_s``, ``deploy.code_only_vs_apply`` and ``rollback.alias_s``."""
    with tempfile.TemporaryDirectory() as scratch, _deployed(Path(scratch)) as bench:
        noop, code, back = [], [], []
        for _ in range(runs):
            noop.append(bench.inv_seconds("deploy") / bench.terraform_seconds("plan"))
            code.append(bench.code_only())
            back.append(bench.alias_seconds() / bench.terraform_seconds("apply"))
            bench.deploy_anew()
    return [
        Figure("deploy.noop_s", noop, "<=", 0.4, "inv deploy, unchanged, over terraform plan"),
        Figure(
            "deploy.code_only_vs_apply",
            code,
            "<=",
            1.2,
            "inv deploy of other code, its proofs left out, over terraform apply of as much",
        ),
        Figure(
            "rollback.alias_s",
            back,
            "<=",
            0.7,
            "inv rollback until the old version answers, over a terraform apply of nothing",
        ),
    ]


@contextmanager
def _deployed(folder: Path) -> Iterator[Bench]:
    """A checkout of its own with dev deployed in its own sandbox."""
    checkout = Checkout(copied(folder / "checkout", listed()))
    bench = Bench(checkout, (checkout.root / HANDLER).read_text())
    try:
        bench.deploy_anew()
        yield bench
    finally:
        checkout.inv("sandbox.down")


@dataclass
class Bench:
    """What is measured, with the code of the orchestrator as it was."""

    checkout: Checkout
    code: str
    edits: int = 0

    def deploy_anew(self) -> float:
        """Deploy other code than ever before; returns its seconds without the proofs."""
        self.edits += 1
        (self.checkout.root / HANDLER).write_text(f"{self.code}# {self.edits}\n")
        since = time.perf_counter()
        outcome = self.checkout.answer("deploy", "--env", "dev")
        seconds = time.perf_counter() - since
        assert outcome["action"] == "deployed", outcome
        return seconds - sum(
            value for step, value in outcome["seconds"].items() if step.startswith(PROOFS)
        )

    def code_only(self) -> float:
        """Our way to other code over Terraform's way back to the code before it."""
        settings = self.checkout.root / "terraform/environments/dev/terraform.tfvars.json"
        before = settings.read_text()
        ours = self.deploy_anew()
        settings.write_text(before)
        theirs = self.terraform_seconds("apply")
        return ours / theirs

    def inv_seconds(self, *words: str) -> float:
        """A whole command."""
        return _seconds(lambda: self.checkout.answer(*words, "--env", "dev"))

    def alias_seconds(self) -> float:
        """From the command to the old version answering."""
        since = time.perf_counter()
        with subprocess.Popen(
            self.checkout.command("rollback", "--env", "dev"),
            cwd=self.checkout.root,
            env=self.checkout.environment({}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr is not None
            lines = iter(process.stderr.readline, "")
            answered = next(time.perf_counter() for line in lines if line.startswith("answer done"))
            for _ in lines:
                pass
        assert process.returncode == 0
        return answered - since

    def terraform_seconds(self, command: str) -> float:
        """A bare Terraform on the same root, initialised already."""
        told = subprocess.check_output(
            [sys.executable, "-c", HOW],
            cwd=self.checkout.root,
            env=self.checkout.environment({}),
            text=True,
        )
        program, folder, variables = json.loads(told)
        options = ["-input=false", *(["-auto-approve"] if command == "apply" else [])]

        def run() -> None:
            subprocess.run(
                [program, command, *options],
                cwd=folder,
                env=variables,
                stdout=subprocess.DEVNULL,
                check=True,
            )

        return _seconds(run)


def _seconds(work: Callable[[], object]) -> float:
    since = time.perf_counter()
    work()
    return time.perf_counter() - since
