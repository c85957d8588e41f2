"""running: real Terraform, in a root that needs no provider, with its state in a local file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from delivery.errors import TerraformFailed
from delivery.terraform.running import Workspace

ROOT = """
terraform {
  backend "local" {}
}

variable "word" {
  default = "one"
}

variable "command" {
  default = "true"
}

resource "terraform_data" "kept" {
  input = var.word
}

module "inner" {
  source = "../inner"
  word   = terraform_data.kept.output
  command = var.command
}

output "airbrew" {
  value = { word = module.inner.word }
}
"""
INNER = """
variable "word" {}
variable "command" {}

resource "terraform_data" "made" {
  input = var.word

  provisioner "local-exec" {
    command = var.command
  }
}

output "word" {
  value = terraform_data.made.output
}
"""


class Told(list[str]):
    """What was reported, seconds left out."""

    def __call__(self, text: str) -> None:
        self.append(text.rpartition(" (")[0] or text)


@pytest.fixture
def root(tmp_path):
    """A root module, and beside it the module that it calls."""
    for name, text in {"root": ROOT, "inner": INNER}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "main.tf").write_text(text)
    return tmp_path / "root"


@pytest.fixture
def fresh(root, tmp_path, terraform):
    """The root's workspace, nothing done in it yet."""
    variables = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TF_WORKSPACE": "elsewhere"}
    return Workspace.at(
        root, data_dir=tmp_path / "data", variables=variables, state_dir=tmp_path / "airbrew"
    )


@pytest.fixture
def backend(tmp_path):
    """Where the state is."""
    return {"path": str(tmp_path / "state" / "dev.tfstate")}


@pytest.fixture
def workspace(fresh, backend):
    """The root's workspace, initialised."""
    fresh.init(backend)
    return fresh


@pytest.fixture
def deployed(workspace):
    """The root's workspace, applied."""
    workspace.plan().apply(Told())
    return workspace


def give(root: Path, **variables: str) -> None:
    (root / "terraform.tfvars.json").write_text(json.dumps(variables))


def test_init_is_done_once_for_the_same_backend_and_modules(fresh, backend):
    first, second = fresh.init(backend), fresh.init(backend)

    assert (first, second) == (True, False)


@pytest.mark.parametrize("edited", ["root/main.tf", "inner/main.tf"])
def test_init_is_done_again_when_a_module_was_edited(workspace, backend, tmp_path, edited):
    with (tmp_path / edited).open("a") as file:
        file.write("# one more line\n")

    assert workspace.init(backend)


def test_init_is_done_again_for_another_backend_and_migrates_nothing(deployed, tmp_path):
    assert deployed.init({"path": str(tmp_path / "other.tfstate")})

    assert deployed.output() == {}


@pytest.mark.parametrize("gone", ["terraform.tfstate", "provider"])
def test_init_is_done_again_when_what_it_made_is_gone(workspace, backend, gone):
    place = workspace.data_dir / "providers" / "registry.terraform.io" / "a" / "b" / "1.0"
    place.mkdir(parents=True)
    (place / "linux_amd64").symlink_to("/nonexistent/mirror")
    if gone == "terraform.tfstate":
        (place / "linux_amd64").unlink()
        (workspace.data_dir / gone).unlink()

    assert workspace.init(backend)


def test_the_source_tree_stays_clean(deployed, root):
    assert [each.name for each in root.iterdir()] == ["main.tf"]


def test_a_plan_says_what_would_be_done_and_does_nothing(workspace):
    plan = workspace.plan()

    assert plan.has_changes
    assert plan.lines == ("+   module.inner.terraform_data.made", "+   terraform_data.kept")
    assert plan.counts == {"create": 2, "update": 0, "delete": 0}
    assert plan.summary == "2 to create, 0 to change, 0 to destroy"
    assert workspace.output() == {}


def test_apply_tells_each_resource_as_it_is_done(workspace):
    told = Told()

    workspace.plan().apply(told)

    assert told == ["created terraform_data.kept", "created module.inner.terraform_data.made"]


def test_what_was_applied_plans_no_changes_and_says_what_it_is(deployed):
    plan = deployed.plan()
    plan.apply(pytest.fail)

    assert not plan.has_changes
    assert plan.lines == ()
    assert plan.outputs() == {"word": "one"}


def test_a_changed_setting_is_an_update_in_the_plan(deployed, root):
    give(root, word="two")

    plan = deployed.plan()
    plan.apply(Told())

    assert plan.counts == {"create": 0, "update": 2, "delete": 0}
    assert plan.lines[0] == "~   module.inner.terraform_data.made"
    assert plan.outputs() == {"word": "two"}


def test_destroy_takes_everything_down(deployed):
    told = Told()

    destroyed = deployed.destroy(keep=(), report=told)

    assert sorted(destroyed) == ["module.inner.terraform_data.made", "terraform_data.kept"]
    assert told == ["destroyed module.inner.terraform_data.made", "destroyed terraform_data.kept"]


