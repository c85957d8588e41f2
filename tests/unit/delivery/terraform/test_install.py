"""install: signature, checksum, archive; each that does not hold leaves nothing behind."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pysequoia
import pytest

from delivery.errors import ToolMissing, UntrustedDownload
from delivery.terraform import install as installing
from delivery.terraform.install import Releases, install
from tests.doubles.release_server import PLATFORMS, ReleaseServer, SigningKey, archive

PROGRAM = b"#!/bin/sh\necho terraform\n"
GOOD = archive({"LICENSE.txt": b"BUSL", "terraform": PROGRAM})


@pytest.fixture
def server():
    """A release server that has a sound 1.11.4."""
    with ReleaseServer("1.11.4", SigningKey()) as serving:
        serving.publish(GOOD)
        yield serving


@pytest.fixture
def releases(server, tmp_path):
    """The server's address, and the key that it signs with."""
    key_file = tmp_path / "key.asc"
    key_file.write_bytes(server.key.public)
    return Releases(server.base_url, key_file)


@pytest.fixture
def program(tmp_path):
    """Where the program shall appear, in a folder of its own."""
    return tmp_path / "bin" / "terraform-1.11.4"


def test_a_sound_release_becomes_an_executable_and_nothing_else(releases, program):
    install("1.11.4", program, releases)

    assert program.read_bytes() == PROGRAM
    assert stat.S_IMODE(program.stat().st_mode) == 0o755
    assert names(program.parent) == [program.name]


@pytest.mark.parametrize(
    ("system", "machine", "name"),
    [
        ("Linux", "x86_64", "linux_amd64"),
        ("Linux", "aarch64", "linux_arm64"),
        ("Darwin", "x86_64", "darwin_amd64"),
        ("Darwin", "arm64", "darwin_arm64"),
    ],
)
def test_each_platform_gets_its_own_archive(
    server, releases, program, monkeypatch, system, machine, name
):
    monkeypatch.setattr(installing.platform, "system", lambda: system)
    monkeypatch.setattr(installing.platform, "machine", lambda: machine)

    install("1.11.4", program, releases)

    assert server.requested[-1] == server.path(f"{name}.zip")


def test_a_platform_without_a_release_is_told_how_to_install(releases, program, monkeypatch):
    monkeypatch.setattr(installing.platform, "machine", lambda: "riscv64")

    with pytest.raises(ToolMissing, match=r"no Terraform for \w+ on riscv64") as told:
        install("1.11.4", program, releases)

    assert "brew install hashicorp/tap/terraform" in told.value.remedy


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def wrong_signature(server):
    server.files[server.path("SHA256SUMS")] += b"\n"


def another_key(server):
    server.sign(server.files[server.path("SHA256SUMS")].decode(), SigningKey())


def no_signature_at_all(server):
    server.files[server.path("SHA256SUMS.sig")] = b"<html>welcome to the hotel</html>"


def missing_entry(server):
    server.sign(f"{'0' * 64}  terraform_1.11.4_plan9_amd64.zip\n")


def wrong_digest(server):
    server.files |= {server.path(f"{name}.zip"): GOOD + b"!" for name in PLATFORMS}


def shortened(server):
    server.files |= {server.path(f"{name}.zip"): GOOD[:-20] for name in PLATFORMS}


def truncated_zip(server):
    server.publish(GOOD[:-20])


def spoilt_member(server):
    server.publish(archive({"terraform": os.urandom(99)}).replace(b"terraform", b"terraforn", 1))


def member_elsewhere(server):
    server.publish(archive({"../../terraform": PROGRAM}))


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (wrong_signature, "the signature does not hold for key [0-9a-f]{40}"),
        (another_key, "the signature does not hold for key [0-9a-f]{40}"),
        (no_signature_at_all, "the signature does not hold for key [0-9a-f]{40}"),
        (missing_entry, "has no entry in the signed checksums"),
        (wrong_digest, "has SHA-256 [0-9a-f]{64}, not [0-9a-f]{64}; nothing was kept"),
        (shortened, "has SHA-256 [0-9a-f]{64}, not [0-9a-f]{64}; nothing was kept"),
        (truncated_zip, "is not a whole zip"),
        (spoilt_member, "is not a whole zip"),
        (member_elsewhere, 'holds no file "terraform"'),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_does_not_hold_is_refused_and_leaves_nothing(server, releases, program, spoil, told):
    spoil(server)

    with pytest.raises(UntrustedDownload, match=told):
        install("1.11.4", program, releases)

    assert not program.parent.exists() or names(program.parent) == []


def test_members_that_point_outside_stay_in_the_archive(server, releases, program, tmp_path):
    server.publish(archive({"../evil": b"x", str(tmp_path / "evil"): b"x", "terraform": PROGRAM}))

    install("1.11.4", program, releases)

    assert names(tmp_path) == ["bin", "key.asc"]
    assert names(program.parent) == [program.name]


@pytest.mark.parametrize("missing", ["SHA256SUMS", "SHA256SUMS.sig"])
def test_a_release_that_is_not_there_says_which_address(server, releases, program, missing):
    del server.files[server.path(missing)]

    with pytest.raises(ToolMissing, match="it answers 404 Not Found") as told:
        install("1.11.4", program, releases)

    assert told.value.where == f"{server.base_url}{server.path(missing)}"


def test_a_download_that_breaks_off_leaves_nothing(server, releases, program):
    server.broken_off = {server.path(f"{name}.zip") for name in PLATFORMS}

    with pytest.raises(ToolMissing, match="the download broke off"):
        install("1.11.4", program, releases)

    assert not program.parent.exists()


def test_nobody_listening_is_told_at_once_and_says_what_to_install(releases, program):
    nowhere = Releases("http://127.0.0.1:9", releases.key_file)

    with pytest.raises(ToolMissing, match=r"could not be downloaded: .*refused") as told:
        install("1.11.4", program, nowhere)

    assert told.value.remedy.startswith("install Terraform 1.10 or newer: `brew install")


def test_two_at_once_both_end_with_the_whole_program(releases, program):
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(install, "1.11.4", program, releases) for _ in range(4)]:
            done.result()

    assert program.read_bytes() == PROGRAM
    assert names(program.parent) == [program.name]


def test_the_built_in_key_is_hashicorps():
    key = pysequoia.Cert.from_bytes(Releases().key_file.read_bytes())

    assert key.fingerprint.upper() == "C874011F0AB405110D02105534365D9472D7468F"
    assert key.expiration.year == 2030
