"""Which bottles: names, globs, aliases, and the closure of what they need at run time."""

from __future__ import annotations

import json

import pytest

from mirror import catalogue
from mirror.errors import UnknownFormula, UntrustedCatalogue
from mirror.selection import select
from mirror.settings import Selection

FORMULAE = {
    "jq": {"stable_dependencies": ["oniguruma", {"autoconf": ":build"}]},
    "oniguruma": {},
    "autoconf": {"stable_dependencies": ["m4"]},
    "m4": {},
    "python@3.12": {"stable_dependencies": ["openssl@3", {"pkgconf": [":build", ":test"]}]},
    "python@3.13": {"stable_dependencies": ["openssl@3"], "aliases": ["python3"]},
    "openssl@3": {"stable_dependencies": ["ca-certificates", ":linux", {":macos": [">= 14"]}]},
    "ca-certificates": {"stable_dependencies": [{"jq": [":test"]}]},
    "curl": {
        "stable_dependencies": ["openssl@3"],
        "stable_uses_from_macos": [
            ["zlib"],
            ["expat", {":since": ":sequoia"}],
            [{"bison": ":build"}],
        ],
    },
    "zlib": {},
    "expat": {},
    "bison": {},
    "pkgconf": {},
    "round": {"stable_dependencies": ["about"]},
    "about": {"stable_dependencies": ["round"]},
    "needs-alias": {"stable_dependencies": ["python3", "old-jq"]},
    "libsigc++": {},
}
TABLES = {"formula_renames": {"old-jq": "jq"}, "formula_aliases": {"ssl": "openssl@3"}}


def read(platform="arm64_tahoe", formulae=FORMULAE, **tables):
    for name, entry in formulae.items():
        entry.setdefault("stable_version", "1.0")
        if name != "m4":
            entry.setdefault("bottle_checksum", "ab" * 32)
    document = {"metadata": {"bottle_tag": platform}, "formulae": formulae, **TABLES, **tables}
    return catalogue.parse(json.dumps(document), platform, "file")


def names(*wanted, platform="arm64_tahoe", dependencies=True):
    selection = Selection((platform,), wanted, include_dependencies=dependencies)
    return sorted(select([read(platform)], selection).platforms[0].formulae)


def test_a_formula_comes_with_what_it_needs_at_run_time():
    assert names("jq") == ["jq", "oniguruma"]


def test_what_is_needed_only_to_build_or_test_does_not_come():
    assert names("python@3.12") == ["ca-certificates", "openssl@3", "python@3.12"]


def test_dependencies_can_be_left_out():
    assert names("jq", dependencies=False) == ["jq"]


def test_a_glob_selects_what_it_matches():
    assert names("python@3.*", dependencies=False) == ["python@3.12", "python@3.13"]


def test_a_star_selects_all():
    assert names("*") == sorted(FORMULAE)


def test_plus_signs_are_not_special():
    assert names("libsigc++") == ["libsigc++"]


@pytest.mark.parametrize(
    ("wanted", "meant"), [("ssl", "openssl@3"), ("old-jq", "jq"), ("python3", "python@3.13")]
)
def test_aliases_and_former_names_lead_to_the_formula(wanted, meant):
    assert names(wanted, dependencies=False) == [meant]


def test_dependencies_named_by_alias_or_former_name_are_found():
    assert {"python@3.13", "jq"} < set(names("needs-alias"))


def test_formulae_that_need_each_other_end():
    assert names("round") == ["about", "round"]


@pytest.mark.parametrize(
    ("platform", "from_macos"),
    [
        ("arm64_tahoe", set()),
        ("sequoia", set()),
        ("arm64_sonoma", {"expat"}),
        ("monterey", {"expat"}),
        ("arm64_golden_gate", set()),
        ("x86_64_linux", {"expat", "zlib"}),
        ("arm64_linux", {"expat", "zlib"}),
    ],
)
def test_what_macos_brings_is_needed_where_it_does_not(platform, from_macos):
    selected = set(names("curl", platform=platform))

    assert selected == {"curl", "openssl@3", "ca-certificates"} | from_macos


NO_BOTTLE = {
    "platform": "arm64_tahoe",
    "problem": "upstream has no bottle of it for this platform",
}


def test_a_formula_without_bottle_is_counted_not_fatal():
    selected = select(
        [read()], Selection(("arm64_tahoe",), ("m4", "jq"), include_dependencies=True)
    )

    assert selected.without_bottle == [{"formula": "m4", **NO_BOTTLE}]
    assert [bottle.formula for bottle in selected.bottles] == ["jq", "oniguruma"]


