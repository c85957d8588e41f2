"""binary: a new enough Terraform on PATH is used, else our own, else it is installed."""

from __future__ import annotations

import stat

import pytest

from delivery.errors import ToolMissing
from delivery.terraform import binary
from delivery.terraform.install import Releases
from tests.doubles.release_server import ReleaseServer, SigningKey, archive

NOWHERE = Releases("http://127.0.0.1:9")
# As long as a program: what is shorter is taken for a launcher, and asked every time.
PADDING = "#" * binary.LAUNCHER_BYTES


@pytest.fixture
def path_with(tmp_path):
    """Puts a program named terraform on a PATH of its own; it counts its runs in `asked`."""
    folder = tmp_path / "path"
    folder.mkdir()

    def put(body: str) -> dict[str, str]:
        program = folder / "terraform"
        program.write_text(f"#!/bin/sh\necho x >> {tmp_path}/asked\n{body}\nexit\n{PADDING}")
        program.chmod(0o755)
        return {"PATH": f"{folder}:/usr/bin:/bin"}

    return put


@pytest.fixture
def times_asked(tmp_path):
    """How often the program on PATH was run."""
    return lambda: (tmp_path / "asked").read_text().count("x")


def says(version: str) -> str:
    return f"""echo '{{"terraform_version": "{version}", "platform": "linux_amd64"}}'"""


@pytest.mark.parametrize("version", ["1.10.0", "1.10.0-rc1", "1.11.4", "1.100.2", "2.0.0"])
def test_a_new_enough_terraform_on_path_is_used(path_with, tmp_path, version):
    found = binary.find(path_with(says(version)), tmp_path / "state", NOWHERE)

    assert found == binary.Binary(tmp_path / "path" / "terraform", version)


def test_its_version_is_asked_once(path_with, tmp_path, times_asked):
    environment = path_with(says("1.12.0"))

    first, second = (binary.find(environment, tmp_path / "state", NOWHERE) for _ in range(2))

    assert first == second
    assert times_asked() == 1


def test_an_upgraded_terraform_is_asked_again(path_with, tmp_path, times_asked):
    binary.find(path_with(says("1.12.0")), tmp_path / "state", NOWHERE)

    found = binary.find(path_with(says("1.13.11")), tmp_path / "state", NOWHERE)

    assert found.version == "1.13.11"
    assert times_asked() == 2


def test_a_launcher_is_asked_every_time_because_its_answer_may_change(
    path_with, tmp_path, monkeypatch, times_asked
):
    monkeypatch.setattr(binary, "LAUNCHER_BYTES", 2 * binary.LAUNCHER_BYTES)
    environment = path_with(says("1.12.0"))

    for _ in range(2):
        binary.find(environment, tmp_path / "state", NOWHERE)

    assert times_asked() == 2


def test_a_spoilt_memory_of_versions_is_learnt_anew(path_with, tmp_path):
    memory = tmp_path / "state" / "terraform" / "versions.json"
    memory.parent.mkdir(parents=True)
    memory.write_text("{")

    assert binary.find(path_with(says("1.12.0")), tmp_path / "state", NOWHERE).version == "1.12.0"


def test_one_that_is_too_old_is_named_when_no_other_can_be_had(path_with, tmp_path):
    environment = path_with(says("1.9.8"))

    with pytest.raises(ToolMissing, match=r"terraform is Terraform 1\.9\.8, 1\.10 or newer"):
        binary.find(environment, tmp_path / "state", NOWHERE)


@pytest.mark.parametrize("body", ["exit 1", "echo 'No version is set'", "echo '{}'"])
def test_a_launcher_without_a_version_counts_as_none(path_with, tmp_path, body):
    with pytest.raises(ToolMissing, match="Terraform is not installed"):
        binary.find(path_with(body), tmp_path / "state", NOWHERE)


def test_the_pinned_one_is_installed_once_where_there_is_none(tmp_path):
    with ReleaseServer(binary.PINNED, SigningKey()) as server:
        server.publish(archive({"terraform": b"program"}))
        (tmp_path / "key").write_bytes(server.key.public)
        releases = Releases(server.base_url, tmp_path / "key")

        found, again = (binary.find({"PATH": ""}, tmp_path, releases) for _ in range(2))

    assert found == again == binary.Binary(tmp_path / "bin" / "terraform-1.11.4", "1.11.4")
    assert stat.S_IMODE(found.path.stat().st_mode) == 0o755
    assert len(server.requested) == 3
