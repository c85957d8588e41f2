"""An environment that is deployed in a few milliseconds, wound back, and broken at any point."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from delivery.cloud import Cloud
from delivery.deploy import health, rollback
from delivery.deploy.smoke import FetchedBottle
from delivery.errors import SmokeTestFailed
from delivery.probe.gate import Proof
from delivery.progress import Silence, Steps
from delivery.releases import history
from delivery.terraform import binary
from delivery.terraform.binary import Binary
from tests.doubles.s3 import Killed, refusal
from tests.doubles.stand import BUCKET, Stand
from tests.doubles.state_s3 import StateS3
from tests.doubles.terraform import Terraform

CALLER = "arn:aws:iam::123456789012:user/anna"
BOTTLE = FetchedBottle("jq", "1.8.1", "arm64_tahoe", "0" * 64, 1, "", "")
PROOF = Proof(requests=1, formulae=("jq",), warnings=())
CHANGED = ("lambda.json", "state.json", ".airbrew/dev.deploy.lock")
SERVED = "2026-11-23T0300Z"


class Images:
    """ECR without a repository."""

    def describe_images(self, **_asked: Any) -> Any:
        raise refusal("RepositoryNotFoundException", 400)


class Identity:
    """STS, which knows one caller."""

    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": CALLER}


@dataclass
class Fault:
    """What goes wrong, where: at the beginning of a step, or at its end.

    Args:
        kind: ``error``, ``killed``, ``Ctrl-C``; ``AWS``: the first call after that point; or
            ``Terraform``: the first run after it, which fails when it has done its work.
        happened: whether the point was reached.
    """

    kind: str
    step: str
    at: str = "begin"
    happened: bool = False
    armed: bool = False
    dead: bool = False

    def point(self, step: str, at: str) -> None:
        """Called at each step's beginning and end."""
        if self.happened or (step, at) != (self.step, self.at):
            return
        self.happened = True
        if self.kind == "error":
            raise OSError(28, "No space left on device")
        if self.kind == "Ctrl-C":
            raise KeyboardInterrupt
        if self.kind == "killed":
            self.dead = True
            raise Killed
        self.armed = True

    def call(self) -> None:
        """Called before each call to AWS."""
        self._live()
        if self.armed and self.kind == "AWS":
            self.armed = False
            raise refusal("InternalError", 500)

    def run(self) -> bool:
        """Called before each run of Terraform; whether that is to fail."""
        self._live()
        fails, self.armed = self.armed, False
        return fails

    def _live(self) -> None:
        if self.dead:
            raise Killed  # From the moment of death nothing gets out any more.


