"""catalogues: a file of homebrew/core, served and signed by the sample upstream."""

from __future__ import annotations

import json
import lzma

import pytest

from sandbox import catalogues
from sandbox.errors import BadCatalogue, NotRunning

DIGEST = "ab" * 32
CATALOGUE = {
    "formulae": [
        {
            "name": "foo++@2",
            "version": "1.2",
            "revision": 3,
            "rebuild": 1,
            "bottles": {
                "arm64_sonoma": {"cellar": None, "sha256": DIGEST},
                "x86_64_linux": {"cellar": ":any", "sha256": "cd" * 32},
            },
            "dependencies": ["bar"],
            "aliases": ["foo"],
            "deprecated": True,
        },
        {"name": "bar", "version": "1", "bottles": {}},
    ],
    "formula_renames": {"old": "bar"},
    "tap_migrations": {"gone": "homebrew/cask"},
}


@pytest.fixture
def written(tmp_path):
    """Writes a catalogue file and gives its path."""

    def write(content, name="core.json"):
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        file = tmp_path / name
        file.write_bytes(lzma.compress(raw) if name.endswith(".xz") else raw)
        return file

    return write


@pytest.mark.parametrize("name", ["core.json", "core.json.xz"])
def test_a_catalogue_is_served_for_each_platform_that_a_client_can_have(
    ask, upstream, written, name
):
    api_url = catalogues.publish(f"{upstream.url}/api", written(CATALOGUE, name))

    found = ask.payload(f"{api_url}/internal/packages.arm64_tahoe.jws.json")
    entry = found["formulae"]["foo++@2"]
    assert entry["bottle_checksum"] == DIGEST
    assert entry["bottle_tag"] == ":arm64_sonoma"
    assert entry["bottle_cellar"] == "/opt/homebrew/Cellar"
    assert (entry["revision"], entry["bottle_rebuild"]) == (3, 1)
    assert found["formula_renames"] == {"old": "bar"}
    assert found["formula_tap_migrations"] == {"gone": "homebrew/cask"}


def test_the_same_file_has_the_same_address(upstream, written):
    file = written(CATALOGUE)

    assert catalogues.publish(f"{upstream.url}/api", file) == catalogues.publish(
        f"{upstream.url}/api", file
    )


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"not json", "neither JSON nor JSON in xz"),
        (b"\xfd7zXZ\x00broken", "neither JSON nor JSON in xz"),
        ([], "no list named 'formulae'"),
        ({"formulae": ["jq"]}, "the formula None has a bad or missing value"),
        ({"formulae": [{"name": "jq"}]}, "the formula 'jq' has a bad or missing value: 'version'"),
        (
            {"formulae": [{"name": "jq", "version": "1", "bottles": {"all": {"sha256": "x"}}}]},
            "sha256 of all is 'x'",
        ),
    ],
)
def test_anything_else_is_refused_and_named(upstream, written, content, problem):
    with pytest.raises(BadCatalogue, match=problem) as refused:
        catalogues.publish(f"{upstream.url}/api", written(content))

    assert refused.value.exit_code == 2
    assert "core.json" in str(refused.value)


def test_a_file_that_is_not_there_is_named(upstream, tmp_path):
    with pytest.raises(BadCatalogue, match="No such file or directory"):
        catalogues.publish(f"{upstream.url}/api", tmp_path / "absent.json")


def test_without_an_upstream_the_next_step_is_to_start_one(written):
    with pytest.raises(NotRunning, match=r"inv sandbox\.up"):
        catalogues.publish("http://127.0.0.1:9/api", written(CATALOGUE))


def test_a_catalogue_that_nobody_gave_is_404(ask):
    assert ask(f"/catalogues/{'0' * 16}/api/formula.jws.json").status == 404
