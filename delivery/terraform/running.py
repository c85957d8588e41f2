"""Terraform in one root: init when needed, plan as a value, apply, destroy; its errors as ours."""

from __future__ import annotations

import fcntl
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from delivery.errors import TerraformFailed
from delivery.paths import STATE_DIR, shown
from delivery.terraform import binary, events, failures, plan_document, providers, state
from delivery.terraform.events import Event, Report
from delivery.terraform.plan_document import PlanDocument

SIGNS = {"create": "+", "update": "~", "delete": "-", "replace": "-/+", "move": "->"}
ROOT_OUTPUT = "airbrew"
LOCK_FILE = ".terraform.lock.hcl"


@dataclass(frozen=True)
class Change:
    """What is planned for one resource; `action` is create, update, delete, replace or move."""

    address: str
    action: str

    def __str__(self) -> str:
        return f"{SIGNS[self.action]:3} {self.address}"


@dataclass(frozen=True)
class Plan:
    """What Terraform would do, kept in a file that `apply` carries out to the letter.

    `counts` maps create, update and delete to resources; a replaced one counts as created
    and deleted. `has_changes` is also true when only an output changes.
    """

    workspace: Workspace
    file: Path
    has_changes: bool
    changes: tuple[Change, ...]
    counts: Mapping[str, int]

    @property
    def lines(self) -> tuple[str, ...]:
        """One line per resource, sorted by address."""
        return tuple(str(each) for each in sorted(self.changes, key=lambda each: each.address))

    @property
    def summary(self) -> str:
        """``3 to create, 1 to change, 0 to destroy``."""
        counts = self.counts
        return (
            f"{counts['create']} to create, {counts['update']} to change,"
            f" {counts['delete']} to destroy"
        )

    def apply(self, report: Report) -> Mapping[str, Any]:
        """Carry it out, telling each resource as it is done; nothing to do: nothing is run.

        Returns:
            What the root then says of itself, as `outputs`.

        Raises:
            TerraformFailed: what was done up to there is in the state; plan and apply again.
        """
        if not self.has_changes:
            return self.outputs()
        # Terraform tells it at the end of an apply: asking once more is a process of its own.
        found: Mapping[str, Any] = self.workspace.apply(self.file, report).get(ROOT_OUTPUT, {})
        return found

    def document(self) -> PlanDocument:
        """The plan attribute by attribute; to be asked before another one is made."""
        return plan_document.read(json.loads(self.workspace.planned()))

    def outputs(self) -> Mapping[str, Any]:
        """What the root says of itself in its one output, `airbrew`; empty when nothing is up."""
        outputs: Mapping[str, Any] = self.workspace.output().get(ROOT_OUTPUT, {})
        return outputs


