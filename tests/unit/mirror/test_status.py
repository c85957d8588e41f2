"""The status page and its files: written after api/, never in its way, small, and escaped."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from mirror import channels, completion, status, status_page
from mirror.settings import About
from tests.unit.mirror.conftest import NOW

WEEK = timedelta(days=7)
PAGE = "index.html"


@pytest.fixture
def page(stored):
    """The page as it lies in the bucket."""

    def read():
        return stored(PAGE)[PAGE].decode()

    return read


@pytest.fixture
def written(s3):
    """The keys that are put, in order."""
    keys = []

    def note(params, **_):
        keys.append(params["Key"])

    s3.meta.events.register("provide-client-params.s3.PutObject", note)
    yield keys
    s3.meta.events.unregister("provide-client-params.s3.PutObject", note)


def test_the_page_follows_the_api_and_precedes_the_report(upstream, sync, written, s3):
    upstream.add("jq", {"arm64_tahoe": b"jq"})

    answer = sync.run()

    api = written.index("api/internal/packages.arm64_tahoe.jws.json")
    assert api < written.index("status/status.json") < written.index(PAGE)
    assert written.index(PAGE) < written.index(f"syncs/{answer['snapshot']}/report.json")
    head = s3.head_object(Bucket="mirror", Key=PAGE)
    assert head["ContentType"] == "text/html; charset=utf-8"


def test_a_page_that_cannot_be_written_does_not_undo_a_publish(upstream, sync, stored, s3, capsys):
    upstream.add("jq", {"arm64_tahoe": b"jq"})

    def refuse(params, **_):
        if params["Key"] == "status/status.json":
            raise s3.exceptions.ClientError({"Error": {"Code": "AccessDenied"}}, "PutObject")

    s3.meta.events.register("provide-client-params.s3.PutObject", refuse)
    answer = sync.run()
    s3.meta.events.unregister("provide-client-params.s3.PutObject", refuse)

    assert answer["copied"] == 1
    assert stored("api/")
    assert PAGE not in stored()
    assert '"event": "status_page_failed"' in capsys.readouterr().out


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
@pytest.mark.parametrize("key", ["status/status.json", "status/formulae.json"])
def test_a_page_that_was_spoilt_is_made_anew(upstream, sync, bucket, page, key, body):
    upstream.add("jq", {"arm64_tahoe": b"jq"})
    sync.run()
    bucket.write(key, body)
    upstream.add("jq", {"arm64_tahoe": b"jq 2"}, version="2.0")

    answer = sync.run("two", NOW + timedelta(days=1))

    assert answer["copied"] == 1
    assert "2.0" in page()


def test_it_says_how_much_there_is_and_was(upstream, sync, stored, page):
    upstream.add("jq", {"arm64_tahoe": b"jq"})
    sync.run()
    assert 'aria-label="Bottles: 1"' in page()
    upstream.add("docs", {"all": b"documentation"})
    sync.run(execution="two", now=NOW + WEEK)

    document = json.loads(stored("status/")["status/status.json"])
    assert document["snapshot"] == "2026-11-29T030000Z"
    assert [each["bottles"] for each in document["snapshots"]] == [2, 1]
    assert document["snapshots"][0]["by_platform"] == {
        "all": {"bottles": 1, "bytes": 13},
        "arm64_tahoe": {"bottles": 1, "bytes": 2},
    }
    assert 'datetime="2026-11-29T03:00:00Z">29 November 2026, 03:00 UTC</time>' in page()
    assert "macOS Tahoe, Apple silicon" in page()
    assert "Bottles of the last 2 snapshots: 1 to 2" in page()
    assert 'role="region" aria-label="Platform, Share, Bottles, Size"' in page()


def test_portable_ruby_is_told_apart_and_is_no_platform(upstream, sync, stored, page):
    upstream.add("jq", {"arm64_tahoe": b"jq"})
    upstream.add("portable-ruby", {"arm64_big_sur": b"ruby"}, version="3.1.4")
    selection = replace(sync.connections.settings.selection, portable_ruby_versions=("3.1.4",))
    settings = replace(sync.connections.settings, selection=selection)
    sync.connections = sync.connections.with_settings(settings)

    sync.run()

    (one,) = json.loads(stored("status/")["status/status.json"])["snapshots"]
    assert one["platforms"] == ["arm64_tahoe"]
    assert one["by_platform"] == {"arm64_tahoe": {"bottles": 1, "bytes": 2}}
    assert one["portable_ruby"] == {"bottles": 1, "bytes": 4}
    assert "<dt>Platforms</dt><dd>1</dd>" in page()
    assert "portable Ruby, for brew itself" in page()
    assert "Big Sur" not in page().partition('id="snapshots"')[0]


def test_a_formula_without_a_bottle_is_not_counted_as_mirrored(upstream, sync, page):
    upstream.add("jq", {"arm64_tahoe": b"jq"})
    upstream.add("source-only", {})

    sync.run()

    assert "<dt>Formulae</dt><dd>1</dd>" in page()
    assert '<p id="found" class="muted" role="status">1 formula</p>' in page()


def test_what_can_be_focused_in_a_large_mirror_has_a_name():
    rows = formulae_of(status.INLINED + 1) | {"casks": [["a", "1", ""]] * (status.INLINED + 1)}

    page = status_page.page(status_of(1), rows, About(), inlined=status.INLINED)

    focusable = re.findall(r'<(?:ul|div|pre)[^>]*tabindex="0"[^>]*>', page)
    assert len(focusable) == 5
    assert all("aria-label=" in each for each in focusable)


def test_a_collected_snapshot_is_history_and_nothing_to_go_back_to(
    upstream, sync, stored, page, s3
):
    for week in range(2):
        upstream.add("jq", {"arm64_tahoe": b"jq %d" % week}, version=f"1.{week}")
        sync.run(execution=f"week {week}", now=NOW + week * WEEK)
    for key in stored("snapshots/2026-11-22T030000Z/"):
        s3.delete_object(Bucket="mirror", Key=key)
    upstream.add("jq", {"arm64_tahoe": b"jq 2"}, version="1.2")

    sync.run(execution="week 2", now=NOW + 2 * WEEK)

    listed = page().partition('id="snapshots"')[2].partition('id="contents"')[0]
    assert "Bottles of the last 3 snapshots" in listed
    assert "2026-11-29T030000Z" in listed
    assert "2026-11-22T030000Z" not in listed


def test_an_older_system_s_bottles_are_no_platform_and_a_platform_may_have_none():
    status_file = status_of(1)
    status_file["snapshots"][0]["platforms"] = ["arm64_tahoe", "tahoe"]

    page = status_page.page(status_file, formulae_of(1), About(), inlined=status.INLINED)

    assert "<dt>Platforms</dt><dd>2</dd>" in page
    assert "macOS Tahoe, Apple silicon" in page
    assert "macOS Sonoma, Intel, for newer ones, too" in page


def test_a_publish_that_is_repeated_is_listed_once(upstream, sync, stored, s3):
    upstream.add("jq", {"arm64_tahoe": b"jq"})
    planned = sync.plan()
    sync.copy(planned)
    sync.publish(planned)
    s3.delete_object(Bucket="mirror", Key=f"syncs/{planned['sync']}/report.json")

    sync.plan()
    sync.publish(planned)

    assert len(json.loads(stored("status/")["status/status.json"])["snapshots"]) == 1


def test_the_list_of_formulae_is_not_written_anew_when_no_bottle_changed(
    upstream, sync, stored, written
):
    upstream.add("jq", {"arm64_tahoe": b"jq"}, desc="a JSON processor")
    sync.run()
    upstream.add("source-only", {})

    sync.run(execution="two", now=NOW + WEEK)

    assert written.count("status/formulae.json") == 1
    assert json.loads(stored("status/")["status/formulae.json"]) == {
        "platforms": ["arm64_tahoe"],
        "formulae": [["jq", "1.0", [0], "a JSON processor"]],
    }


def test_what_upstream_wrote_is_escaped(upstream, sync, page):
    attack = '"><script>alert(1)</script><b onmouseover=alert(2)>'
    upstream.add("jq", {"arm64_tahoe": b"jq"}, desc=attack)

    sync.run()

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page()
    assert page().count("<script") == 1
    assert "<b onmouseover" not in page()


def test_a_line_for_the_shell_names_the_configured_address(upstream, sync, connections, page):
    about = About("acme", "prod", "https://brew.example.com")
    settings = replace(connections.settings, about=about)
    sync.connections = replace(connections, settings=settings)
    upstream.add("jq", {"arm64_tahoe": b"jq"})

    sync.run()

    assert "export HOMEBREW_API_DOMAIN=https://brew.example.com/api\n" in page()
    assert status_page.UNKNOWN not in page().partition("<script>")[0]


def status_of(snapshots):
    one = {
        "id": "2026-11-22T030000Z",
        "created_at": "2026-11-22T03:00:00Z",
        "formulae": 400,
        "bottles": 1200,
        "bytes": 3 * 10**9,
        "by_platform": {
            tag: {"bottles": 400, "bytes": 10**9} for tag in ("tahoe", "sonoma", "all")
        },
    }
    return {
        "snapshot": one["id"],
        "published_at": one["created_at"],
        "snapshots": [one] * snapshots,
    }


def formulae_of(count):
    rows = [[f"formula-{at}", "1.2.3_1-1", [0, 1, 2], "x" * 160] for at in range(count)]
    return {"platforms": ["tahoe", "sonoma", "all"], "formulae": rows}


@pytest.mark.parametrize(("formulae", "most"), [(400, 200_000), (8_548, 40_000)])
def test_it_stays_small(formulae, most):
    page = status_page.page(
        status_of(status.SNAPSHOTS), formulae_of(formulae), About(), inlined=status.INLINED
    )

    assert len(page.encode()) < most


def test_no_other_host_is_asked_and_no_style_or_script_but_its_own_runs():
    page = status_page.page(status_of(2), formulae_of(1), About(), inlined=400)

    assert re.findall(r'(?:src|href)="(?!#|data:,|status/|snapshots/)', page) == []
    assert " style=" not in page
    assert not re.search(r"\son\w+=", page.partition("<script>")[0])
    assert "@import" not in page
    assert "url(" not in page


def luminance(color):
    """Source: W3C, WCAG 2.1, "relative luminance"."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ink", ["text", "muted", "accent", "good", "warn", "bad"])
