"""Brewfiles: what they ask for, what is noted and left alone, and what is not understood."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.config import brewfiles, effective, selection
from delivery.config.brewfiles import BadBrewfile
from delivery.config.loading import load
from delivery.errors import BadConfiguration

WHOLE = """\
# What the team needs.
tap "homebrew/bundle"
tap 'acme/tools', "https://git.example.org/tools.git", force_auto_update: true
brew "jq" # a comment
brew "openssl@3", link: true, restart_service: :changed, args: ["with-x",
  "with-y"]
brew("git")
brew "homebrew/core/tree", :link => :overwrite
brew "wget",
  postinstall: "say \\"done\\""
brew "acme/tools/deploy"
cask "firefox", args: { appdir: "~/Applications", "language": "de" }
cask_args require_sha: true
mas "Xcode", id: 497799835
vscode "editorconfig.editorconfig"; brew "zstd"
"""


def test_formulae_casks_and_taps_are_found_in_their_order():
    found = brewfiles.parse(WHOLE)

    assert found.formulae == ["jq", "openssl@3", "git", "tree", "wget", "zstd"]
    assert found.casks == ["firefox"]
    assert [name for _, name in found.taps] == ["homebrew/bundle", "acme/tools"]
    assert found.tapped == [(11, "acme/tools/deploy")]


def test_what_is_left_alone_is_noted_with_its_line():
    assert brewfiles.parse(WHOLE).notes == {
        13: "cask_args is nothing that a mirror holds",
        14: "mas is nothing that a mirror holds",
        15: "vscode is nothing that a mirror holds",
    }


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ('brew "jq"\nbrew "x" if OS.mac?', 2, ".mac"),
        ('if true\n  brew "x"\nend', 1, '"if" is not understood here'),
        ('name = "jq"', 1, '= "jq"'),
        ("brew name", 1, '"name" is not understood here'),
        ('brew "a#{b}"', 1, "is not understood"),
        ("\n\nbrew", 3, "brew without a name in quotes"),
        ("brew :jq", 1, "brew without a name in quotes"),
        ('brew "a" "b"', 1, '""b"" is not understood here'),
        ('brew "a", args: ["b" "c"]', 1, '""c"" is not understood here'),
        ('brew "a", args: ["b",\n', 2, "the file ends within a bracket"),
        ('brew "a b"', 1, '"a b" is no name of a formula or cask'),
        ('brew "a', 1, '"a'),
        ("=begin", 1, "=begin"),
    ],
)
def test_a_line_that_is_not_understood_is_told_with_its_number(text, line, told):
    with pytest.raises(BadBrewfile) as refused:
        brewfiles.parse(text)

    assert refused.value.line == line
    assert told in refused.value.problem


NAMES = st.from_regex(r"[a-z][a-z0-9@+._-]{0,12}", fullmatch=True)
GAPS = st.sampled_from([" ", "  ", "\t"])
BREAKS = st.sampled_from([" ", "\n", " \n  ", " # why\n "])
QUOTES = st.sampled_from(['"', "'"])
VALUES = st.recursive(
    st.sampled_from(['"text"', "'text'", ":symbol", "true", "nil", "12", '"with # mark"']),
    lambda inner: st.one_of(
        st.builds(lambda a, b, gap: f"[{gap}{a},{gap}{b}{gap}]", inner, inner, BREAKS),
        st.builds(lambda a, gap: f"{{ key: {a},{gap}other: 1 }}", inner, BREAKS),
        st.builds(lambda a: f'{{ "key" => {a} }}', inner),
    ),
    max_leaves=6,
)
STATEMENTS = st.builds(
    lambda kind, gap, quote, name, options, end: (
        kind,
        name,
        f"{kind}{gap}{quote}{name}{quote}{options}{end}",
    ),
    st.sampled_from(["brew", "cask", "tap", "mas"]),
    GAPS,
    QUOTES,
    NAMES,
    st.builds(
        lambda values, gap: "".join(f",{gap}option: {value}" for value in values),
        st.lists(VALUES, max_size=3),
        BREAKS,
    ),
    st.sampled_from(["\n", "\r\n", "  # comment\n", ";", "\n\n"]),
)


@given(st.lists(STATEMENTS, max_size=6))
def test_every_plain_statement_is_read_however_it_is_spaced(statements):
    found = brewfiles.parse("".join(text for _, _, text in statements))

    assert found.formulae == [name for kind, name, _ in statements if kind == "brew"]
    assert found.casks == [name for kind, name, _ in statements if kind == "cask"]
    assert [name for _, name in found.taps] == [
        name for kind, name, _ in statements if kind == "tap"
    ]


@given(st.text(alphabet="brew \"jq',[]{}:=>#\\\n\t1;(", max_size=60))
def test_any_text_is_either_read_or_refused_with_a_line_of_it(text):
    line = 1
    try:
        brewfiles.parse(text)
    except BadBrewfile as error:
        line = error.line

    assert 1 <= line <= text.count("\n") + 1


@pytest.fixture
def environment(tmp_path):
    """The environment dev, with this Brewfile and these lines of its selection."""

    def make(brewfile, more=""):
        (tmp_path / "Brewfile").write_text(brewfile)
        path = tmp_path / "airbrew.yaml"
        path.write_text(
            "project: {name: acme}\nenvironments:\n"
            f"  dev: {{type: development, selection: {{brewfiles: [{tmp_path}/Brewfile]{more}}}}}\n"
            "  staging: {type: staging}\n  prod: {type: production}\n"
        )
        return effective.effective(load(path), "dev")

    return make


def test_a_brewfile_alone_says_all_that_is_wanted(environment):
    wanted = selection.selection(environment('brew "jq"\nbrew "git"\n'))

    assert wanted["formulae"] == ["jq", "git"]
    assert "brewfiles" not in wanted


def test_a_brewfile_adds_to_the_formulae_that_are_named(environment):
    wanted = selection.selection(environment('brew "jq"\nbrew "git"', ", formulae: [git, xz]"))

    assert wanted["formulae"] == ["git", "xz", "jq"]


def test_the_casks_of_a_brewfile_come_besides_those_that_are_named(environment):
    brewfile = 'cask "iterm2"\ncask "homebrew/cask/firefox"\n'

    wanted = selection.selection(environment(brewfile, ", casks: [zoom, iterm2]"))

    assert wanted["casks"] == ["zoom", "iterm2", "firefox"]
    assert wanted["formulae"] == ["*"]


def test_notes_name_the_file_and_the_line(environment, tmp_path):
    told = list(selection.notes(environment('\nmas "Xcode", id: 1')))

    assert told == [f"{tmp_path}/Brewfile:2: mas is nothing that a mirror holds"]


def test_a_line_that_is_not_understood_makes_the_configuration_wrong(environment):
    with pytest.raises(BadConfiguration, match=r"Brewfile:2: \"puts\" is not understood here"):
        environment('brew "jq"\nputs "x"')


def test_a_brewfile_that_is_not_there_is_told():
    with pytest.raises(selection.UnfitBrewfile) as refused:
        selection.read("config/no-such-Brewfile")

    assert refused.value.problem == (
        '"config/no-such-Brewfile" cannot be read: No such file or directory'
    )
