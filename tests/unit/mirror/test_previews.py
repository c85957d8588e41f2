"""What a dry run tells: sizes from manifests, S3 requests, and why each formula is in or not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mirror import planning, previews
from mirror.errors import UnknownFormula
from mirror.taps import TapFormula

LAST_YEAR = {":date": "2025-11-22"}
MIB = 1024 * 1024


@pytest.fixture
def offered(upstream):
    """wget needs openssl@3, which needs ca-certificates; one is old, one stands alone."""
    upstream.add("ca-certificates", {"all": b"certificates"})
    upstream.add("openssl@3", {"arm64_tahoe": b"ssl"}, stable_dependencies=["ca-certificates"])
    upstream.add("wget", {"arm64_tahoe": b"wget"}, stable_dependencies=["openssl@3"])
    upstream.add("old", {"arm64_tahoe": b"old"}, deprecate_args=LAST_YEAR)
    upstream.add("gone", {"arm64_tahoe": b"gone"}, disable_args=LAST_YEAR)
    upstream.add("rust", {"arm64_tahoe": b"rust"})
    return upstream


def dry_run(connections, *, why="", sizes=False, **selection):
    settings = connections.settings
    wanted = replace(settings.selection, **selection)
    changed = connections.with_settings(replace(settings, selection=wanted))
    return planning.dry_run(changed, why=why, sizes=sizes)


def test_a_chain_leads_from_the_selected_formula_to_the_one_asked_for(offered, connections):
    told = dry_run(connections, formulae=("wget",), why="ca-certificates")["why"]

    assert told == {
        "arm64_tahoe": {
            "chains": {"ca-certificates": ["wget", "openssl@3", "ca-certificates"]},
            "more": 0,
            "not_selected": {},
        }
    }


def test_a_glob_asks_for_every_chain_that_it_matches(offered, connections):
    told = dry_run(connections, formulae=("wget",), why="*")["why"]["arm64_tahoe"]

    assert sorted(told["chains"]) == ["ca-certificates", "openssl@3", "wget"]


@pytest.mark.parametrize(
    ("name", "selection", "reason"),
    [
        ("rust", {"formulae": ("wget",)}, "nothing in selection.formulae matches it"),
        ("rust", {"exclude": ("ru*",)}, 'selection.exclude has "ru*"'),
        ("old", {}, "deprecated upstream: name it, or set selection.include_deprecated"),
        ("gone", {}, "disabled upstream: name it, or set selection.include_disabled"),
        ("nowhere", {}, "upstream has no such formula"),
    ],
)
def test_what_is_not_selected_is_told_with_the_reason(
    offered, connections, name, selection, reason
):
    told = dry_run(connections, why=name, **selection)["why"]["arm64_tahoe"]

    assert told["chains"] == {}
    assert reason in told["not_selected"][name]


def test_a_formula_of_another_tap_is_in_because_its_file_names_it(offered, connections):
    held = TapFormula("acme/tools", "deploy", "1.0", 0, {"arm64_tahoe": "ab" * 32})
    elsewhere = TapFormula("acme/tools", "agent", "1.0", 0, {"x86_64_linux": "cd" * 32})
    wanted = {"formulae": ("wget",), "taps": (held, elsewhere)}

    told = [
        dry_run(connections, why=why, **wanted)["why"]["arm64_tahoe"]
        for why in ("acme/tools/deploy", "acme/tools/agent", "acme/*")
    ]

    chains = {"acme/tools/deploy": ["acme/tools/deploy"]}
    assert (told[0]["chains"], told[0]["not_selected"]) == (chains, {})
    problem = "the tap's file has no bottle of it for this platform"
    assert (told[1]["chains"], told[1]["not_selected"]) == ({}, {"acme/tools/agent": problem})
    assert told[2]["chains"] == chains


def test_each_example_comes_with_its_chain(offered, connections):
    answer = dry_run(connections, formulae=("wget",))

    assert answer["chains"]["openssl@3 1.0 arm64_tahoe"] == ["wget", "openssl@3"]
    assert list(answer["chains"]) == answer["examples"]


def test_sizes_come_from_the_manifests_and_nothing_is_written(offered, connections, stored):
    before = stored()

    sizes = dry_run(connections, formulae=("wget",), sizes=True)["sizes"]

    assert sizes["bytes"] == len(b"certificates" + b"ssl" + b"wget")
    assert (sizes["sized"], sizes["unsized"], sizes["too_large"]) == (3, 0, 0)
    assert sizes["largest"][0] == ["ca-certificates 1.0 all", len(b"certificates")]
    assert stored() == before


def test_a_manifest_that_is_not_there_leaves_its_bottle_unsized(offered, connections):
    offered.manifests.pop(("wget", "1.0"))

    sizes = dry_run(connections, formulae=("wget",), sizes=True)["sizes"]

    assert (sizes["sized"], sizes["unsized"]) == (2, 1)


def test_of_many_manifests_a_sample_is_read_and_the_rest_is_reckoned(
    upstream, connections, monkeypatch
):
    monkeypatch.setattr(previews, "MANIFESTS", 10)
    for index in range(40):
        upstream.add(f"tool-{index:02}", {"arm64_tahoe": b"%02d" % index * 500})

    sizes = dry_run(connections, sizes=True)["sizes"]

    assert (sizes["sized"], sizes["unsized"]) == (10, 30)
    assert (sizes["bytes"], sizes["estimate"]) == (10 * 1000, 40 * 1000)
    assert len(set(upstream.paths("/v2/"))) == 10


def test_the_sample_is_not_the_first_names(upstream, connections, monkeypatch):
    monkeypatch.setattr(previews, "MANIFESTS", 10)
    for index in range(40):
        upstream.add(f"tool-{index:02}", {"arm64_tahoe": b"%02d" % index})

    dry_run(connections, sizes=True)

    asked = {path.split("/")[4] for path in upstream.paths("/v2/")}
    assert not asked <= {f"tool-{index:02}" for index in range(10)}


def test_a_name_that_was_asked_for_and_is_not_there_blames_no_configuration(offered, connections):
    settings = connections.settings.overridden("", (), ("wgte",))

    with pytest.raises(UnknownFormula) as caught:
        planning.dry_run(connections.with_settings(settings))

    assert caught.value.where == "the formulae that were asked for"
    assert 'did you mean "wget"?' in str(caught.value)


def test_what_is_too_large_costs_nothing(upstream, connections):
    upstream.add("llvm", {"arm64_tahoe": b"x" * (MIB + 1)})

    sizes = dry_run(connections, max_bottle_mib=1, sizes=True)["sizes"]

    assert (sizes["bytes"], sizes["too_large"]) == (0, 1)


def test_what_a_bottle_that_is_too_large_breaks_is_told_before_any_sync(upstream, connections):
    upstream.add("llvm", {"arm64_tahoe": b"x" * (MIB + 1)})
    upstream.add("rust", {"arm64_tahoe": b"rust"}, stable_dependencies=["llvm"])

    answer = dry_run(connections, formulae=("rust",), max_bottle_mib=1, sizes=True)

    assert [each["problem"] for each in answer["warnings"]] == [
        "too large to be mirrored, but rust needs it at run time"
    ]


def test_a_large_bottle_takes_a_request_per_part(upstream, connections):
    upstream.add("llvm", {"arm64_tahoe": b"x" * (17 * MIB)})

    without = dry_run(connections)["requests"]["put"]
    with_sizes = dry_run(connections, sizes=True)["requests"]["put"]

    assert with_sizes - without == 4  # Three parts, opened and completed, instead of one PUT.


def test_no_manifest_is_asked_for_unless_sizes_are(offered, connections):
    dry_run(connections, why="*")

    assert offered.paths("/v2/") == []
