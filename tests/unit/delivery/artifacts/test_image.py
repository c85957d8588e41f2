"""The image: by whichever builder works, from what the Dockerfile says, for the right processor."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from delivery.artifacts import builders, image
from delivery.artifacts.credentials import Login
from delivery.artifacts.image import Company
from delivery.artifacts.target import Target
from delivery.errors import BuildFailed
from delivery.paths import ROOT

ID = 64 * "a"
DIGEST = f"sha256:{64 * 'b'}"
ARM = Target("arm64", "3.13")


class Machine:
    """A machine on which the programs of `works` end well, and which notes what was run."""

    def __init__(self, *works, build_error="", push_error=""):
        self.works, self.build_error, self.push_error = works, build_error, push_error
        self.commands, self.images, self.configs = [], set(), []

    def __call__(self, command):
        self.commands.append(list(command))
        if "push" in command:
            return self._push(command)
        told = [word for word in command if word.startswith("--iidfile=")]
        if told:
            return self._build(command, Path(told[0].removeprefix("--iidfile=")))
        if "inspect" in command and "context" not in command:
            return subprocess.CompletedProcess(command, int(command[-1] not in self.images), "", "")
        is_there = " ".join(command).startswith((*self.works, "docker context", "docker --config"))
        out = "unix:///run/engine.sock\n" if "context" in command else ""
        return subprocess.CompletedProcess(command, 0 if is_there else 127, out, "")

    def _build(self, command, told):
        if self.build_error:
            return subprocess.CompletedProcess(command, 1, "", self.build_error)
        told.write_text(f"sha256:{ID}")
        self.images.add(ID)
        return subprocess.CompletedProcess(command, 0, "", "")

    def _push(self, command):
        options = dict(word.split("=", 1) for word in command if word[:2] == "--" and "=" in word)
        folder = Path(options.get("--config") or Path(options["--authfile"]).parent)
        self.configs.append((folder, (folder / "config.json").read_text()))
        if "--digestfile" in options:
            Path(options["--digestfile"]).write_text(f"{DIGEST}\n")
        out = f"inputs-1: digest: {DIGEST} size: 1234\n"
        return subprocess.CompletedProcess(
            command, int(bool(self.push_error)), out, self.push_error
        )


def built(machine, tmp_path, **given):
    return image.build(ARM, state_dir=tmp_path, run=machine, **given)


def test_a_running_docker_builds_it(tmp_path):
    machine = Machine("docker version")

    found = built(machine, tmp_path)

    assert (found.id, found.builder) == (ID, "docker")
    assert machine.commands[-1][:2] == ["docker", "build"]
    assert "--platform=linux/arm64" in machine.commands[-1]
    assert machine.commands[-1][-1] == str(ROOT)


def test_without_docker_buildah_does_with_its_layers_kept(tmp_path):
    machine = Machine("buildah --storage-driver overlay")

    assert built(machine, tmp_path).builder == "buildah (overlay)"
    assert {"bud", "--layers", "--isolation=chroot"} <= set(machine.commands[-1])


def test_where_overlay_does_not_work_it_copies(tmp_path):
    machine = Machine("buildah --storage-driver vfs")

    assert built(machine, tmp_path).builder == "buildah (vfs)"
    assert "--layers" not in machine.commands[-1]


def test_another_base_and_a_company_s_index_are_told_and_kept_out_of_the_layers(tmp_path):
    machine = Machine("docker version")

    built(machine, tmp_path, base="base:local", company=Company(Path("p"), Path("c")))

    assert {
        "--build-arg=BASE=base:local",
        "--secret=id=pip.conf,src=p",
        "--secret=id=ca.pem,src=c",
    } <= set(machine.commands[-1])


def test_without_a_builder_it_says_which_would_do(tmp_path):
    with pytest.raises(BuildFailed, match=r"neither a running Docker nor buildah(.|\n)*apt-get"):
        built(Machine("nothing"), tmp_path)


def test_a_build_that_fails_is_told_with_its_last_words(tmp_path):
    machine = Machine("docker version", build_error="one\ntwo\nno such package\n")

    with pytest.raises(BuildFailed, match="docker could not build the image: one; two; no such"):
        built(machine, tmp_path)


def test_a_program_that_is_not_installed_counts_as_not_working():
    assert builders.on_this_machine(["no-such-builder"]).returncode == 127


def builds(machine):
    return sum("--tag=airbrew/sync-worker" in command for command in machine.commands)


def test_what_has_not_changed_is_not_built_again_unless_told(tmp_path):
    machine = Machine("docker version")
    first = built(machine, tmp_path)

    again = built(machine, tmp_path)

    assert (first.was_built, again.was_built, builds(machine)) == (True, False, 1)
    assert built(machine, tmp_path, force=True).was_built
    assert "--no-cache" in machine.commands[-1]


@pytest.mark.parametrize("change", ["base", "gone", "builder", "note"])
def test_it_is_built_again_when_anything_that_decides_it_is_another(tmp_path, change):
    machine = Machine("docker version")
    built(machine, tmp_path)

    if change == "gone":
        machine.images.clear()
    if change == "builder":
        machine.works = ("buildah --storage-driver overlay",)
    if change == "note":
        (tmp_path / "artifacts" / "image-arm64.json").write_text("{not JSON")
    again = built(machine, tmp_path, base="another" if change == "base" else "")

    assert again.was_built
    assert builds(machine) == 2


def test_each_file_that_the_image_copies_decides_it_and_so_does_the_processor():
    found = image.inputs(ARM)
    copied = re.findall(r"^COPY (?!--from)(\S+)", DOCKERFILE, re.MULTILINE)

    for name in copied:
        files = [ROOT / name] if (ROOT / name).is_file() else (ROOT / name).glob("*.py")
        assert {path.relative_to(ROOT).as_posix() for path in files} <= set(found.files)
    assert "docker/sync-worker/Dockerfile" in found.files
    assert found.digest != image.inputs(Target("x86_64", "3.13")).digest


@pytest.mark.parametrize("works", ["docker version", "buildah --storage-driver overlay"])
def test_a_push_tells_the_digest_which_is_then_known_of_these_inputs(tmp_path, works):
    machine = Machine(works)
    made = built(machine, tmp_path)
    assert image.current(ARM, tmp_path).digest == ""

    pushed = image.push(made, ARM, "host:1/name", state_dir=tmp_path, run=machine)

    assert pushed.digest == image.current(ARM, tmp_path).digest == DIGEST
    assert f"host:1/name:inputs-{made.inputs}" in machine.commands[-1][-1]
    assert image.tag_of(ARM, tmp_path) == made.tag


@pytest.mark.parametrize("works", ["docker version", "buildah --storage-driver overlay"])
def test_the_password_is_in_no_argument_and_in_no_file_that_stays(tmp_path, works):
    machine = Machine(works)
    login = Login("host:1", "AWS", "s3cret")

    made = built(machine, tmp_path)
    image.push(made, ARM, "host:1/name", state_dir=tmp_path, login=login, run=machine)

    ((folder, config),) = machine.configs
    assert json.loads(config)["auths"]["host:1"]["auth"] == "QVdTOnMzY3JldA=="
    assert not folder.exists()
    words = [word for command in machine.commands for word in command]
    assert not [word for word in words if "s3cret" in word or "QVdTOn" in word]
    assert "s3cret" not in repr(login)


@pytest.mark.parametrize(
    ("repository", "is_plain"),
    [("127.0.0.1:5000/name", True), ("localhost/name", True), ("registry.example/name", False)],
)
def test_only_a_registry_of_this_machine_is_spoken_to_without_tls(tmp_path, repository, is_plain):
    machine = Machine("buildah --storage-driver overlay")

    image.push(built(machine, tmp_path), ARM, repository, state_dir=tmp_path, run=machine)

    assert ("--tls-verify=false" in machine.commands[-1]) is is_plain


def test_docker_is_told_its_engine_because_contexts_lie_beside_its_credentials(tmp_path):
    machine = Machine("docker version")

    image.push(built(machine, tmp_path), ARM, "host/name", state_dir=tmp_path, run=machine)

    assert "--host=unix:///run/engine.sock" in machine.commands[-1]


def test_a_push_that_is_refused_is_told_and_nothing_is_known_of_it(tmp_path):
    machine = Machine("docker version", push_error="denied: no such repository\n")
    made = built(machine, tmp_path)

    with pytest.raises(BuildFailed, match=r"docker could not push the image: .*denied: no such"):
        image.push(made, ARM, "host/name", state_dir=tmp_path, run=machine)

    assert image.current(ARM, tmp_path).digest == ""


DOCKERFILE = (ROOT / "docker" / "sync-worker" / "Dockerfile").read_text()
LAST_STAGE = DOCKERFILE[DOCKERFILE.rindex("FROM ") :]


def test_the_base_is_pinned_and_the_last_stage_installs_nothing_and_is_not_root():
    assert re.search(r"^ARG BASE=\S+@sha256:[0-9a-f]{64}$", DOCKERFILE, re.MULTILINE)
    assert not re.search(r"^RUN", LAST_STAGE, re.MULTILINE)
    assert re.search(r"^USER [1-9][0-9]*:[1-9][0-9]*$", LAST_STAGE, re.MULTILINE)


def test_what_the_image_copies_is_all_that_its_context_has():
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    kept = [line.removeprefix("!").removesuffix("/*.py") for line in ignored if line[:1] == "!"]
    copied = re.findall(r"^COPY (?!--from)(\S+)", DOCKERFILE, re.MULTILINE)

    assert sorted(kept) == sorted(copied)
    assert all((ROOT / each).exists() for each in kept)


def test_the_image_carries_the_versions_that_the_layer_carries():
    def pins(name):
        text = (ROOT / "requirements" / name).read_text()
        return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE))

    layer, container = pins("layer.txt"), pins("container.txt")

    assert {name: container.get(name) for name in layer} == layer, json.dumps(container)
    assert {"boto3", "urllib3"} <= container.keys()
