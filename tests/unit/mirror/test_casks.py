"""Casks through a whole sync: what is mirrored, what is left out, and what is refused."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror import audit, channels, overview, planning, retention, verification
from mirror.casks import CaskFile
from mirror.errors import IncompleteSnapshot, IncompleteSync, UnknownFormula, UntrustedCatalogue
from mirror.settings import Retention
from mirror.verification_reports import Request
from tests.unit.mirror.conftest import NOW

BODY = b"a disk image"
LARGE = bytes(range(256)) * 4 * 1024 * 9  # 9 MiB: two parts, the last one short.
WEEK = timedelta(days=7)
SNAPSHOT = "snapshots/2026-11-22T030000Z"


@pytest.fixture
def choosing(sync, upstream):
    """Selects casks besides one small formula."""
    upstream.add("jq", {"arm64_tahoe": b"jq"})

    def choose(*casks, **changed):
        settings = sync.connections.settings
        selection = replace(settings.selection, formulae=("jq",), casks=casks, **changed)
        sync.connections = sync.connections.with_settings(replace(settings, selection=selection))
        return sync

    return choose


def key(token, digest):
    return f"v2/homebrew/cask/{token}/blobs/sha256:{digest}"


@pytest.mark.parametrize("body", [BODY, LARGE])
def test_a_selected_cask_is_mirrored_under_its_digest(upstream, choosing, stored, body):
    digest = upstream.add_cask("firefox", body)
    upstream.add_cask("zoom", b"not asked for")

    answer = choosing("firefox").run()

    held = stored("v2/homebrew/cask/")
    assert held == {key("firefox", digest): body}
    assert (answer["casks"], answer["copied"]) == (1, 2)
    assert answer["bytes"] == len(body) + len(b"jq")


def test_a_snapshot_names_its_casks_with_their_sizes(upstream, choosing, stored):
    digest = upstream.add_cask("firefox", BODY, path="a/fire%20fox.dmg")

    choosing("firefox").run()

    held = stored(SNAPSHOT)
    casks = held[f"{SNAPSHOT}/casks.json"]
    assert json.loads(casks) == {
        "casks": [
            {
                "token": "firefox",
                "version": "1.0",
                "url": f"{upstream.url}/vendors/a/fire%20fox.dmg",
                "digest": digest,
                "size_bytes": len(BODY),
            }
        ],
        "left_out": [],
    }
    document = json.loads(held[f"{SNAPSHOT}/snapshot.json"])
    assert document["casks_sha256"] == hashlib.sha256(casks).hexdigest()
    assert document["casks"] == 1


def test_each_platform_has_the_file_of_its_architecture(upstream, choosing, stored):
    arm = upstream.add_cask("code", b"arm", path="arm")
    intel = upstream.add_cask("code", b"intel", path="intel", platforms=("tahoe",))

    choosing("code", platforms=("arm64_tahoe", "tahoe")).run()

    assert stored("v2/homebrew/cask/").keys() == {key("code", arm), key("code", intel)}


def test_what_only_older_brews_are_shown_is_mirrored_too(upstream, choosing, stored):
    new = upstream.add_cask("firefox", b"version 2", path="two")
    upstream.files["one"] = replace(upstream.files["two"], body=b"version 1")
    old = hashlib.sha256(b"version 1").hexdigest()
    listed = {"token": "firefox", "version": "1", "url": "http://127.0.0.1:1/never", "sha256": "0"}
    here = {"url": f"{upstream.url}/vendors/one", "sha256": old}
    upstream.listed_casks = [{**listed, "variations": {"arm64_tahoe": here}}]
    upstream.sign_all()

    choosing("firefox").run()

    assert stored("v2/homebrew/cask/").keys() == {key("firefox", new), key("firefox", old)}


def test_the_status_page_counts_casks(upstream, choosing, stored):
    upstream.add_cask("firefox", BODY)

    choosing("firefox").run()

    assert "<dt>Cask files</dt><dd>1</dd>" in stored()["index.html"].decode()


def test_the_status_page_lists_casks_with_what_upstream_says_of_them(upstream, choosing, stored):
    upstream.add_cask("firefox", BODY, desc="Web <browser>")
    sync = choosing("firefox")
    sync.run()
    upstream.add_cask("firefox", b"another image", path="two", version="2.0")

    first = json.loads(stored()["status/formulae.json"])["casks"]
    page = stored()["index.html"].decode()
    sync.run(execution="two", now=NOW + WEEK)

    assert first == [["firefox", "1.0", "Web <browser>"]]
    assert "Casks (1)" in page
    assert "Web &lt;browser&gt;" in page
    assert json.loads(stored()["status/formulae.json"])["casks"] == [["firefox", "2.0", ""]]


def test_an_overview_of_snapshots_counts_casks(upstream, choosing, bucket):
    upstream.add_cask("firefox", BODY)
    choosing("firefox").run()

    (row,) = overview.overview(bucket, NOW)["snapshots"]

    assert row["casks"] == 1


def test_a_mirror_without_casks_says_nothing_of_them(upstream, choosing, stored):
    choosing().run()

    assert "casks" not in json.loads(stored()["status/formulae.json"])
    assert "<h3>Casks" not in stored()["index.html"].decode()


def test_a_cask_without_a_checksum_is_reported_and_never_fetched(upstream, choosing, stored):
    upstream.add_cask("chrome", BODY, sha256=":no_check")

    choosing("chrome").run()

    report = json.loads(stored()["syncs/2026-11-22T030000Z/report.json"])
    page = stored()["syncs/2026-11-22T030000Z/report.html"].decode()
    (left_out,) = report["casks_left_out"]
    assert (left_out["cask"], left_out["platform"]) == ("chrome", "arm64_tahoe")
    assert "cannot be verified, not mirrored" in left_out["problem"]
    assert "chrome" in page
    assert upstream.paths("/vendors/") == []
    assert stored("v2/homebrew/cask/") == {}


def test_the_report_says_which_casks_came_changed_and_went(upstream, choosing, stored):
    upstream.add_cask("firefox", BODY)
    upstream.add_cask("zoom", b"zoom")
    choosing("firefox", "zoom").run()
    upstream.add_cask("firefox", b"another image", path="two", version="2.0")
    upstream.add_cask("code", b"code")

    choosing("firefox", "code").run(execution="two", now=NOW + WEEK)

    first = json.loads(stored()["syncs/2026-11-22T030000Z/report.json"])["changes"]
    second = json.loads(stored()["syncs/2026-11-29T030000Z/report.json"])["changes"]
    page = stored()["syncs/2026-11-29T030000Z/report.html"].decode()
    assert [each["cask"] for each in first["casks"]["new"]] == ["firefox", "zoom"]
    assert second["casks"] == {
        "new": [{"cask": "code", "version": "1.0"}],
        "updated": [{"cask": "firefox", "from": "1.0", "to": "2.0"}],
        "removed": [{"cask": "zoom", "version": "1.0"}],
    }
    assert "Changed casks (3)" in page


def test_a_cask_that_turns_to_no_check_is_news_and_is_reported(upstream, choosing, stored):
    upstream.add_cask("chrome", BODY)
    choosing("chrome").run()
    upstream.add_cask("chrome", BODY, sha256=":no_check")

    choosing("chrome").run(execution="two", now=NOW + WEEK)

    held = json.loads(stored()["snapshots/2026-11-29T030000Z/casks.json"])
    assert (held["casks"], len(held["left_out"])) == ([], 1)


def test_a_vendor_that_wants_more_than_a_get_is_reported(upstream, choosing, stored):
    upstream.add_cask("office", BODY, url_kwargs={":user_agent": ":fake", ":verified": "x.org"})

    choosing("office").run()

    report = json.loads(stored()["syncs/2026-11-22T030000Z/report.json"])
    assert "wants user_agent with the request" in report["casks_left_out"][0]["problem"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda blob: setattr(blob, "body", b"other bytes!"),
        lambda blob: setattr(blob, "damaged_answers", 9),
        lambda blob: setattr(blob, "breaks_at", [4] * 40),
    ],
)
def test_a_file_that_is_not_what_the_catalogue_says_stops_the_publish(
    upstream, choosing, stored, spoil
):
    upstream.add_cask("firefox", BODY)
    sync = choosing("firefox")
    spoil(upstream.files["firefox.dmg"])

    with pytest.raises(IncompleteSync) as refused:
        sync.run()

    assert "cask firefox 1.0" in refused.value.problem
    assert stored("v2/homebrew/cask/") == {}
    assert stored("api/") == {}


def test_a_file_that_breaks_off_goes_on_from_there(upstream, choosing, stored):
    digest = upstream.add_cask("firefox", LARGE)
    upstream.files["firefox.dmg"].breaks_at = [len(LARGE), 5_000_000]

    choosing("firefox").run()

    assert hashlib.sha256(stored()[key("firefox", digest)]).hexdigest() == digest


def test_a_file_that_is_gone_is_named_and_the_rest_is_kept(upstream, choosing, stored):
    upstream.add_cask("firefox", BODY)
    del upstream.files["firefox.dmg"]

    with pytest.raises(IncompleteSync, match=r"cask firefox 1\.0 .*answered 404"):
        choosing("firefox").run()


def test_a_vendor_that_leads_elsewhere_than_https_is_refused(upstream, choosing):
    upstream.add_cask("firefox", BODY)
    there = (302, {"Location": "http://169.254.169.254/latest/meta-data/"})
    upstream.first_answers["/vendors/firefox.dmg"] = [there] * 9

    with pytest.raises(IncompleteSync, match="only https is followed"):
        choosing("firefox").run()


def test_a_public_catalogue_cannot_name_a_file_inside_our_network(choosing, upstream, monkeypatch):
    inside = {"10.0.0.7": "10.0.0.7"}
    monkeypatch.setattr(
        "socket.getaddrinfo",
        lambda host, *_, **__: [(2, 1, 6, "", (inside.get(host, "93.184.216.34"), 0))],
    )
    downloads = replace(
        choosing("firefox").connections.downloads, trusted_url="https://formulae.brew.sh/api"
    )
    file = CaskFile("x", "1", "https://10.0.0.7/x.dmg", "0" * 64)

    with pytest.raises(Exception, match="must not lead to a private address"):
        downloads.announced_bytes(file)


def test_a_cask_above_the_limit_is_left_out_and_reported(upstream, choosing, stored):
    upstream.add_cask("firefox", LARGE)

    choosing("firefox", max_bottle_mib=1).run()

    held = json.loads(stored()[f"{SNAPSHOT}/casks.json"])
    assert held["casks"] == []
    assert held["left_out"][0]["problem"] == "too large: 9 MiB"


def test_what_casks_need_comes_along_with_the_reason(upstream, choosing, stored):
    upstream.add("git", {"arm64_tahoe": b"git"})
    upstream.add_cask("term", b"term")
    upstream.add_cask("gitup", BODY, depends_on_args={":formula": ["git"], ":cask": ["term"]})
    sync = choosing("gitup")

    told = planning.dry_run(sync.connections, why="*")
    sync.run()

    assert {each.split("/")[3] for each in stored("v2/homebrew/cask/")} == {"gitup", "term"}
    assert any("core/git/blobs" in each for each in stored("v2/homebrew/core/"))
    assert told["casks"]["why"]["arm64_tahoe"]["term"] == ["gitup", "term"]
    assert told["why"]["arm64_tahoe"]["chains"]["git"] == ["cask gitup", "git"]


def test_globs_former_tokens_and_exclusions_choose(upstream, choosing, stored):
    for token in ("font-a", "font-b", "iterm2"):
        upstream.add_cask(token, token.encode())
    upstream.tables["cask_renames"] = {"iterm": "iterm2"}
    upstream.sign_all()

    choosing("font-*", "iterm", exclude_casks=("*-b",)).run()

    assert {each.split("/")[3] for each in stored("v2/homebrew/cask/")} == {"font-a", "iterm2"}


def test_a_disabled_cask_comes_only_by_its_name(upstream, choosing, stored):
    old = {":date": "2020-01-01", ":because": ":discontinued"}
    upstream.add_cask("old-one", b"1", disable_args=old)
    upstream.add_cask("old-two", b"2", deprecate_args=old)

    choosing("old-*", "old-one").run()

    assert {each.split("/")[3] for each in stored("v2/homebrew/cask/")} == {"old-one"}


def test_a_token_that_nothing_matches_is_told(upstream, choosing):
    upstream.add_cask("firefox", BODY)

    with pytest.raises(UnknownFormula, match='no cask matches "firefux"'):
        choosing("firefux").plan()


def test_a_second_sync_without_news_asks_no_vendor(upstream, choosing):
    upstream.add_cask("firefox", BODY)
    choosing("firefox").run()
    upstream.requests.clear()

    answer = choosing("firefox").run(execution="two", now=NOW + WEEK)

    assert upstream.paths("/vendors/") == []
    assert (answer["snapshot"], answer["casks"]) == ("2026-11-22T030000Z", 1)


def test_a_file_that_the_bucket_lost_is_news_though_its_vendor_has_it_no_more(
    upstream, choosing, s3
):
    digest = upstream.add_cask("firefox", BODY)
    choosing("firefox").run()
    s3.delete_object(Bucket="mirror", Key=key("firefox", digest))
    del upstream.files["firefox.dmg"]

    with pytest.raises(IncompleteSync, match=r"cask firefox 1\.0 .*answered 404"):
        choosing("firefox").run(execution="two", now=NOW + WEEK)


def test_a_dry_run_counts_casks_and_asks_for_sizes_only_when_told(upstream, choosing, stored):
    digest = upstream.add_cask("firefox", BODY)
    connections = choosing("firefox").connections

    counted = planning.dry_run(connections)["casks"]
    asked = upstream.paths("/vendors/")
    sized = planning.dry_run(connections, sizes=True)["casks"]

    assert (counted["files"], counted["missing"], counted["sizes"]) == (1, 1, None)
    assert counted["examples"] == [f"cask firefox 1.0 {digest[:12]}"]
    assert asked == []
    assert sized["sizes"] == {"bytes": len(BODY), "unsized": 0, "failed": []}
    assert stored() == {}


@pytest.mark.parametrize("is_there", [True, False])
def test_a_rollback_needs_the_casks_of_the_snapshot_that_it_serves(
    upstream, choosing, s3, stored, is_there
):
    digest = upstream.add_cask("firefox", BODY)
    first = choosing("firefox").run()["snapshot"]
    upstream.add_cask("firefox", b"another image", path="two", version="2.0")
    sync = choosing("firefox")
    sync.run(execution="two", now=NOW + WEEK)
    if not is_there:
        s3.delete_object(Bucket="mirror", Key=key("firefox", digest))
    back = (sync.connections, "default", first, NOW + 2 * WEEK)

    if is_there:
        channels.rollback(*back, dry_run=False)
        served = json.loads(stored()["api/internal/packages.arm64_tahoe.jws.json"])["payload"]
        assert json.loads(served)["casks"]["firefox"]["sha256"] == digest
    else:
        with pytest.raises(IncompleteSnapshot, match=r"cask firefox 1\.0"):
            channels.rollback(*back, dry_run=False)


def test_a_damaged_file_is_found_and_mended(upstream, choosing, s3, stored):
    digest = upstream.add_cask("firefox", BODY)
    sync = choosing("firefox")
    sync.run()
    s3.put_object(Bucket="mirror", Key=key("firefox", digest), Body=b"a disk imaGe")

    told = verification.verify(
        sync.connections,
        Request(deep=True, repair=True),
        "",
        seconds_left=lambda: 900.0,
        now=NOW,
    )

    assert (told["of"], told["damaged"], told["repaired"]) == (2, 1, 1)
    assert stored()[key("firefox", digest)] == BODY


def test_a_file_that_no_snapshot_names_goes_after_its_grace(upstream, choosing, stored):
    digests = []
    for number in range(3):
        body = f"version {number}".encode()
        digests.append(upstream.add_cask("firefox", body, path=str(number)))
        sync = choosing("firefox")
        sync.run(execution=str(number), now=NOW + number * WEEK)
    settings = replace(sync.connections.settings, retention=Retention(1, 0, 1))
    connections = sync.connections.with_settings(settings)

    for days in (15, 17):
        now = NOW + timedelta(days=days)
        retention.carry_out(connections.bucket, retention.find(connections, now), "collection")

    assert stored("v2/homebrew/cask/").keys() == {key("firefox", each) for each in digests[1:]}


def test_an_audit_finds_a_list_of_casks_that_was_rewritten(upstream, choosing, s3, bucket):
    upstream.add_cask("firefox", BODY)
    choosing("firefox").run()
    before = audit.audit(bucket)

    s3.put_object(Bucket="mirror", Key=f"{SNAPSHOT}/casks.json", Body=b'{"casks": []}')

    assert before["intact"]
    assert audit.audit(bucket)["first"]["key"] == f"{SNAPSHOT}/casks.json"


@given(st.text(max_size=12), st.text(alphabet="0123456789abcdefg/.", max_size=66), st.text())
def test_no_name_from_outside_leaves_its_prefix(token, digest, url):
    try:
        file = CaskFile(token, "1", url, digest).checked()
    except UntrustedCatalogue:
        return

    place = file.blob_key.removeprefix("v2/homebrew/cask/")
    assert place == f"{token}/blobs/sha256:{digest}"
    assert "/" not in token
    assert ".." not in file.blob_key
