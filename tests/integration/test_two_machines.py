"""One commit makes one release: two machines that differ in all but the sources, and a real pip."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from tests.integration.conftest import copied, listed

SHARED_MEMORY = Path("/dev/shm")
DAY = 86400
# Loaded by Python as it starts: its clock, and so the child's that it starts, is another year's.
CLOCK = """
import time
_now = time.time
time.time = lambda: _now() + {seconds}
_told = time.localtime
time.localtime = lambda at=None: _told(time.time() if at is None else at)
"""


@dataclass
class Machine:
    """A checkout, and all that surrounds a build.

    Args:
        folder: where the machine keeps its checkout, its home, and its clock.
        variables: its environment, besides what every process needs.
    """

    folder: Path
    checkout: str
    clock_days: int
    umask: int
    cores: set[int]
    variables: dict[str, str] = field(default_factory=dict)

    def clone(self, origin: Path, *config: str) -> None:
        options = [f"--config={each}" for each in config]
        command = ["git", "clone", "--quiet", *options, origin.as_uri(), self.root]
        subprocess.run(command, check=True, umask=self.umask)

    @property
    def root(self) -> Path:
        return self.folder / self.checkout

    def inv(self, *words: str) -> dict:
        """What the verb answers as JSON."""
        ended = subprocess.run(
            [sys.executable, "-m", "invoke", *words, "--json"],
            cwd=self.root,
            env=self._environment(),
            umask=self.umask,
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=lambda: os.sched_setaffinity(0, self.cores),
        )
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    def age(self, days: int) -> None:
        """Set every file's time."""
        at = time.time() - days * DAY
        for path in self.root.rglob("*"):
            if ".git" not in path.parts:
                os.utime(path, (at, at))

    def _environment(self) -> dict[str, str]:
        kept = {name: text for name, text in os.environ.items() if name.startswith("PIP_")}
        home = self.folder / "home"
        (home / "clock").mkdir(parents=True, exist_ok=True)
        clock = CLOCK.format(seconds=self.clock_days * DAY)
        (home / "clock" / "sitecustomize.py").write_text(clock)
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "PYTHONPATH": str(home / "clock"),
            "PIP_CONFIG_FILE": str(_pip_conf()),
            **kept,
            **self.variables,
        }


def _pip_conf() -> Path:
    """This user's, which leads to the package index; HOME is another one."""
    found = Path.home() / ".config" / "pip" / "pip.conf"
    return found if found.is_file() else Path(os.devnull)


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    """This working tree as a repository of two commits, the last one a version."""
    folder = copied(tmp_path_factory.mktemp("origin"), listed())
    _configure(folder)
    _git(folder, "init", "--quiet", "--initial-branch=main")
    _commit(folder, "earlier", "orchestrator")
    _commit(folder, "now", "sync_worker")
    _git(folder, "tag", "v1.2.3")
    return folder


def _configure(folder: Path) -> None:
    """An account makes the target Lambda's, which is the same on every machine."""
    file = folder / "config" / "airbrew.yaml"
    document = yaml.safe_load(file.read_text())
    document["environments"]["prod"]["account_id"] = "123456789012"
    file.write_text(yaml.safe_dump(document))


def _commit(folder: Path, message: str, function: str) -> None:
    with (folder / "lambdas" / function / "handler.py").open("a") as file:
        file.write(f"# {message}\n")
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", f"--message={message}")


def _git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@b")
    subprocess.run(["git", *who, *words], cwd=folder, check=True)


@pytest.fixture(scope="module")
def first(origin, tmp_path_factory):
    """A fresh clone in a short path: nothing was ever built there."""
    machine = Machine(
        tmp_path_factory.mktemp("a"),
        checkout="a",
        clock_days=0,
        umask=0o077,
        cores=os.sched_getaffinity(0),
        variables={
            "TZ": "UTC",
            "LC_ALL": "C.UTF-8",
            "PYTHONHASHSEED": "1",
            "USER": "ada",
            "PYTHONDONTWRITEBYTECODE": "1",
        },
    )
    machine.clone(origin)
    machine.age(days=0)
    return machine