def test_destroy_leaves_what_is_to_be_kept(deployed, root, tmp_path):
    (root / "main.tf").write_text(ROOT.replace("word   = terraform_data.kept.output", 'word = "x"'))
    deployed.init({"path": str(tmp_path / "state" / "dev.tfstate")})
    deployed.plan().apply(Told())

    assert deployed.destroy(keep=("module.inner",), report=Told()) == ["terraform_data.kept"]
    assert deployed.destroy(keep=("module.inner",), report=Told()) == []


def test_destroy_refuses_when_what_is_to_be_kept_would_go_too(deployed):
    with pytest.raises(
        TerraformFailed, match=r"destroy module\.inner\.terraform_data\.made, which"
    ):
        deployed.destroy(keep=("module.inner",), report=pytest.fail)

    assert not deployed.plan().has_changes


@pytest.mark.parametrize("keep", [(), ("module.inner",)])
def test_destroying_what_was_never_applied_is_nothing_to_do(workspace, keep):
    assert workspace.destroy(keep=keep, report=pytest.fail) == []


def test_an_error_has_terraforms_words_and_its_place(workspace, root):
    (root / "more.tf").write_text('\noutput "wrong" {\n  value = var.nobody\n}\n')

    with pytest.raises(TerraformFailed, match="Reference to undeclared input variable") as told:
        workspace.plan()

    assert told.value.where == f"{root}/more.tf:3"
    assert 'the name "nobody" has not been declared' in told.value.problem


def test_a_step_that_fails_names_its_resource(workspace, root):
    give(root, command="echo it is full >&2; exit 3")
    told = Told()

    with pytest.raises(TerraformFailed, match=r"exit status 3\. Output: it is full"):
        workspace.plan().apply(told)

    assert told[-1] == "could not create module.inner.terraform_data.made"


def test_a_provider_that_cannot_be_had_says_how_to_bring_it(fresh, root, backend):
    source = "127.0.0.1:9/nobody/nothing"
    (root / "more.tf").write_text(
        f'terraform {{\n required_providers {{\n  x = {{ source = "{source}" }}\n }}\n}}\n'
    )

    with pytest.raises(TerraformFailed, match="Failed to query available provider") as told:
        fresh.init(backend)

    assert "`terraform providers mirror` makes one" in told.value.remedy


def test_an_answer_that_fails_has_what_terraform_complained_of(fresh, tmp_path):
    (tmp_path / "root" / "main.tf").write_text("terraform {")

    with pytest.raises(TerraformFailed, match=r"terraform output: .*Unclosed configuration block"):
        fresh.output()


APPLY = """
import json, sys
from pathlib import Path
from delivery.terraform.running import Workspace
folder, data_dir, program, variables = json.loads(sys.argv[1])
workspace = Workspace(Path(folder), Path(data_dir), Path(program), variables)
workspace.plan().apply(lambda text: print(text, flush=True))
"""


@pytest.fixture
def applying(workspace, root, tmp_path):
    """Another process that is in the middle of an apply: kept is made, made will take long."""
    until = f"[ -e {tmp_path}/patience ] && exit; sleep 0.1"
    give(root, command=f"touch {tmp_path}/begun; for i in $(seq 300); do {until}; done")
    arguments = [str(workspace.folder), str(workspace.data_dir), str(workspace.program)]
    process = subprocess.Popen(
        [sys.executable, "-c", APPLY, json.dumps([*arguments, dict(workspace.variables)])],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        while not (tmp_path / "begun").exists():
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.02)
        yield process
        if process.poll() is None:
            ctrl_c(process)


def test_a_killed_apply_ends_what_it_began_and_the_next_one_waits(applying, workspace, tmp_path):
    applying.kill()
    applying.wait()
    (tmp_path / "patience").touch()  # Now the resource in the making may end.

    plan = workspace.plan()

    assert plan.changes == ()


def ctrl_c(process: subprocess.Popen) -> None:
    """As a terminal does it: to the whole group, not only to the process."""
    os.killpg(process.pid, signal.SIGINT)


def test_a_locked_state_says_who_since_when_and_the_last_resort(applying, workspace, backend):
    impatient = replace(workspace, lock_patience_seconds=0)

    with pytest.raises(TerraformFailed, match=r"is locked by \S+@\S+ since 2\d.* UTC, for") as told:
        impatient.plan()

    assert told.value.where == backend["path"]
    assert "wait until that has ended" in told.value.remedy
    assert f"terraform -chdir={workspace.folder} force-unlock " in told.value.remedy


def test_ctrl_c_ends_terraform_in_an_orderly_way(applying, workspace, root):
    ctrl_c(applying)
    told, complaints = applying.communicate(timeout=60)

    assert "KeyboardInterrupt" in complaints
    assert "Interrupt received" in told
    assert "Two interrupts received" not in told
    give(root, command="true")
    plan = workspace.plan()  # No lock is left, and what was made is known.
    assert "terraform_data.kept" not in [each.address for each in plan.changes]
