"""bottles: real kegs in reproducible archives, built once."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tarfile

import pytest

from sandbox import bottles
from sandbox.bottles import Cellar, build
from sandbox.sample import RECIPES

JQ = RECIPES["jq"]


def unpacked(archive):
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as opened:
        return {entry.name: (entry, opened.extractfile(entry).read()) for entry in opened}


def test_a_bottle_holds_its_keg():
    files = unpacked(build(JQ, "arm64_tahoe")[0])

    assert sorted(files) == [
        "jq/1.8.1/.brew/jq.rb",
        "jq/1.8.1/INSTALL_RECEIPT.json",
        "jq/1.8.1/README",
        "jq/1.8.1/bin/jq",
        "jq/1.8.1/share/payload.bin",
    ]
    receipt = json.loads(files["jq/1.8.1/INSTALL_RECEIPT.json"][1])
    assert receipt["runtime_dependencies"][0]["full_name"] == "oniguruma"


def test_the_keg_s_folder_carries_the_revision():
    files = unpacked(build(RECIPES["wget"], "tahoe")[0])

    assert all(name.startswith("wget/1.25.0_1/") for name in files)


def test_what_was_poured_runs(tmp_path):
    with tarfile.open(fileobj=io.BytesIO(build(JQ, "arm64_tahoe")[0])) as opened:
        opened.extractall(tmp_path, filter="data")

    said = subprocess.check_output([tmp_path / "jq/1.8.1/bin/jq"], text=True)

    assert said == "jq 1.8.1 (Airbrew sample bottle, arm64_tahoe)\n"


def test_the_same_recipe_gives_the_same_bytes_and_another_platform_others():
    assert build(JQ, "tahoe") == build(JQ, "tahoe")
    assert build(JQ, "tahoe")[0] != build(JQ, "arm64_tahoe")[0]


def test_a_filled_cellar_keeps_each_bottle_under_its_digest(tmp_path):
    cellar = Cellar(tmp_path)
    bottle = cellar.fill([JQ])["jq"].bottles["arm64_tahoe"]

    content = cellar.path_of(bottle).read_bytes()

    assert hashlib.sha256(content).hexdigest() == bottle.digest
    assert len(content) == bottle.size_bytes


def test_a_second_start_builds_nothing(tmp_path, monkeypatch):
    first = Cellar(tmp_path).fill([JQ])
    monkeypatch.setattr(bottles, "build", lambda *_: pytest.fail("built again"))

    assert Cellar(tmp_path).fill([JQ]) == first
