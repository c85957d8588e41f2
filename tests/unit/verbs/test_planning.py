"""How a dry run reads: rows, examples with their chains, notes, bytes and dollars."""

from __future__ import annotations

from dataclasses import replace

import pytest

from delivery.cost.prices import StoragePrices
from delivery.mirror.orchestrator import DryRun
from verbs import planning

PLAN = DryRun(
    formulae=3,
    bottles=3,
    present=1,
    missing=2,
    warnings=[
        {"formula": "old", "platform": platform, "problem": "deprecated upstream"}
        for platform in ("arm64_tahoe", "tahoe")
    ],
    by_platform={"arm64_tahoe": {"formulae": 3, "dependencies": 1, "bottles": 3, "missing": 2}},
    examples=["openssl@3 3.6.0 arm64_tahoe"],
    chains={"openssl@3 3.6.0 arm64_tahoe": ["wget", "openssl@3"]},
    sizes=None,
    requests={"put": 2000, "get": 10},
    why={},
)
SIZES = {
    "bytes": 2**31,
    "estimate": 2**32,
    "sized": 1,
    "unsized": 1,
    "too_large": 0,
    "largest": [["openssl@3 3.6.0 arm64_tahoe", 2**31]],
    "parts": 0,
}
NOTHING = {"chains": {}, "more": 0, "not_selected": {}}
PRICES = StoragePrices("us-east-1", 0.023, 0.000005, 0.0000004, "2025-01")


@pytest.fixture
def shown(capsys):
    """What a plan prints."""

    def show(prices=PRICES, **changed):
        planning.show(replace(PLAN, **changed), prices, "us-east-1", "dev")
        return capsys.readouterr().out

    return show


def test_an_example_says_through_what_it_is_in(shown):
    out = shown()

    assert "missing: openssl@3 3.6.0 arm64_tahoe  (wget → openssl@3)" in out
    assert "and 1 more" in out


def test_a_note_names_each_formula_once(shown):
    assert "note: old: deprecated upstream" in shown()


def test_requests_are_priced_where_no_sizes_were_asked_for(shown):
    out = shown()

    assert "2 bottles; their sizes were not asked for" in out
    assert "$0.01 for about 2000 PUT and 10 GET" in out
    assert "S3 Standard in us-east-1, list prices of 2025-01" in out


def test_bytes_and_the_monthly_price_are_told(shown):
    out = shown(sizes=SIZES | {"unsized": 0, "sized": 2, "estimate": 2**31})

    assert "to fetch  2.0 GiB in 2 bottles\n" in out
    assert "largest   openssl@3 3.6.0 arm64_tahoe 2.0 GiB" in out
    assert "$0.05 a month to keep it" in out


def test_of_a_sample_bytes_and_dollars_are_reckoned_and_said_to_be(shown):
    out = shown(sizes=SIZES)

    assert "about 4.0 GiB in 2 bottles, reckoned from 1 of them" in out
    assert "$0.09 a month to keep it" in out


def test_the_bytes_of_casks_are_paid_for_too(shown):
    sizes = {"bytes": 2**32, "unsized": 0, "failed": []}

    assert "$0.18 a month to keep it" in shown(sizes=SIZES, casks=CASKS | {"sizes": sizes})


def test_a_mirror_that_holds_all_is_told_so_and_costs_no_more(shown):
    out = shown(missing=0, sizes=SIZES | {"bytes": 0, "estimate": 0, "largest": []})

    assert "to fetch  nothing: the mirror holds all of these bottles\n" in out
    assert "a month" not in out


def test_nothing_is_reckoned_from_nothing(shown):
    sizes = SIZES | {"bytes": 0, "estimate": 0, "sized": 0, "unsized": 2, "largest": []}

    assert "to fetch  2 bottles of unknown size\n" in shown(sizes=sizes)


def test_each_formula_is_told_with_what_needs_it(shown):
    chains = {"wget": ["wget"], "openssl@3": ["wget", "openssl@3"]}
    why = {"arm64_tahoe": {"chains": chains, "more": 0, "not_selected": {}}}

    out = shown(why=why)

    assert "why each formula is in:\n  selected: wget\n  needed: wget → openssl@3\n" in out


def test_of_many_formulae_the_rest_is_pointed_to(shown):
    chains = {f"tool-{index:02}": [f"tool-{index:02}"] for index in range(25)}
    why = {"arm64_tahoe": {"chains": chains, "more": 3, "not_selected": {}}}

    out = shown(why=why)

    assert "why each formula is in; of 8 more, inv mirror.why --env dev tells:\n" in out
    assert max(map(len, out.splitlines())) <= 80


def test_a_cask_is_told_with_its_chain(shown):
    why = {"arm64_tahoe": {"term": ["gitup", "term"]}}

    out = shown(why={"arm64_tahoe": NOTHING}, casks=CASKS | {"why": why})

    assert "  needed: gitup → cask term\n" in out


def test_a_region_without_prices_has_no_dollars(shown):
    assert "config/prices.yaml has no S3 prices of us-east-1" in shown(prices=None)


def test_platforms_that_agree_are_told_once(capsys):
    chain = {"chains": {"xz": ["libxml2", "xz"]}, "more": 0, "not_selected": {}}
    absent = {"chains": {}, "more": 0, "not_selected": {"xz": "it is excluded"}}
    why = {"arm64_tahoe": chain, "arm64_sequoia": chain, "x86_64_linux": absent}

    planning.show_why(replace(PLAN, why=why))

    assert capsys.readouterr().out.splitlines() == [
        "libxml2 → xz  (arm64_tahoe, arm64_sequoia)",
        "xz is not selected: it is excluded  (x86_64_linux)",
    ]


CASKS = {
    "files": 3,
    "missing": 1,
    "examples": ["cask firefox 145.0 0a1b2c3d4e5f"],
    "left_out": [
        {"cask": "zoom", "platform": platform, "problem": "upstream gives no checksum"}
        for platform in ("arm64_tahoe", "tahoe")
    ],
    "sizes": None,
    "why": {},
}


def test_casks_are_counted_and_those_left_out_are_named_once(shown):
    out = shown(casks=CASKS)

    assert "casks: 3 files, 1 missing\n" in out
    assert "missing: cask firefox 145.0" in out
    assert "left out: zoom: upstream gives no checksum\n" in out


def test_the_sizes_of_casks_are_what_their_vendors_say(shown):
    sizes = {"bytes": 2**20, "unsized": 1, "failed": [{}]}

    assert "1 missing: 1.0 MiB, 1 of unknown size, 1 refused" in shown(
        casks=CASKS | {"sizes": sizes}
    )


def test_why_tells_the_chain_of_casks_too(capsys):
    why = {"arm64_tahoe": {"term": ["gitup", "term"]}}

    absent = NOTHING | {"not_selected": {"term": "upstream has no such formula"}}
    planning.show_why(replace(PLAN, why={"arm64_tahoe": absent}, casks=CASKS | {"why": why}))

    assert capsys.readouterr().out == "cask gitup → term  (every platform)\n"