@dataclass(frozen=True)
class Workspace:
    """One root module with its own data folder, so that the source tree stays clean.

    Args:
        folder: the root module.
        data_dir: what Terraform would keep in ``.terraform``; one per environment.
        program: the path of Terraform.
        variables: the whole environment of the child.
        lock_patience_seconds: how long to wait for a state that somebody else has locked; a
            Terraform whose `inv` was killed ends what it has begun within that.
    """

    folder: Path
    data_dir: Path
    program: Path
    variables: Mapping[str, str]
    lock_patience_seconds: int = 60

    @classmethod
    def at(
        cls,
        folder: Path,
        *,
        data_dir: Path,
        variables: Mapping[str, str],
        state_dir: Path = STATE_DIR,
    ) -> Self:
        """The root `folder`, with a Terraform that is found or installed, and its providers.

        Raises:
            ToolMissing, UntrustedDownload: there is no Terraform; see `binary.find`.
        """
        program = binary.find(variables, state_dir).path
        child = providers.environment(variables, folder / LOCK_FILE, state_dir)
        # A workspace chosen in somebody's shell would silently mean another state.
        child.pop("TF_WORKSPACE", None)
        child |= {"TF_DATA_DIR": str(data_dir), "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
        return cls(folder, data_dir, program, child)

    def init(self, backend_config: Mapping[str, Any]) -> bool:
        """Initialise against this backend; False when that was done before, and still holds.

        Raises:
            TerraformFailed: no provider, no backend, or a module that does not parse.
        """
        done = self.data_dir / "initialised"
        if self._is_whole() and _read(done) == self._recipe(backend_config):
            return False
        done.unlink(missing_ok=True)
        # Another bucket is another state: nothing is ever migrated by itself.
        options = ["-reconfigure", *(f"-backend-config={k}={v}" for k, v in backend_config.items())]
        if (self.folder / LOCK_FILE).is_file():
            options.append("-lockfile=readonly")
        with self._alone_with_the_cache():
            self._stream("init", *options)
        done.write_text(self._recipe(backend_config), encoding="utf-8")
        return True

    def plan(self, *options: str) -> Plan:
        """Compare the configuration with what is there, and keep the plan.

        Raises:
            TerraformFailed: with Terraform's own words, or who holds the state's lock.
        """
        file = self.data_dir / "plan"
        patience = f"-lock-timeout={self.lock_patience_seconds}s"
        code, told = self._stream("plan", "-detailed-exitcode", patience, f"-out={file}", *options)
        planned = (each["change"] for each in told if each["type"] == "planned_change")
        changes = [Change(each["resource"]["addr"], each["action"]) for each in planned]
        return Plan(
            workspace=self,
            file=file,
            has_changes=code == 2,
            changes=tuple(each for each in changes if each.action in SIGNS),
            counts=events.counts(told),
        )

    def apply(self, plan_file: Path, report: Report) -> dict[str, Any]:
        """Carry out a plan file; `report` gets a line per resource and per ten seconds of waiting.

        Returns:
            The root's outputs: value by name.

        Raises:
            TerraformFailed: what was done up to there is in the state.
            KeyboardInterrupt: after Terraform has ended in an orderly way.
        """
        _, told = self._stream(
            "apply", str(plan_file), listen=lambda event: events.tell(event, report)
        )
        return events.outputs(told)

    def apply_at_once(self, report: Report) -> tuple[Mapping[str, int], dict[str, Any]]:
        """Plan by the state alone and carry it out in the same process: half the start-up.

        For a caller who knows what the plan can hold.

        Returns:
            The plan's counts, and the root's outputs: value by name.

        Raises:
            TerraformFailed, KeyboardInterrupt: as `apply`.
        """
        patience = f"-lock-timeout={self.lock_patience_seconds}s"
        _, told = self._stream(
            "apply",
            "-auto-approve",
            "-refresh=false",
            patience,
            listen=lambda event: events.tell(event, report),
        )
        return events.counts(told), events.outputs(told)

    def planned(self) -> str:
        """The plan that was made last, in Terraform's own JSON; secrets included."""
        return self._answer("show", "-json", str(self.data_dir / "plan"))

    def output(self) -> dict[str, Any]:
        """The root's outputs: value by name, sensitive ones too."""
        document = json.loads(self._answer("output", "-json"))
        return {name: each["value"] for name, each in document.items()}

    def destroy(self, *, keep: Sequence[str], report: Report) -> list[str]:
        """Destroy everything but the modules in `keep`; returns the addresses destroyed.

        Raises:
            TerraformFailed: something could not be destroyed, or not without something to keep.
        """
        targets = [f"-target={address}" for address in self._doomed(keep)] if keep else []
        if keep and not targets:
            return []
        plan = self.plan("-destroy", *targets)
        lost = [each.address for each in plan.changes if state.is_under(each.address, keep)]
        if lost:
            raise TerraformFailed(
                f"destroying the rest would destroy {', '.join(lost)}, which is to be kept",
                where=shown(self.folder),
                remedy="nothing was destroyed; delete the data, too, or take the dependency out",
            )
        if plan.has_changes:
            self.apply(plan.file, report)
        return [each.address for each in plan.changes]

    def _doomed(self, keep: Sequence[str]) -> list[str]:
        """Managed resources in the state that are not under any of `keep`."""
        try:
            addresses = self._answer("state", "list").splitlines()
        except TerraformFailed as error:
            if "No state file was found" in error.problem:
                return []  # It was never applied.
            raise
        managed = (each for each in addresses if not re.search(r"(^|\.)data\.", each))
        return [each for each in managed if not state.is_under(each, keep)]

    def _is_whole(self) -> bool:
        """Whether what init made is still there; a provider is a link into a mirror that may go."""
        installed = self.data_dir.glob("providers/*/*/*/*/*")
        return (self.data_dir / "terraform.tfstate").is_file() and all(
            each.exists() for each in installed
        )

    def _recipe(self, backend_config: Mapping[str, Any]) -> str:
        """A digest of everything that decides what init does; any edit of a module counts."""
        config_file = Path(self.variables.get("TF_CLI_CONFIG_FILE", ""))
        files = [config_file, self.folder / LOCK_FILE, *self._sources()]
        program = [str(self.program), self.program.stat().st_mtime_ns]
        decisive = [dict(backend_config), program, [[str(file), _read(file)] for file in files]]
        return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()

    def _sources(self) -> list[Path]:
        """The Terraform files of the root and of the modules that the last init found."""
        known = json.loads(_read(self.data_dir / "modules" / "modules.json") or '{"Modules": []}')
        folders = {self.folder, *(self.folder / each["Dir"] for each in known["Modules"])}
        return sorted(file.resolve() for folder in folders for file in folder.glob("*.tf"))

    @contextmanager
    def _alone_with_the_cache(self) -> Iterator[None]:
        """Two inits at once may spoil a shared cache (Terraform, "Provider Plugin Cache")."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        cache = Path(self.variables.get("TF_PLUGIN_CACHE_DIR", self.data_dir))
        with (cache / "init.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _stream(
        self, command: str, *options: str, listen: Callable[[Event], None] | None = None
    ) -> tuple[int, list[Event]]:
        """Run a command that tells what it does as JSON lines."""
        told: list[Event] = []

        def hear(line: str) -> None:
            event = events.parsed(line)
            told.append(event)
            if listen is not None:
                listen(event)

        run = [str(self.program), command, "-json", "-input=false", "-no-color", *options]
        code, complaints = binary.run(run, self.folder, self.variables, hear)
        if code != 0 and not (command == "plan" and code == 2):
            raise failures.failure(command, told, complaints, self)
        return code, told

    def _answer(self, *command: str) -> str:
        """Run a command whose answer is its output."""
        lines: list[str] = []
        run = [str(self.program), *command]
        code, complaints = binary.run(run, self.folder, self.variables, lines.append)
        if code != 0:
            raise failures.failure(command[0], [], complaints, self)
        return "".join(lines)


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.is_file() else ""