class Points(Silence):
    """The listener that a fault hears the steps by; `names` are those that ran."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = faults
        self.names: list[str] = []

    def started(self, step: str) -> None:
        self.names.append(step)
        for fault in self.faults:
            fault.point(step, "begin")

    def finished(self, step: str, seconds: float) -> None:
        for fault in self.faults:
            fault.point(step, "end")


class Faulty:
    """A client whose calls meet the faults first."""

    def __init__(self, client: Any, faults: Callable[[], Sequence[Fault]]) -> None:
        self._client, self._faults = client, faults

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if not callable(found):
            return found

        def call(*given: Any, **asked: Any) -> Any:
            for fault in self._faults():
                fault.call()
            return found(*given, **asked)

        return call


@dataclass(frozen=True)
class RigCloud(Cloud):
    """Everything in this process."""

    clients: Mapping[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        return self.clients[service]


class Rig(Stand):
    """A `Stand` whose AWS and Terraform are in this process, and whose health check is short."""

    def __init__(self, folder: Path, public_key_pem: str, monkeypatch: Any) -> None:
        super().__init__(folder, public_key_pem)
        self.s3 = StateS3()
        self.faults: Sequence[Fault] = ()
        self.health_fails = False
        self.before_health: Callable[[], None] = lambda: None
        self.steps: list[str] = []
        clients = {
            "s3": self.s3,
            "sts": Identity(),
            "ecr": Images(),
            "lambda": self.lambdas,
            "stepfunctions": self.states,
        }
        self.cloud = RigCloud(
            "AWS",
            "123456789012",
            "us-east-1",
            self.variables,
            clients={name: Faulty(each, lambda: self.faults) for name, each in clients.items()},
        )
        self._replace(monkeypatch)

    def deploy(self, *faults: Fault, **options: Any) -> Any:
        with self._meeting(faults) as steps:
            return super().deploy(steps=steps, **options)

    def roll_back(self, *faults: Fault, **options: Any) -> Any:
        with self._meeting(faults) as steps:
            return rollback.roll_back(
                self.environment, self.cloud, steps, checkout=self.checkout, **options
            )

    def take_down(self, *faults: Fault) -> Any:
        with self._meeting(faults) as steps:
            return super().destroy(delete_data=False, steps=steps)

    def serving(self) -> dict[str, str]:
        """Function → the code that answers through its alias."""
        return {name: self.functions.serving(name) for name in self.functions.read()}

    def records(self) -> list[history.Record]:
        """The newest first."""
        return list(history.newest_first(self.cloud, BUCKET, "dev"))

    def lease(self) -> dict[str, Any]:
        return json.loads(self.s3.objects["lease/dev.json"])

    def snapshot(self) -> Any:
        """Everything that a deploy can change, to be wound back to."""
        places = {name: self.folder / name for name in CHANGED}
        files = {name: path.read_text() for name, path in places.items() if path.exists()}
        return dict(self.s3.objects), dict(self.s3.modified), files

    def wind_back(self, snapshot: Any) -> None:
        objects, modified, files = snapshot
        self.s3.objects, self.s3.modified = dict(objects), dict(modified)
        for name in CHANGED:
            (self.folder / name).unlink(missing_ok=True)
        for name, text in files.items():
            self.write(name, text)
        self.lambdas.fails = lambda _function, _code: False
        self.health_fails = False
        self.environment.settings["deploy"]["rehearse_rollback"] = False

    @contextmanager
    def _meeting(self, faults: Sequence[Fault]) -> Iterator[Steps]:
        points = Points(faults)
        self.faults, self.steps = faults, points.names
        try:
            yield Steps(points)
        finally:
            self.faults = ()

    def _replace(self, monkeypatch: Any) -> None:
        """What takes long and is tested elsewhere: processes, and brew's requests over HTTP."""
        published = {"id": SERVED, "created_at": "2026-11-23T03:00:00Z", "formulae": 1}
        published |= {"bottles": 1, "bytes": 1}
        self.s3.objects |= {
            f"snapshots/{SERVED}/snapshot.json": json.dumps(published).encode(),
            "channels/default/pointer.json": json.dumps(
                {"channel": "default", "snapshot": SERVED}
            ).encode(),
        }
        monkeypatch.setattr(binary, "find", lambda *_: Binary(self.folder, "1.11.4"))
        monkeypatch.setattr(binary, "run", self._run)
        monkeypatch.setattr(health, "serving", lambda *_: nullcontext(""))
        monkeypatch.setattr(health, "fetch_as_brew_would", self._fetch)
        monkeypatch.setattr(health.gate, "check", lambda *_, **__: PROOF)

    def _fetch(self, *_asked: object) -> FetchedBottle:
        self.before_health()
        if self.health_fails:
            raise SmokeTestFailed("the bottle is not what was promised", where="", remedy="")
        return BOTTLE

    def _run(
        self,
        command: Sequence[str],
        folder: Path,
        variables: Mapping[str, str],
        hear: Callable[[str], None],
    ) -> tuple[int, str]:
        fails = sum(fault.run() for fault in self.faults)
        code = Terraform(folder, variables, hear).run(*command[1:])
        if not fails:
            return code, ""
        told = {"severity": "error", "summary": "503", "detail": "ServiceUnavailable"}
        hear(json.dumps({"type": "diagnostic", "@message": "", "diagnostic": told}))
        return 1, ""
