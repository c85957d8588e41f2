"""probe: which bottle and which dependencies a platform gets from either form of the catalogue."""

from __future__ import annotations

import pytest

from delivery.errors import BadInput
from delivery.mirror.bottles import Bottle
from delivery.probe.catalogues import Formulae, Packages, closure
from delivery.probe.sampling import sample
from delivery.probe.targets import Target, public_key

DIGESTS = {tag: tag.ljust(64, "0") for tag in ("all", "arm64_sonoma", "arm64_tahoe", "tahoe")}


def formula(*tags, **more):
    files = {tag: {"sha256": DIGESTS[tag]} for tag in tags}
    stable = {"rebuild": 2, "files": files}
    entry = {
        "name": "x",
        "versions": {"stable": "1.0"},
        "revision": 1,
        "bottle": {"stable": stable},
    }
    return {**entry, **more}


@pytest.mark.parametrize(
    ("platform", "tags", "found"),
    [
        ("arm64_tahoe", ["arm64_tahoe", "all"], "arm64_tahoe"),
        ("arm64_tahoe", ["tahoe", "arm64_sonoma"], "arm64_sonoma"),
        ("arm64_tahoe", ["arm64_sonoma", "all"], "all"),
        ("tahoe", ["tahoe"], "tahoe"),
    ],
)
def test_the_own_bottle_goes_before_one_for_all_before_an_older_one(platform, tags, found):
    bottle = Formulae([formula(*tags)], platform).bottle("x")

    assert (bottle.tag, bottle.digest) == (found, DIGESTS[found])
    assert (bottle.version, bottle.rebuild, bottle.ref_name) == ("1.0_1", 2, f"1.0_1.{found}.2")


@pytest.mark.parametrize("name", ["x", "short", "former"])
def test_a_selection_s_alias_or_former_name_means_the_formula(name):
    older = Formulae([formula(aliases=["short"], oldnames=["former"])], "arm64_tahoe")
    tables = {"formula_aliases": {"short": "x"}, "formula_renames": {"former": "x"}}
    newer = Packages({"formulae": {"x": {}}, **tables}, "arm64_tahoe")

    assert (older.resolve(name), newer.resolve(name)) == ("x", "x")
    assert (older.resolve("other"), newer.resolve("other")) == (None, None)


def test_a_tag_holds_no_character_that_a_registry_refuses():
    bottle = Bottle("libsigc++@2", "1.0+git_1", 2, "arm64_tahoe", "0" * 64)

    assert (bottle.image, bottle.manifest_tag) == ("libsigcxx/2", "1.0.git_1-2")
    assert bottle.ref_name == "1.0+git_1.arm64_tahoe.2"
    assert bottle.file_name == "libsigc%2B%2B%402-1.0%2Bgit_1.arm64_tahoe.bottle.2.tar.gz"


@pytest.mark.parametrize(
    ("platform", "tags"),
    [("arm64_sonoma", ["arm64_tahoe"]), ("x86_64_linux", ["tahoe"]), ("tahoe", ["arm64_sonoma"])],
)
def test_a_newer_or_foreign_bottle_does_not_stand_in(platform, tags):
    assert Formulae([formula(*tags)], platform).bottle("x") is None


def test_a_formula_that_is_not_there_has_no_bottle():
    assert Formulae([], "arm64_tahoe").bottle("x") is None
    assert Packages({"formulae": {}}, "arm64_tahoe").bottle("x") is None


@pytest.mark.parametrize(
    ("platform", "needed"),
    [
        ("arm64_tahoe", ["onig"]),
        ("arm64_sonoma", ["onig", "expat"]),
        ("x86_64_linux", ["onig", "zlib", "expat"]),
    ],
)
def test_macos_brings_some_dependencies_along(platform, needed):
    entry = {
        "stable_dependencies": ["onig", ":linux", {"pkgconf": ":build"}, {":macos": []}],
        "stable_uses_from_macos": [
            ["zlib"],
            ["expat", {":since": ":sequoia"}],
            [{"bison": ":build"}],
        ],
    }
    older = formula(
        dependencies=["onig"],
        uses_from_macos=["zlib", "expat", {"bison": "build"}],
        uses_from_macos_bounds=[{}, {"since": "sequoia"}, {}],
    )

    assert list(Packages({"formulae": {"x": entry}}, platform).dependencies("x")) == needed
    assert list(Formulae([older], platform).dependencies("x")) == needed


def test_a_variation_overrides_the_dependencies_of_its_platform():
    entry = formula(dependencies=["a"], variations={"tahoe": {"dependencies": ["b"]}})

    assert list(Formulae([entry], "tahoe").dependencies("x")) == ["b"]
    assert list(Formulae([entry], "sonoma").dependencies("x")) == ["a"]


def test_the_closure_ends_although_dependencies_go_round_and_aliases_are_followed():
    entries = {
        "a": {"stable_dependencies": ["b", "sea"]},
        "b": {"stable_dependencies": ["a"]},
        "c": {},
    }
    catalogue = Packages({"formulae": entries, "formula_aliases": {"sea": "c"}}, "arm64_tahoe")

    assert sorted(closure(catalogue, ["a"])) == ["a", "b", "c"]


def test_a_sample_has_every_oddity():
    def entry(**more):
        return {"stable_version": "1", "bottle_checksum": "0" * 64, **more}

    entries = {
        **{name: entry() for name in "abcd"},
        "none": {"stable_version": "1"},
        "e@1": entry(),
        "f@1": entry(),
        "g++": entry(),
        "h": entry(revision=1),
        "i": entry(bottle_rebuild=1),
        "j": entry(bottle_tag=":all"),
    }

    found = sample(Packages({"formulae": entries}, "arm64_tahoe"))

    assert found == ["a", "b", "c", "e@1", "g++", "h", "i", "j"]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ({"url": ""}, "no mirror was named"),
        ({"url": "mirror.example.com"}, '"mirror.example.com" is not the address of a mirror'),
        ({"url": "ftp://mirror.example.com"}, "is not the address of a mirror"),
        ({"url": "https://"}, '"https://" is not the address of a mirror'),
        ({"api_url": "api"}, '"api" is not the address of a mirror'),
        ({"layout": "oci"}, 'no layout "oci"'),
        ({"platforms": ["macOS 26"]}, '"macOS 26" is not a platform'),
        ({"platforms": ["../x"]}, '"../x" is not a platform'),
        ({"timeout_seconds": 0}, "no time to wait: 0 s"),
        ({"bottle_limit_bytes": -1}, "a limit below zero"),
    ],
)
def test_what_cannot_be_probed_is_bad_input(target, message):
    sound = {"url": "https://mirror.example.com", "platforms": ["arm64_tahoe"]}

    with pytest.raises(BadInput, match=message):
        Target(**{**sound, **target})


def test_a_trailing_slash_makes_no_difference():
    target = Target("https://mirror.example.com/x/", ["x86_64_linux"])

    assert (target.url, target.api_url) == (
        "https://mirror.example.com/x",
        "https://mirror.example.com/x/api",
    )


def test_a_key_file_that_is_none_is_bad_input(tmp_path):
    file = tmp_path / "key.pem"
    file.write_text("no key")

    with pytest.raises(BadInput, match="is not a public key in PEM"):
        public_key(str(file))


def test_a_key_file_is_read(tmp_path, public_key_pem):
    file = tmp_path / "key.pem"
    file.write_text(public_key_pem)

    assert public_key(str(file)) == public_key_pem
    assert public_key("") == ""