@pytest.mark.parametrize("ground", ["page", "card", "code"])
def test_text_can_be_read_in_both_themes(theme, ink, ground):
    style = status_page.pages._file("style.css")
    colors = dict(re.findall(r"--([\w-]+): (#\w{6})", style.split("@media (prefers")[theme]))

    lighter, darker = sorted((luminance(colors[ink]), luminance(colors[ground])), reverse=True)

    assert (lighter + 0.05) / (darker + 0.05) >= 4.5  # WCAG 2.1, 1.4.3 (AA).


def test_a_rollback_is_told_on_the_page_and_a_promotion_takes_it_back(
    upstream, sync, connections, page
):
    for execution, body, now in (("one", b"jq", NOW), ("two", b"newer", NOW + WEEK)):
        upstream.add("jq", {"arm64_tahoe": body})
        sync.run(execution=execution, now=now)

    back = channels.rollback(
        connections, "default", "2026-11-22T030000Z", NOW + WEEK, dry_run=False
    )
    completion.show_moved(connections, back)
    rolled_back = page()
    on = channels.promote(connections, "default", "", NOW + WEEK, dry_run=False)
    completion.show_moved(connections, on)

    told = "Macs get the snapshot <code>2026-11-22T030000Z</code>, not the newest."
    assert told in rolled_back
    assert told not in page()


def test_a_move_before_there_is_a_page_writes_none(connections, stored):
    completion.show_moved(connections, [channels.Moved("default", "2026-11-22T030000Z", None, ())])

    assert stored() == {}
