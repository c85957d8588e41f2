"""The Rubies of older brews: found in the registry, mirrored like any bottle, asked for once."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mirror import macos
from mirror.errors import BadManifest, UnknownFormula

NEXT_WEEK = datetime(2026, 11, 29, 3, 0, 0, tzinfo=UTC)
OLD = {"arm64_big_sur": b"old arm", "catalina": b"old intel", "x86_64_linux": b"old linux"}


@pytest.fixture
def older(upstream, sync):
    """A sync that keeps Ruby 3.1.4 beside what the catalogue has, which is 4.0.6 and jq."""
    upstream.add("portable-ruby", OLD, version="3.1.4")
    upstream.add("portable-ruby", {"arm64_tahoe": b"new"}, version="4.0.6")
    upstream.add("jq", {"arm64_tahoe": b"jq"})
    return configured(sync, portable_ruby_versions=("3.1.4",))


def configured(sync, **changed):
    settings = sync.connections.settings
    selection = replace(settings.selection, **changed)
    sync.connections = sync.connections.with_settings(replace(settings, selection=selection))
    return sync


def test_an_older_ruby_is_mirrored_where_its_brew_asks_for_it(older, stored):
    older.run()

    held = stored("v2/homebrew/core/portable-ruby/")
    assert b"old arm" in held.values()
    assert b"new" in held.values()
    assert "v2/homebrew/core/portable-ruby/manifests/3.1.4" in held


def test_only_what_a_selected_platform_runs_is_mirrored(older, stored):
    older.run()

    assert not {b"old intel", b"old linux"} & set(stored("v2/").values())


def test_a_sync_without_news_does_not_look_for_it_again(older, upstream):
    older.run()
    upstream.requests.clear()

    older.plan(execution="two", now=NEXT_WEEK)

    assert upstream.paths("/v2/") == []


def test_a_version_that_the_registry_lacks_is_told_before_anything_is_copied(sync, upstream):
    upstream.add("jq", {"arm64_tahoe": b"jq"})

    with pytest.raises(UnknownFormula, match=r'no portable-ruby "9\.9\.9"'):
        configured(sync, portable_ruby_versions=("9.9.9",)).plan()


def test_an_index_of_absurd_depth_is_told(older, upstream):
    upstream.manifests["portable-ruby", "3.1.4"] = b"[" * 100_000 + b"]" * 100_000

    with pytest.raises(BadManifest, match="nested too deep"):
        older.plan()


def test_an_entry_that_is_no_bottle_is_passed_over(older, upstream, stored):
    index = json.loads(upstream.manifests["portable-ruby", "3.1.4"])
    index["manifests"] += [{"digest": f"sha256:{'0' * 64}"}, {"annotations": {"of": "another"}}]
    upstream.manifests["portable-ruby", "3.1.4"] = json.dumps(index).encode()

    older.run()

    assert b"old arm" in stored("v2/homebrew/core/portable-ruby/").values()


@pytest.mark.parametrize(
    ("platform", "tag", "expected"),
    [
        ("arm64_tahoe", "arm64_big_sur", True),
        ("arm64_tahoe", "catalina", False),
        ("tahoe", "el_capitan", True),
        ("big_sur", "tahoe", False),
        ("arm64_linux", "arm64_linux", True),
        ("x86_64_linux", "arm64_linux", False),
        ("x86_64_linux", "catalina", False),
        ("tahoe", "x86_64_linux", False),
        ("tahoe", "all", True),
        ("tahoe", "tiger", False),
    ],
)
def test_what_was_built_for_an_older_macos_runs_on_a_newer_one(platform, tag, expected):
    assert macos.runs(platform, tag) is expected
