"""The image: by whichever builder works, from what the Dockerfile says, for the right processor."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from delivery.artifacts import image
from delivery.artifacts.image import Company
from delivery.artifacts.target import Target
from delivery.errors import BuildFailed
from delivery.paths import ROOT

ID = 64 * "a"
ARM = Target("arm64", "3.13")


class Machine:
    """A machine on which the programs of `works` end well, and which notes what was run."""

    def __init__(self, *works, build_error=""):
        self.works, self.build_error, self.commands = works, build_error, []

    def __call__(self, command):
        self.commands.append(list(command))
        told = [word for word in command if word.startswith("--iidfile=")]
        if not told:
            is_there = " ".join(command).startswith(self.works)
            return subprocess.CompletedProcess(command, 0 if is_there else 127, "", "")
        if not self.build_error:
            Path(told[0].removeprefix("--iidfile=")).write_text(f"sha256:{ID}")
        return subprocess.CompletedProcess(
            command, int(bool(self.build_error)), "", self.build_error
        )


def built(machine, tmp_path, **given):
    return image.build(ARM, state_dir=tmp_path, run=machine, **given)


def test_a_running_docker_builds_it(tmp_path):
    machine = Machine("docker version")

    found = built(machine, tmp_path)

    assert (found.id, found.builder) == (ID, "docker")
    assert machine.commands[-1][:3] == ["docker", "build", "--platform=linux/arm64"]
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
    assert image._run(["no-such-builder"]).returncode == 127


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