@pytest.fixture(scope="module")
def in_memory(tmp_path_factory):
    """A folder on another file system, where there is one."""
    memory = SHARED_MEMORY if SHARED_MEMORY.is_dir() else tmp_path_factory.mktemp("b")
    # Not beyond ASCII: under LC_ALL=C pip itself stumbles over such a path.
    folder = memory / f"airbrew-{os.getpid()} [it's]"
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def second(origin, in_memory):
    """A used clone that differs in whatever a machine can differ in."""
    machine = Machine(
        in_memory,
        checkout="deep er/and/deeper/checkout",
        clock_days=1000,
        umask=0o000,
        cores={min(os.sched_getaffinity(0))},
        variables={
            "TZ": "Asia/Kathmandu",
            "LC_ALL": "C",
            "PYTHONCOERCECLOCALE": "0",
            "PYTHONUTF8": "0",
            "PYTHONHASHSEED": "4294967295",
            "PYTHONOPTIMIZE": "1",
            "USER": "root@builder",
            "SOURCE_DATE_EPOCH": "1",
            "PIP_NO_CACHE_DIR": "1",
            "COLUMNS": "20",
        },
    )
    machine.clone(origin, "core.abbrev=20", "core.fileMode=false")
    _lay_out_backwards(machine.root)
    _use(machine)
    machine.age(days=9000)
    return machine


def _lay_out_backwards(root: Path) -> None:
    """Write the files anew in the opposite order, and executable: so folders list another way."""
    for folder in ("lambdas", "terraform"):
        aside = root / ".git" / folder
        (root / folder).rename(aside)
        for file in sorted((path for path in aside.rglob("*") if path.is_file()), reverse=True):
            written = root / folder / file.relative_to(aside)
            written.parent.mkdir(parents=True, exist_ok=True)
            written.write_bytes(file.read_bytes())
            written.chmod(0o777)


def _use(machine: Machine) -> None:
    """Build an earlier commit, and leave behind what programs leave behind."""
    _git(machine.root, "checkout", "--quiet", "HEAD~1")
    machine.inv("package", "--env", "prod")
    _git(machine.root, "checkout", "--quiet", "main")
    for name in (
        "lambdas/mirror/__pycache__/keys.cpython-311.pyc",
        "terraform/environments/prod/terraform.tfvars.json",
        "terraform/environments/prod/.terraform/modules/modules.json",
    ):
        (machine.root / name).parent.mkdir(parents=True, exist_ok=True)
        (machine.root / name).write_text("{}")


@pytest.fixture(scope="module")
def releases(first, second, tmp_path_factory):
    """The release of each, written into a folder."""
    outs = [tmp_path_factory.mktemp("out") for _ in range(2)]
    told = [
        machine.inv("package", "--env", "prod", "--out", str(out))
        for machine, out in zip((first, second), outs, strict=True)
    ]
    return [(each, Path(each["folder"])) for each in told]


def test_both_make_the_release_of_the_same_id(releases):
    (one, _), (other, _) = releases

    assert one["id"] == other["id"]
    assert (one["version"], one["dirty"]) == ("1.2.3", False)


def test_every_file_of_it_but_the_provenance_is_the_same_bytes(releases):
    (_, one), (_, other) = releases

    names = {path.name for path in one.iterdir()}
    assert names == {path.name for path in other.iterdir()}
    different = {name for name in names if (one / name).read_bytes() != (other / name).read_bytes()}
    assert different == {"provenance.json"}


def test_only_what_changed_was_built_on_the_machine_that_had_built_before(releases):
    (one, _), (other, _) = releases

    assert one["rebuilt"] == ["orchestrator", "sync_worker", "layer", "terraform"]
    assert other["rebuilt"] == ["sync_worker"]


def test_neither_machine_shows_in_the_release(releases, first, second):
    for _, folder in releases:
        for file in folder.iterdir():
            body = file.read_bytes()
            for machine in (first, second):
                assert str(machine.folder).encode() not in body, file


def test_a_cache_from_another_machine_is_used_as_it_lies(first, second, releases, tmp_path):
    other = Machine(tmp_path, "c", 0, 0o022, os.sched_getaffinity(0))
    other.clone(first.root)
    # As an action restores it: whole seconds are left of the files' times.
    restored = other.root / ".airbrew" / "artifacts"
    shutil.copytree(second.root / ".airbrew" / "artifacts", restored)
    for file in restored.iterdir():
        os.utime(file, (int(time.time()), int(time.time())))

    built = other.inv("build", "--env", "prod")

    assert [name for name, each in built.items() if each["was_built"]] == []
    assert {Path(each["path"]).parent for each in built.values()} == {restored}
