"""A Brewfile, an exclusion, a size limit and an old Ruby: what is asked for is what is served.

One environment in the sandbox: deployed with a Brewfile, then with other limits. What a client
finds is read over HTTP, as brew would ask for it.
"""

from __future__ import annotations

import json
import signal
import subprocess
import urllib.error
import urllib.request

import pytest

BREWFILE = """\
# What the team needs.
tap "acme/tools"
brew "wget", link: true
brew "llvm-toy" # 64 MiB
brew "exa"
mas "Xcode", id: 497799835
"""
CORE = "v2/homebrew/core"


@pytest.fixture(scope="module")
def first(checkout):
    """The first deploy, of a Brewfile alone and of what brew 4.2 needs for itself."""
    (checkout.root / "config" / "Brewfile").write_text(BREWFILE, encoding="utf-8")
    selection = {
        "platforms": ["arm64_tahoe"],
        "formulae": ["jq"],
        "brewfiles": ["config/Brewfile"],
        "exclude": ["gettext", "jq"],
        "max_bottle_mib": 16,
        "portable_ruby_versions": ["3.1.4"],
    }
    checkout.configure({"selection": selection})
    return checkout.answer("deploy", "--env", "dev")


@pytest.fixture(scope="module")
def served(checkout, first):
    """The mirror at a local URL."""
    with subprocess.Popen(
        checkout.command("mirror.serve", "--env", "dev", "--port", "0"),
        cwd=checkout.root,
        env=checkout.environment({}),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        lines = iter(process.stdout.readline, "")
        told = next(line for line in lines if "serving" in line)
        yield told.split(" at ")[1].split()[0]
        process.send_signal(signal.SIGINT)


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def test_what_the_brewfile_names_is_served_with_what_it_needs(served):
    for path in ("wget/manifests/1.25.0_1", "exa/manifests/0.10.1", "openssl/3/manifests/3.6.0"):
        assert status(f"{served}/{CORE}/{path}") == 200


def test_what_is_excluded_is_not_served_unless_it_is_needed(served):
    assert status(f"{served}/{CORE}/jq/manifests/1.8.1") == 404
    assert status(f"{served}/{CORE}/gettext/manifests/0.26-2") == 200


def test_what_is_too_large_is_not_served(served):
    assert status(f"{served}/{CORE}/llvm-toy/manifests/21.1.5") == 404


@pytest.mark.parametrize("version", ["4.0.6", "3.1.4"])
def test_brew_finds_the_ruby_of_its_own_time(served, version):
    with urllib.request.urlopen(
        f"{served}/{CORE}/portable-ruby/manifests/{version}", timeout=30
    ) as answer:
        entries = json.load(answer)["manifests"]

    notes = [each["annotations"] for each in entries]
    digest = next(
        each["sh.brew.bottle.digest"]
        for each in notes
        if each["org.opencontainers.image.ref.name"] == f"{version}.arm64_big_sur"
    )
    assert status(f"{served}/{CORE}/portable-ruby/blobs/sha256:{digest}") == 200


def test_the_notes_of_the_brewfile_are_told_with_their_lines(checkout):
    told = checkout.inv("config.validate").stdout

    assert "config/Brewfile:2: the tap acme/tools is not mirrored: no file" in told
    assert "config/Brewfile:6: mas is nothing that a mirror holds" in told


def test_why_and_why_not_is_told_by_the_deployed_mirror(checkout, first):
    needed = checkout.answer("mirror.why", "--env", "dev", "--formula", "ca-certificates")
    absent = checkout.answer("mirror.why", "--env", "dev", "--formula", "jq")

    assert needed["arm64_tahoe"]["chains"]["ca-certificates"] == [
        *("wget", "openssl@3", "ca-certificates")
    ]
    assert absent["arm64_tahoe"]["not_selected"] == {"jq": 'selection.exclude has "jq"'}


def test_a_plan_tells_bytes_and_notes_and_changes_nothing(checkout, first):
    plan = checkout.answer("mirror.plan", "--env", "dev", "--sizes")

    assert {each["formula"] for each in plan["warnings"]} == {"exa", "gettext"}
    assert plan["examples"] == ["llvm-toy 21.1.5 arm64_tahoe"]
    assert (plan["sizes"]["bytes"], plan["sizes"]["too_large"]) == (0, 1)
    assert (
        checkout.answer("status", "--env", "dev")["snapshot"]["id"] == (first["sync"]["snapshot"])
    )


def test_a_brewfile_that_is_code_is_refused_with_its_line(checkout, first):
    (checkout.root / "config" / "Brewfile").write_text('brew "wget" if OS.mac?\n')

    ended = checkout.inv("deploy", "--env", "dev")

    assert ended.returncode == 2
    assert 'config/Brewfile:1: ".mac?" is not understood' in ended.stdout + ended.stderr