def test_a_dependency_that_the_catalogue_lacks_is_reported():
    lacking = read(formulae={"jq": {"stable_dependencies": ["gone"]}})

    selected = select([lacking], Selection(("arm64_tahoe",), ("jq",), include_dependencies=True))

    assert selected.without_bottle == [{"formula": "gone", **NO_BOTTLE}]


def test_names_that_match_nothing_are_told_all_at_once_with_the_nearest():
    told = r'nothing in the catalogue matches "onigurama" \(did you mean "oniguruma"\?\), "zz\*"'

    with pytest.raises(UnknownFormula, match=told):
        names("onigurama", "jq", "zz*")


def test_a_name_that_one_platform_knows_is_enough():
    here, there = read(), read("x86_64_linux", formulae={"only-linux": {}})
    wanted = Selection(("arm64_tahoe", "x86_64_linux"), ("only-linux",), include_dependencies=True)

    selected = select([here, there], wanted)

    assert [bottle.formula for bottle in selected.bottles] == ["only-linux"]


def test_a_bottle_of_an_older_macos_is_taken_under_its_own_tag():
    older = read(formulae={"jq": {"bottle_tag": ":arm64_sequoia", "revision": 2}})

    selected = select([older], Selection(("arm64_tahoe",), ("jq",), include_dependencies=True))

    assert selected.bottles[0].label == "jq 1.0_2 arm64_sequoia"


@pytest.mark.parametrize("asked", ["*", "needs-odd"])
def test_one_odd_name_among_thousands_is_reported_and_stops_nothing(asked):
    formulae = {
        "odd": {"stable_version": "1/2"},
        "needs-odd": {"stable_dependencies": ["odd"]},
    }

    selected = select(
        [read(formulae=formulae)],
        Selection(("arm64_tahoe",), (asked,), include_dependencies=True),
    )

    assert [bottle.formula for bottle in selected.bottles] == ["needs-odd"]
    assert [each["formula"] for each in selected.without_bottle] == ["odd"]
    assert '"1/2" cannot be part of a key' in selected.without_bottle[0]["problem"]


HOSTILE = {
    "a path in the name": ("../../etc", {}),
    "a slash in the name": ("a/b", {}),
    "a name that becomes a dot": ("x@.", {}),
    "an empty segment": ("x@@y", {}),
    "a space": ("a b", {}),
    "a path in the version": ("jq", {"stable_version": "1/../../2"}),
    "dots in the version": ("jq", {"stable_version": "1..2"}),
    "a version with a query": ("jq", {"stable_version": "1?x"}),
    "a line end in the version": ("jq", {"stable_version": "1.0\n"}),
    "a short digest": ("jq", {"bottle_checksum": "ab"}),
    "a digest that is a path": ("jq", {"bottle_checksum": "../" + "a" * 61}),
    "a path in the tag": ("jq", {"bottle_tag": ":../x"}),
}


@pytest.mark.parametrize(("name", "entry"), HOSTILE.values(), ids=HOSTILE)
def test_names_that_would_leave_their_prefix_are_refused_and_never_used(name, entry):
    hostile = read(formulae={name: dict(entry)})

    with pytest.raises(UntrustedCatalogue, match="cannot be part of a key or a URL"):
        select([hostile], Selection(("arm64_tahoe",), (name,), include_dependencies=True))
    selected = select([hostile], Selection(("arm64_tahoe",), ("*",), include_dependencies=True))

    assert name not in [bottle.formula for bottle in selected.bottles]
    assert name in [each["formula"] for each in selected.without_bottle]


def test_a_catalogue_of_another_platform_is_refused():
    with pytest.raises(UntrustedCatalogue, match='made for the platform "tahoe", not "sonoma"'):
        catalogue.parse('{"metadata": {"bottle_tag": "tahoe"}, "formulae": {}}', "sonoma", "file")


@pytest.mark.parametrize(
    "payload", ["[]", "{}", '{"formulae": []}', '{"formulae": {"a": 1}}', "no json"]
)
def test_a_catalogue_of_an_unknown_shape_is_refused(payload):
    with pytest.raises(UntrustedCatalogue, match="not the catalogue of a platform"):
        catalogue.parse(payload, "tahoe", "https://example.org/api")
