"""What is left out of a selection, what stays in all the same, and how that is told."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror import catalogue, planning
from mirror.selection import select
from mirror.settings import Selection

TODAY = date(2026, 11, 22)
LAST_YEAR, NEXT_YEAR = {":date": "2025-11-22"}, {":date": "2027-11-22"}
FORMULAE = {
    "git": {"stable_dependencies": ["pcre2", "gettext"]},
    "pcre2": {},
    "gettext": {"stable_dependencies": ["libunistring"]},
    "libunistring": {},
    "llvm": {},
    "llvm@20": {},
    "old": {"deprecate_args": LAST_YEAR},
    "aging": {"deprecate_args": NEXT_YEAR},
    "gone": {"disable_args": LAST_YEAR},
    "going": {"disable_args": NEXT_YEAR},
    "needs-old": {"stable_dependencies": ["old", "gone"]},
}
ALL = Selection(("arm64_tahoe",), ("*",), include_dependencies=True)


def read(formulae):
    entries = {
        name: {"stable_version": "1.0", "bottle_checksum": "ab" * 32, **entry}
        for name, entry in formulae.items()
    }
    document = {"metadata": {"bottle_tag": "arm64_tahoe"}, "formulae": entries}
    return catalogue.parse(json.dumps(document), "arm64_tahoe", "file")


def chosen(*formulae, **more):
    wanted = replace(ALL, formulae=formulae, **more)
    return select([read(FORMULAE)], wanted, TODAY).platforms[0]


def test_what_is_excluded_is_not_selected():
    selected = chosen("*", exclude=("llvm*", "git"))

    assert not selected.formulae & {"llvm", "llvm@20", "git"}
    assert selected.warnings == {}


def test_an_excluded_formula_that_another_needs_stays_and_is_told():
    selected = chosen("git", exclude=("lib*",))

    assert selected.warnings == {
        "libunistring": "excluded, but gettext needs it at run time: it stays in"
    }
    assert "libunistring" in selected.formulae


def test_an_exclusion_that_matches_nothing_is_no_error():
    assert chosen("git", exclude=("rust",)).formulae == chosen("git").formulae


def test_without_dependencies_an_exclusion_needs_no_warning():
    selected = chosen("git", "lib*", exclude=("lib*",), include_dependencies=False)

    assert selected.formulae == {"git"}
    assert selected.warnings == {}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, {"aging"}),
        ({"include_deprecated": True}, {"aging", "old", "going"}),
        ({"include_disabled": True}, {"aging", "gone"}),
        (
            {"include_deprecated": True, "include_disabled": True},
            {"aging", "old", "going", "gone"},
        ),
    ],
)
def test_a_glob_takes_deprecated_and_disabled_ones_only_when_told_to(more, expected):
    selected = chosen("[ago]*", exclude=("git", "gettext"), **more)

    assert selected.formulae & {"aging", "old", "going", "gone"} == expected


def test_a_deprecated_or_disabled_formula_that_is_named_stays_with_a_warning():
    selected = chosen("old", "gone", "going")

    assert selected.formulae == {"old", "gone", "going"}
    assert selected.warnings == {
        "going": "deprecated upstream",
        "gone": "disabled upstream: brew refuses to install it",
        "old": "deprecated upstream",
    }


def test_a_deprecated_dependency_comes_with_what_needs_it():
    assert chosen("needs*").formulae == {"needs-old", "old", "gone"}


def test_a_chain_leads_from_what_the_settings_name_to_a_dependency():
    assert chosen("git").chain("libunistring") == ("git", "gettext", "libunistring")
    assert chosen("git").chain("git") == ("git",)


NAMES = "abcdefgh"
GRAPHS = st.fixed_dictionaries(
    {
        name: st.fixed_dictionaries(
            {"stable_dependencies": st.lists(st.sampled_from(NAMES), unique=True, max_size=3)},
            optional={
                "deprecate_args": st.sampled_from([LAST_YEAR, NEXT_YEAR]),
                "disable_args": st.sampled_from([LAST_YEAR, NEXT_YEAR]),
            },
        )
        for name in NAMES
    }
)
PATTERNS = st.lists(st.sampled_from([*NAMES, "*", "[a-c]", "[d-f]"]), min_size=1, max_size=4)


@given(GRAPHS, PATTERNS, st.lists(st.sampled_from([*NAMES, "[a-d]"])), st.booleans())
def test_whatever_is_excluded_nothing_that_is_selected_lacks_what_it_needs(
    graph, formulae, exclude, include
):
    wanted = replace(
        ALL, formulae=tuple(formulae), exclude=tuple(exclude), include_deprecated=include
    )

    selected = select([read(graph)], wanted, TODAY).platforms[0]

    for name in selected.formulae:
        assert set(graph[name]["stable_dependencies"]) <= selected.formulae
    for name in selected.formulae & _matching(exclude):
        assert "excluded, but" in selected.warnings[name]


@given(GRAPHS, PATTERNS, st.lists(st.sampled_from(NAMES)))
def test_every_chain_begins_with_a_selected_name_and_each_link_needs_the_next(
    graph, formulae, exclude
):
    wanted = replace(ALL, formulae=tuple(formulae), exclude=tuple(exclude))

    selected = select([read(graph)], wanted, TODAY).platforms[0]

    for name in selected.formulae:
        chain = selected.chain(name)
        assert chain[-1] == name
        assert chain[0] in _matching(formulae) - set(exclude)
        for dependent, needed in pairwise(chain):
            assert needed in graph[dependent]["stable_dependencies"]


def _matching(patterns):
    letters = {"*": NAMES, "[a-c]": "abc", "[d-f]": "def", "[a-d]": "abcd"}
    return {name for pattern in patterns for name in letters.get(pattern, pattern)}


MIB = 1024 * 1024
LARGE = b"x" * (MIB + 1)
NEXT_WEEK = datetime(2026, 11, 29, 3, 0, 0, tzinfo=UTC)


@pytest.fixture
def limited(sync):
    """A sync that takes bottles of one MiB at most."""
    settings = sync.connections.settings
    selection = replace(settings.selection, max_bottle_mib=1)
    sync.connections = sync.connections.with_settings(replace(settings, selection=selection))
    return sync


def test_a_bottle_above_the_limit_is_left_out_and_reported(upstream, limited, stored):
    upstream.add("llvm", {"arm64_tahoe": LARGE})
    upstream.add("edge", {"arm64_tahoe": LARGE[1:]})

    published = limited.run()

    assert published["bottles"] == 1
    assert not [key for key in stored("v2/") if "llvm" in key]
    report = json.loads(stored()["syncs/2026-11-22T030000Z/report.json"])
    assert [(each["formula"], each["size_bytes"]) for each in report["too_large"]] == [
        ("llvm", MIB + 1)
    ]


def test_a_hole_in_what_something_selected_needs_is_told_with_what_it_breaks(
    upstream, limited, stored
):
    upstream.add("llvm", {"arm64_tahoe": LARGE})
    upstream.add("rust", {"arm64_tahoe": b"rust"}, stable_dependencies=["llvm"])
    settings = limited.connections.settings.overridden("", (), ("rust",))
    limited.connections = limited.connections.with_settings(settings)

    limited.run()

    told = json.loads(stored()["syncs/2026-11-22T030000Z/report.json"])["warnings"]
    assert told == [
        {
            "formula": "llvm",
            "platform": "arm64_tahoe",
            "problem": "too large to be mirrored, but rust needs it at run time",
        }
    ]


def test_what_was_too_large_is_not_looked_up_again(upstream, limited):
    upstream.add("llvm", {"arm64_tahoe": LARGE})
    upstream.add("jq", {"arm64_tahoe": b"jq"})
    limited.run()
    upstream.requests.clear()

    limited.run(now=NEXT_WEEK)
    limited.run(now=NEXT_WEEK + timedelta(days=7))

    assert upstream.paths("/v2/") == []


def test_a_raised_limit_brings_what_was_left_out(upstream, limited, stored, connections):
    upstream.add("llvm", {"arm64_tahoe": LARGE})
    upstream.add("jq", {"arm64_tahoe": b"jq"})
    limited.run()

    limited.connections = connections
    limited.run(now=NEXT_WEEK)

    assert [key for key in stored("v2/") if "llvm/blobs" in key]
    assert "snapshots/2026-11-29T030000Z/too_large.json" not in stored("snapshots/")


def test_a_dry_run_tells_the_warnings(upstream, connections):
    upstream.add("old", {"arm64_tahoe": b"old"}, deprecate_args=LAST_YEAR)
    settings = connections.settings.overridden("", (), ("old",))

    told = planning.dry_run(connections.with_settings(settings))["warnings"]

    assert told == [{"formula": "old", "platform": "arm64_tahoe", "problem": "deprecated upstream"}]


RUBY = {"jq": {}, "portable-ruby": {"bottle_tag": ":arm64_big_sur"}}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, {"jq"}),
        ({"portable_ruby": True}, {"jq", "portable-ruby"}),
        ({"portable_ruby": True, "exclude": ("portable-*",)}, {"jq"}),
    ],
)
def test_the_ruby_that_brew_installs_comes_when_the_settings_say_so(more, expected):
    wanted = replace(ALL, formulae=("jq",), **more)

    assert select([read(RUBY)], wanted, TODAY).platforms[0].formulae == expected


def test_an_upstream_without_that_ruby_is_mirrored_all_the_same():
    assert "portable-ruby" not in chosen("git", portable_ruby=True).formulae
