"""The Terraform tree as a whole: its formatting, its validity, its modules' own tests."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Self, TypeVar

from delivery.errors import TerraformFailed
from delivery.paths import STATE_DIR, TERRAFORM_DIR, shown
from delivery.terraform import binary, providers

T = TypeVar("T")

LOCK_FILE = ".terraform.lock.hcl"
# Terraform with the AWS provider takes 0.6 GB of memory: two of them fit into any runner.
AT_A_TIME = 2


@dataclass(frozen=True)
class TestedModule:
    """How one module's own tests ended: runs, and the failures, each with its place and reason."""

    module: str
    runs: int
    failures: tuple[str, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether anything was tested, and nothing failed."""
        return self.runs > 0 and not self.failures


@dataclass(frozen=True)
class Tree:
    """The modules and environments in one folder, and a Terraform to look at them with.

    Terraform leaves `.terraform` and lock files in what it looks at, so it is given a copy:
    of the tree itself, only `format` changes anything.

    Args:
        folder: holds ``modules/<concern>``, ``environments/<name>``, and ``access``.
        program: the path of Terraform.
        variables: the whole environment of the child.
    """

    folder: Path
    program: Path
    variables: Mapping[str, str]

    @classmethod
    def at(
        cls,
        folder: Path = TERRAFORM_DIR,
        *,
        variables: Mapping[str, str],
        state_dir: Path = STATE_DIR,
    ) -> Self:
        """The tree in `folder`, with a Terraform that is found or installed, and its providers.

        Raises:
            ToolMissing, UntrustedDownload: there is no Terraform; see `binary.find`.
        """
        program = binary.find(variables, state_dir).path
        child = providers.environment(variables, _lock_file_in(folder), state_dir)
        child.pop("TF_WORKSPACE", None)
        child |= {"TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
        return cls(folder, program, child)

    @property
    def modules(self) -> list[str]:
        """``modules/airbrew``, ``modules/functions``, …: each has tests of its own."""
        return _folders(self.folder, "modules")

    @property
    def environments(self) -> list[str]:
        """``environments/dev``, …: what is applied."""
        return _folders(self.folder, "environments")

    @property
    def roots(self) -> list[str]:
        """The environments, and the way into their accounts where the tree has one."""
        access = ["access"] if (self.folder / "access").is_dir() else []
        return [*self.environments, *access]

    def format(self) -> list[str]:
        """Rewrite what is not in Terraform's own style; returns the files that were not.

        Raises:
            TerraformFailed: a file does not parse; it and those after it are as they were.
        """
        return self._unformatted("-write=true")

    def check_format(self) -> None:
        """Look, and rewrite nothing.

        Raises:
            TerraformFailed: a file is not in Terraform's own style, or does not parse.
        """
        files = self._unformatted("-write=false")
        if files:
            raise TerraformFailed(
                f"{len(files)} not formatted: {', '.join(files)}",
                where=shown(self.folder),
                remedy="inv terraform.format",
            )

    def validate(self) -> list[str]:
        """Validate every module that can stand by itself, and every environment; returns those.

        What takes a provider from its caller is validated where the environments call it.

        Raises:
            TerraformFailed: with everything that is wrong, in all of them.
        """
        folders = [*filter(self._stands_alone, self.modules), *self.roots]
        problems = {each for found in self._look_at(folders, _problems) for each in found}
        if problems:
            raise TerraformFailed(
                "the Terraform tree is not valid:\n" + "\n".join(sorted(problems)),
                where=shown(self.folder),
                remedy="correct what it names and run `inv terraform.validate`",
            )
        return folders

    def test(self) -> list[TestedModule]:
        """Run every module's own tests, ``tests/*.tftest.hcl``; they reach no account."""
        return self._look_at(self.modules, _tested)

    def _stands_alone(self, module: str) -> bool:
        """Terraform misses providers that only a caller has (hashicorp/terraform#28490)."""
        files = (self.folder / module).glob("*.tf")
        return not any("configuration_aliases" in file.read_text("utf-8") for file in files)

    def _unformatted(self, write: str) -> list[str]:
        files: list[str] = []
        run = [str(self.program), "fmt", "-recursive", "-no-color", write]
        code, complaints = binary.run(run, self.folder, self.variables, files.append)
        if code != 0:
            raise TerraformFailed(
                " ".join(complaints.split()),
                where=shown(self.folder),
                remedy="correct what it names and run `inv terraform.format`",
            )
        return sorted(shown(self.folder / file.strip()) for file in files)

    def _look_at(self, folders: Sequence[str], look: Callable[[_Copied], T]) -> list[T]:
        with self._copy() as copy, ThreadPoolExecutor(AT_A_TIME) as pool:
            # Two inits at once may spoil a shared cache (Terraform, "Provider Plugin Cache").
            alone = Lock()
            return list(pool.map(lambda each: look(_Copied(self, copy, each, alone)), folders))

    @contextmanager
    def _copy(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="airbrew-terraform-") as scratch:
            copy = Path(scratch).resolve() / "tree"
            shutil.copytree(self.folder, copy, ignore=shutil.ignore_patterns(".terraform"))
            for module in self.modules:  # What is tested is the provider that is deployed with.
                shutil.copy(_lock_file_in(self.folder), copy / module / LOCK_FILE)
            yield copy


@dataclass(frozen=True)
class _Copied:
    """One folder of a tree, in a copy that Terraform may write into."""

    tree: Tree
    copy: Path
    folder: str
    alone: Lock

    def init(self) -> list[str]:
        """Fetch providers and modules, no backend; returns what is wrong."""
        with self.alone:
            events = self.run("init", "-backend=false", "-input=false")
        return self.errors(_diagnostics(events))

    def run(self, command: str, *options: str) -> list[Mapping[str, Any]]:
        """What a command tells as JSON: one event a line, or one document."""
        lines: list[str] = []
        run = [str(self.tree.program), command, "-json", *options]
        binary.run(run, self.copy / self.folder, self.tree.variables, lines.append)
        return _documents(lines)

    def errors(self, diagnostics: Sequence[Mapping[str, Any]]) -> list[str]:
        """``terraform/modules/storage/main.tf:12: summary: detail`` for each error."""
        return [self._told(each) for each in diagnostics if each["severity"] == "error"]

    def _told(self, diagnostic: Mapping[str, Any]) -> str:
        text = f"{diagnostic['summary']}: {diagnostic['detail']}".strip(": ")
        return f"{self._place(diagnostic)}: {' '.join(text.split())}"

    def _place(self, diagnostic: Mapping[str, Any]) -> str:
        folder = self.copy / self.folder
        if "range" not in diagnostic:
            return shown(self.tree.folder / self.folder)
        file = (folder / diagnostic["range"]["filename"]).resolve().relative_to(self.copy)
        return f"{shown(self.tree.folder / file)}:{diagnostic['range']['start']['line']}"


def _problems(copied: _Copied) -> list[str]:
    problems = copied.init()
    if not problems:
        (answer,) = copied.run("validate")
        problems = copied.errors(answer["diagnostics"])
    return problems


def _tested(copied: _Copied) -> TestedModule:
    since = time.monotonic()
    failures, runs = copied.init(), 0
    if not failures:
        events = copied.run("test")
        failures = copied.errors(_diagnostics(events))
        runs = sum(each.get("test_run", {}).get("progress") == "complete" for each in events)
    if not failures and runs == 0:
        failures = [f"{shown(copied.tree.folder / copied.folder)}: there is no test"]
    return TestedModule(copied.folder, runs, tuple(failures), time.monotonic() - since)


def _documents(lines: Sequence[str]) -> list[Mapping[str, Any]]:
    try:
        return [json.loads("".join(lines))]  # `validate` answers with one document.
    except ValueError:
        # The others tell an event a line; `init -json` has some that are not JSON.
        return [json.loads(line) for line in lines if line.startswith("{")]


def _diagnostics(events: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [each["diagnostic"] for each in events if "diagnostic" in each]


def _folders(tree: Path, kind: str) -> list[str]:
    return sorted(f"{kind}/{each.name}" for each in (tree / kind).iterdir() if each.is_dir())


def _lock_file_in(tree: Path) -> Path:
    """The environments' lock files are equal: any of them says which provider is deployed with."""
    return next(iter(sorted((tree / "environments").glob(f"*/{LOCK_FILE}"))))
