"""Bottles of other taps through a whole sync: mirrored by their file's digests, and no others."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror import keys, mending, planning, snapshots, verification
from mirror.bottles import Bottle
from mirror.errors import IncompleteSync, UntrustedCatalogue
from mirror.settings import Selection
from mirror.taps import TapFormula
from mirror.verification_reports import Request
from tests.unit.mirror.conftest import NOW

TAP = "acme/tools"


@pytest.fixture
def tapping(sync, upstream):
    """Selects formulae of a tap besides one small formula of core."""
    upstream.add("jq", {"arm64_tahoe": b"jq"})

    def choose(*formulae, **changed):
        settings = sync.connections.settings
        selection = replace(settings.selection, formulae=("jq",), taps=formulae, **changed)
        sync.connections = sync.connections.with_settings(replace(settings, selection=selection))
        return sync

    return choose


def deploy(digests, name="deploy", **more):
    return TapFormula(TAP, name, "1.0", 0, digests, **more)


def test_a_tap_is_mirrored_where_brew_asks_for_it(upstream, tapping, stored):
    digests = upstream.add_tapped(TAP, "deploy@2", {"arm64_tahoe": b"deploy"})

    answer = tapping(deploy(digests, "deploy@2")).run()

    held = stored("v2/acme/")
    folder = f"v2/{TAP}/deploy/2"
    assert held == {
        f"{folder}/blobs/sha256:{digests['arm64_tahoe']}": b"deploy",
        f"{folder}/manifests/1.0": upstream.manifests[f"/{TAP}/deploy/2", "1.0"],
    }
    assert (answer["bottles"], answer["copied"]) == (2, 2)


def test_a_bottle_with_another_digest_than_the_files_is_refused(upstream, tapping, stored):
    digests = upstream.add_tapped(TAP, "deploy", {"arm64_tahoe": b"deploy"})
    upstream.blobs[digests["arm64_tahoe"]].body = b"malice"

    with pytest.raises(IncompleteSync, match=r"acme/tools/deploy 1\.0 arm64_tahoe"):
        tapping(deploy(digests)).run()

    assert [each for each in stored("v2/acme/") if "/blobs/" in each] == []
    assert stored("api/") == {}


def test_an_index_that_does_not_promise_the_files_digest_is_refused(upstream, tapping):
    upstream.add_tapped(TAP, "deploy", {"arm64_tahoe": b"deploy"})

    with pytest.raises(IncompleteSync, match="acme/tools/deploy"):
        tapping(deploy({"arm64_tahoe": "0" * 64})).run()


def test_the_same_name_in_core_and_in_a_tap_are_two_formulae(upstream, tapping, stored, bucket):
    digests = upstream.add_tapped(TAP, "jq", {"arm64_tahoe": b"another jq"})

    sync = tapping(deploy(digests, "jq"))
    sync.run()

    held = snapshots.bottles(bucket, snapshots.newest(bucket))
    assert sorted(each.full_name for each in held) == ["acme/tools/jq", "jq"]
    listed = json.loads(stored()["status/formulae.json"])["formulae"]
    assert [each[0] for each in listed] == ["acme/tools/jq", "jq"]


def test_what_a_tap_needs_of_core_comes_along_with_the_reason(upstream, tapping, stored):
    upstream.add("git", {"arm64_tahoe": b"git"}, stable_dependencies=["zlib"])
    upstream.add("zlib", {"arm64_tahoe": b"zlib"})
    digests = upstream.add_tapped(TAP, "deploy", {"arm64_tahoe": b"deploy"})
    sync = tapping(deploy(digests, dependencies=("git",)))

    why = planning.dry_run(sync.connections, why="zlib")["why"]
    sync.run()

    assert why["arm64_tahoe"]["chains"] == {"zlib": ["acme/tools/deploy", "git", "zlib"]}
    assert any("core/zlib/blobs" in each for each in stored("v2/"))


def test_only_linux_needs_what_macos_brings_along():
    formula = deploy({}, dependencies=("git",), linux_dependencies=("zlib",))

    assert formula.needs("arm64_tahoe") == ("git",)
    assert formula.needs("x86_64_linux") == ("git", "zlib")


@pytest.mark.parametrize(
    ("offered", "platform", "tag"),
    [
        ("arm64_tahoe arm64_sonoma all", "arm64_tahoe", "arm64_tahoe"),
        ("arm64_sonoma arm64_sequoia tahoe", "arm64_tahoe", "arm64_sequoia"),
        ("arm64_sonoma all", "arm64_tahoe", "all"),
        ("arm64_tahoe tahoe", "sonoma", None),
        ("arm64_tahoe x86_64_linux", "arm64_linux", None),
    ],
)
def test_a_mac_gets_its_own_bottle_or_that_of_the_nearest_older_one(offered, platform, tag):
    bottle = deploy(dict.fromkeys(offered.split(), "0" * 64)).bottle_for(platform)

    assert (bottle and bottle.tag) == tag


def test_a_platform_without_a_bottle_is_reported(upstream, tapping, stored):
    digests = upstream.add_tapped(TAP, "deploy", {"tahoe": b"deploy"})

    tapping(deploy(digests)).run()

    report = json.loads(stored()["syncs/2026-11-22T030000Z/report.json"])
    assert report["without_bottle"] == [
        {
            "formula": "acme/tools/deploy",
            "platform": "arm64_tahoe",
            "problem": "the tap's file has no bottle of it for this platform",
        }
    ]


def test_a_second_sync_without_news_fetches_nothing(upstream, tapping):
    digests = upstream.add_tapped(TAP, "deploy", {"arm64_tahoe": b"deploy"})
    sync = tapping(deploy(digests))
    sync.run()
    upstream.requests.clear()

    answer = sync.run(execution="two", now=NOW.replace(day=29))

    assert upstream.paths("/v2/") == []
    assert answer["snapshot"] == "2026-11-22T030000Z"


def test_damage_to_a_tap_is_found_and_mended(upstream, tapping, s3, stored):
    digests = upstream.add_tapped(TAP, "deploy", {"arm64_tahoe": b"deploy"})
    sync = tapping(deploy(digests))
    sync.run()
    sound = stored("v2/acme/")
    for key in sound:
        s3.put_object(Bucket="mirror", Key=key, Body=b"spoilt")

    seen = verification.verify(
        sync.connections,
        Request(deep=True, repair=True),
        "",
        seconds_left=lambda: 900.0,
        now=NOW,
    )
    answer = mending.mend(sync.connections, seen["run"], seconds_left=lambda: 900.0)

    assert (answer["damaged"], answer["repaired"]) == (2, 2)
    assert stored("v2/acme/") == sound


def test_settings_carry_taps_and_snapshots_say_which(upstream, tapping, stored):
    digests = upstream.add_tapped(TAP, "deploy", {"arm64_tahoe": b"deploy"})
    sync = tapping(deploy(digests))
    sync.run()
    told = json.loads(stored()["snapshots/2026-11-22T030000Z/snapshot.json"])["selection"]

    read = Selection.parse(told)

    assert read.taps == sync.connections.settings.selection.taps


@given(st.text(max_size=20), st.text(alphabet="ab/.-_", max_size=12))
def test_no_name_from_a_file_leaves_its_prefix(name, repository):
    bottle = Bottle(name, "1.0", 0, "all", "0" * 64, repository=repository)
    try:
        key = bottle.checked().blob_key
    except UntrustedCatalogue:
        return

    assert key.startswith(f"{keys.V2}{repository}/")
    assert ".." not in key.split("/")
    assert "//" not in key
