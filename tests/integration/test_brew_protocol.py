"""brew 4, 5 and 6 live on the deployed mirror alone: from their settings to a program that runs.

tests/doubles/brew_client.py plays brew. It reaches the mirror and nothing else; upstream, the
sample's as well as Homebrew's own, is gone by then.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import urllib.request
from pathlib import Path

import pytest

from tests.doubles import brew_casks
from tests.doubles.brew_client import GENERATIONS, Brew, BrewError
from tests.doubles.brew_line import Line
from tests.integration.conftest import served

ROOT = Path(__file__).parents[2]
MAC, LINUX = "arm64_tahoe", "x86_64_linux"
# Between them: `@`, `+`, hyphens in name and version, revisions, rebuilds, an `all` bottle.
WANTED = ["jq", "wget", "python@3.13", "libsigc++@2", "notes++", "aria2"]
# A file per architecture behind a redirect, an escape, a query; and one without a checksum.
TAP_FILE = "config/taps/acme-tools.json"
CASKS = ["visual-studio-code", "firefox", "iterm2", "google-chrome"]
WGET = {
    MAC: ["libunistring", "gettext", "libidn2", "ca-certificates", "openssl@3", "wget"],
    LINUX: [
        *("libunistring", "zlib", "xz", "libxml2", "ncurses", "gettext", "libidn2"),
        *("ca-certificates", "openssl@3", "wget"),
    ],
}
SETTINGS = {
    "artifact domain": {
        "HOMEBREW_ARTIFACT_DOMAIN": "{url}",
        "HOMEBREW_ARTIFACT_DOMAIN_NO_FALLBACK": "1",
        "HOMEBREW_DOCKER_REGISTRY_BASIC_AUTH_TOKEN": "none",
    },
    "with fallback": {"HOMEBREW_ARTIFACT_DOMAIN": "{url}"},
    "below v2": {
        "HOMEBREW_ARTIFACT_DOMAIN": "{url}/v2",
        "HOMEBREW_ARTIFACT_DOMAIN_NO_FALLBACK": "1",
    },
    "with a token": {
        "HOMEBREW_ARTIFACT_DOMAIN": "{url}/",
        "HOMEBREW_ARTIFACT_DOMAIN_NO_FALLBACK": "1",
        "HOMEBREW_DOCKER_REGISTRY_TOKEN": "secret",
    },
    "bottle domain": {"HOMEBREW_BOTTLE_DOMAIN": "{url}"},
}


@pytest.fixture(scope="module")
def tap(checkout):
    """What `brew info` says of the sample's tap, as the configuration has it."""
    checkout.answer("sandbox.up")
    urls = {each["name"]: each["url"] for each in checkout.answer("sandbox.status")}
    with urllib.request.urlopen(f"{urls['upstream']}/_sandbox/tap", timeout=30) as answer:
        told = answer.read()
    file = checkout.root / TAP_FILE
    file.parent.mkdir()
    file.write_bytes(told)
    return json.loads(told)


@pytest.fixture(scope="module")
def mirror(checkout, tap):
    """The address of a deployed mirror for two platforms, once its upstream has gone."""
    selection = {"platforms": [MAC, LINUX], "formulae": WANTED, "casks": CASKS}
    checkout.configure({"selection": {**selection, "tap_files": [TAP_FILE]}})
    checkout.answer("deploy", "--env", "dev")
    with served(checkout) as url:
        servers = {each["name"]: each for each in checkout.answer("sandbox.status")}
        os.kill(servers["upstream"]["pid"], signal.SIGKILL)
        yield url


@pytest.fixture(scope="module")
def public_key(checkout):
    """What stands in for api/homebrew-1.pem."""
    folder = checkout.root / ".airbrew" / "sandbox" / "upstream"
    return (folder / "signing-key.pub.pem").read_text()


@pytest.fixture
def brew(mirror, public_key, tmp_path):
    """Sets up brew of a generation with some of the `SETTINGS`."""

    def make(generation: str, settings: str, tag: str = MAC) -> Brew:
        chosen = {name: value.format(url=mirror) for name, value in SETTINGS[settings].items()}
        variables = {"HOMEBREW_API_DOMAIN": f"{mirror}/api", **chosen}
        return Brew(generation, tag, variables, public_key, tmp_path, Line(mirror))

    return make


def receipt(brew: Brew, name: str) -> dict:
    keg = brew.prefix(brew.formulae()[name])
    return json.loads((keg / "INSTALL_RECEIPT.json").read_text())


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_formula_is_poured_after_its_dependencies_and_runs(brew, mirror, generation, settings):
    client = brew(generation, settings)

    client.update()
    client.install("wget")

    assert client.poured == WGET[MAC]
    assert client.run("wget") == f"wget 1.25.0_1 (Airbrew sample bottle, {MAC})\n"
    assert receipt(client, "wget")["poured_from_bottle"] is True
    assert {each.status for each in client.line.requests} == {200}
    assert client.line.strayed == []


@pytest.mark.parametrize("generation", GENERATIONS)
def test_linux_gets_what_macos_brings_along(brew, generation):
    client = brew(generation, "artifact domain", LINUX)

    client.update()
    client.install("wget")

    assert sorted(client.poured) == sorted(WGET[LINUX])
    assert client.poured[-1] == "wget"
    assert LINUX in client.run("wget")


@pytest.mark.parametrize("settings", ["artifact domain", "bottle domain"])
@pytest.mark.parametrize("name", ["python@3.13", "libsigc++@2", "notes++", "aria2"])
def test_no_name_is_too_odd(brew, name, settings):
    client = brew("6", settings)

    client.update()
    client.install(name)

    assert client.run(name).startswith(f"{name} ")


