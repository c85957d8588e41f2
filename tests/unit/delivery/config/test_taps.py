"""Files of taps: what is read of them, what is refused, and what Brewfiles ask of them."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.config import effective, selection, taps
from delivery.config.loading import load
from delivery.config.taps import UnfitTap
from delivery.errors import BadConfiguration

DIGEST = "0a" * 32
ENTRY = {
    "name": "deploy",
    "full_name": "acme/tools/deploy",
    "tap": "acme/tools",
    "versions": {"stable": "1.4.0"},
    "revision": 2,
    "bottle": {
        "stable": {
            "rebuild": 1,
            "root_url": "https://ghcr.io/v2/acme/homebrew-tools",
            "files": {"arm64_tahoe": {"cellar": ":any", "url": "https://…", "sha256": DIGEST}},
        }
    },
    "dependencies": ["jq", "acme/tools/agent"],
    "uses_from_macos": ["zlib", {"bison": "build"}],
}


def text(change=lambda _: None):
    entry = copy.deepcopy(ENTRY)
    change(entry)
    return json.dumps({"formulae": [entry], "casks": []})


def test_what_brew_prints_is_read():
    (found,) = taps.parse(text())

    assert found.full_name == "acme/tools/deploy"
    assert found.as_settings() == {
        "repository": "acme/homebrew-tools",
        "formula": "deploy",
        "version": "1.4.0_2",
        "rebuild": 1,
        "digests": {"arm64_tahoe": DIGEST},
        "dependencies": ["jq"],
        "linux_dependencies": ["zlib"],
    }


def at(*path, value):
    def change(entry):
        for step in path[:-1]:
            entry = entry[step]
        entry[path[-1]] = value

    return change


STABLE = ("bottle", "stable")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (at("tap", value="homebrew/core"), '"deploy" is of homebrew/core, whose API is signed'),
        (at("bottle", value={}), '"acme/tools/deploy" has no bottle'),
        (at(*STABLE, "files", value={}), '"acme/tools/deploy" has no bottle'),
        (at(*STABLE, "root_url", value="https://acme.example/v2/x/y"), "brew asks no mirror"),
        (at(*STABLE, "root_url", value="https://ghcr.io/v2/../core"), "brew asks no mirror"),
        (at(*STABLE, "root_url", value="https://ghcr.io/v2/homebrew/core"), "claim to be homebrew"),
        (at(*STABLE, "files", "arm64_tahoe", "sha256", value="0b"), '"0b" for a SHA-256'),
        (at("name", value="../deploy"), '"../deploy" is no name of a formula'),
        (at("versions", value=None), "not what brew prints"),
    ],
)
def test_what_cannot_be_mirrored_is_refused_with_its_reason(change, told):
    with pytest.raises(UnfitTap) as refused:
        taps.parse(text(change))

    assert told in refused.value.problem
    assert refused.value.remedy


@pytest.mark.parametrize("body", ["", "[]", '{"formulae": []}', '{"formulae": [1]}', "[" * 9999])
def test_another_file_is_refused(body):
    with pytest.raises(UnfitTap):
        taps.parse(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(st.sampled_from(sorted(ENTRY)), JSON)
def test_whatever_stands_there_it_is_read_or_refused(field, value):
    try:
        (found,) = taps.parse(text(at(field, value=value)))
    except UnfitTap:
        return

    assert "/" not in found.formula
    assert all(len(each) == 64 for each in found.digests.values())


@pytest.fixture
def environment(tmp_path):
    """The environment dev with the file of a tap and a Brewfile."""

    def make(brewfile="", tap=None):
        (tmp_path / "Brewfile").write_text(brewfile)
        (tmp_path / "tap.json").write_text(text() if tap is None else tap)
        files = f"brewfiles: [{tmp_path}/Brewfile], tap_files: [{tmp_path}/tap.json]"
        path = tmp_path / "airbrew.yaml"
        path.write_text(
            "project: {name: acme}\nenvironments:\n"
            f"  dev: {{type: development, selection: {{{files}}}}}\n"
            "  staging: {type: staging}\n  prod: {type: production}\n"
        )
        return effective.effective(load(path), "dev")

    return make


def test_the_mirror_gets_what_the_file_says_and_not_its_name(environment):
    wanted = selection.selection(environment())

    assert [each["formula"] for each in wanted["taps"]] == ["deploy"]
    assert "tap_files" not in wanted


def test_a_brewfile_is_noted_only_where_no_file_has_what_it_asks(environment, tmp_path):
    brewfile = """\
tap "acme/tools"
brew "acme/tools/deploy"
tap "other/tap"; brew "acme/tools/none"
"""
    told = list(selection.notes(environment(brewfile)))

    line = f"{tmp_path}/Brewfile:3"
    missing = "no file of selection.tap_files"
    assert told == [
        f'{line}: "acme/tools/none" is in {missing}: it is not mirrored',
        f"{line}: the tap other/tap is not mirrored: {missing} has it",
    ]


def test_a_file_that_is_not_fit_makes_the_configuration_wrong(environment):
    with pytest.raises(BadConfiguration, match=r"tap\.json: it has no formulae"):
        environment(tap='{"formulae": []}')


def test_a_file_that_is_not_there_is_told():
    with pytest.raises(UnfitTap, match="cannot be read: No such file or directory"):
        taps.read("config/no-such-tap.json")
