"""The layer with a real pip: libraries of the right architecture, the same bytes twice."""

from __future__ import annotations

import subprocess
import sys
import zipfile

import pytest

from delivery.artifacts.build import Places, Target, build

# Source: ELF specification, e_machine at offset 18.
MACHINES = {"x86_64": 62, "arm64": 183}
SEES = """
import sys
sys.path.insert(0, sys.argv[1])
from cryptography.hazmat.bindings import _rust
print(_rust.__file__)
"""
LAMBDA_TARGETS = [Target("arm64", "3.13"), Target("x86_64", "3.13")]


@pytest.fixture(scope="module")
def layer_for(tmp_path_factory):
    """Builds the layer for a target, in a folder of its own each time."""

    def built(target: Target):
        places = Places(state_dir=tmp_path_factory.mktemp("airbrew"))
        return build(["layer"], target=target, places=places)["layer"]

    return built


def libraries(layer) -> dict[str, bytes]:
    with zipfile.ZipFile(layer.path) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name.endswith(".so")}


@pytest.mark.parametrize("target", LAMBDA_TARGETS, ids=lambda target: target.architecture)
def test_every_library_is_for_the_targets_processor_and_python(layer_for, target):
    found = libraries(layer_for(target))

    assert found
    for name, body in found.items():
        assert body[:4] == b"\x7fELF", name
        assert int.from_bytes(body[18:20], "little") == MACHINES[target.architecture], name
        assert ".abi3." in name or "cpython-313" in name


def test_two_builds_from_the_index_are_the_same_bytes(layer_for):
    first, second = (layer_for(LAMBDA_TARGETS[0]) for _ in range(2))

    assert first.path != second.path
    assert first.sha256 == second.sha256


def test_the_layer_for_this_machine_runs_on_it(layer_for, tmp_path):
    layer = layer_for(Target.for_host())
    with zipfile.ZipFile(layer.path) as archive:
        archive.extractall(tmp_path)

    told = subprocess.run(
        [sys.executable, "-I", "-S", "-c", SEES, str(tmp_path / "python")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert told.stdout.startswith(str(tmp_path)), told.stderr