@pytest.mark.parametrize("generation", GENERATIONS)
def test_the_tab_comes_from_the_manifest_wherever_the_client_asks_for_one(brew, generation):
    asked = {}
    for settings in ("artifact domain", "bottle domain"):
        client = brew(generation, settings)
        client.home = client.home / settings
        client.update()
        client.install("jq")
        asked[settings] = any("/manifests/" in each.url for each in client.line.requests)

    assert asked == {"artifact domain": True, "bottle domain": generation == "6"}


def test_only_the_oldest_client_sends_the_anonymous_token_to_a_mirror(brew):
    sent = {}
    for generation in GENERATIONS:
        client = brew(generation, "with fallback")
        client.home = client.home / generation
        client.update()
        client.install("jq")
        sent[generation] = {each.headers.get("Authorization") for each in client.line.requests}

    assert sent == {
        "4": {None, "Bearer QQ=="},
        "5": {None},
        "5 internal": {None},
        "6": {None},
    }


@pytest.mark.parametrize("generation", GENERATIONS)
def test_what_has_not_changed_is_not_sent_again(brew, generation):
    client = brew(generation, "artifact domain")
    client.update()
    client.line.requests.clear()

    client.update()

    assert {each.status for each in client.line.requests} == {304}
    assert "jq" in client.formulae()


@pytest.mark.parametrize("settings", ["artifact domain", "bottle domain"])
@pytest.mark.parametrize("tag", [MAC, LINUX])
def test_brew_s_own_ruby_comes_from_the_mirror(brew, tag, settings):
    client = brew("6", settings, tag)
    client.update()
    ruby = client.formulae()["portable-ruby"]

    archive = client.vendor_install(ruby)

    assert hashlib.sha256(archive).hexdigest() == ruby.digest
    assert client.line.strayed == []


def test_a_broken_download_goes_on_where_it_was(brew):
    client = brew("6", "artifact domain")
    client.update()
    jq = client.formulae()["jq"]
    whole = client.vendor_install(jq)
    (client.home / "cache" / f"{jq.digest}.incomplete").write_bytes(whole[:1000])
    client.line.requests.clear()

    client.install("jq")

    ranges = [each.status for each in client.line.requests if "Range" in each.headers]
    assert ranges == [206]
    assert client.run("jq").startswith("jq 1.8.1 ")


def test_what_the_mirror_lacks_sends_a_client_with_fallback_elsewhere(brew, mirror):
    client = brew("6", "with fallback")
    client.update()

    with pytest.raises(BrewError, match="Could not resolve host"):
        client.install("git")

    assert {Path(url).parts[1] for url in client.line.strayed} == {"ghcr.io"}


def test_what_the_mirror_lacks_ends_there_without_fallback(brew):
    client = brew("6", "artifact domain")
    client.update()

    with pytest.raises(BrewError, match=r"/v2/homebrew/core/pcre2/manifests/10\.47: 404"):
        client.install("git")

    assert client.line.strayed == []


def mirror_cask(brew: Brew, mirror: str, token: str) -> subprocess.CompletedProcess[str]:
    """Run the command that a Mac is given, with a brew that knows what this client knows."""
    cask, programs = brew_casks.known(brew)[token], brew.home / "programs"
    programs.mkdir(parents=True, exist_ok=True)
    (programs / "info.json").write_text(brew_casks.info(cask))
    location = brew_casks.cached_location(brew, cask)
    script = f"""#!/bin/sh
    case "$*" in
      "info --cask --json=v2 {token}") cat "{programs}/info.json" ;;
      "--cache --cask {token}") echo "{location}" ;;
      *) exit 64 ;;
    esac
    """
    (programs / "brew").write_text(script)
    (programs / "brew").chmod(0o755)
    return subprocess.run(
        [ROOT / "client" / "brew-mirror-cask", token],
        check=False,
        env={"PATH": f"{programs}:{os.environ['PATH']}", "HOMEBREW_ARTIFACT_DOMAIN": mirror},
        capture_output=True,
        text=True,
        timeout=30,
    )


@pytest.mark.parametrize(
    ("token", "below"), [*((each, "") for each in CASKS[:3]), ("iterm2", "/v2")]
)
@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_cask_is_installed_from_the_mirror_alone(brew, mirror, generation, token, below):
    client = brew(generation, "artifact domain")
    client.update()

    done = mirror_cask(client, f"{mirror}{below}", token)
    body = brew_casks.install(client, token)

    assert done.returncode == 0, done.stderr
    assert hashlib.sha256(body).hexdigest() == brew_casks.known(client)[token].sha256


def test_without_the_command_brew_asks_the_vendor_and_fails(brew):
    client = brew("6", "artifact domain")
    client.update()

    with pytest.raises(BrewError, match="Download failed on Cask 'firefox'"):
        brew_casks.install(client, "firefox")


def test_a_cask_without_a_checksum_is_not_to_be_had(brew, mirror):
    client = brew("6", "artifact domain")
    client.update()

    done = mirror_cask(client, mirror, "google-chrome")

    assert done.returncode == 1
    assert "google-chrome has no checksum, so that the mirror does not hold it" in done.stderr


@pytest.mark.parametrize("tag", [MAC, LINUX])
@pytest.mark.parametrize("settings", ["artifact domain", "below v2"])
@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_formula_of_another_tap_is_poured_and_runs(brew, tap, generation, settings, tag):
    client = brew(generation, settings, tag)
    client.tap = tap
    client.update()

    client.install("acme/tools/acme-deploy")

    assert client.poured == ["oniguruma", "jq", "acme-agent@2", "acme-deploy"]
    assert client.run("acme-deploy").startswith("acme-deploy 1.4.0_1 ")
    assert client.line.strayed == []
