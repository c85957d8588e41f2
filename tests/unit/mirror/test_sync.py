"""A whole sync: what is published, what a second one does, and what a bad bottle undoes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from mirror.errors import BucketRefused, IncompleteSync, NotUpstream
from mirror.settings import Selection
from tests.unit.mirror.conftest import NOW

BODY = b"a bottle of jq"
DIGEST = hashlib.sha256(BODY).hexdigest()
BLOB = f"v2/homebrew/core/jq/blobs/sha256:{DIGEST}"
API = "internal/packages.arm64_tahoe.jws.json"
WEEK = timedelta(days=7)
LARGE = bytes(range(256)) * 4 * 1024 * 9  # 9 MiB: two parts, the last one short.


def test_a_published_bottle_can_be_fetched_as_brew_does(upstream, sync, stored):
    upstream.add("jq@1.8", {"arm64_tahoe": BODY}, version="1.8.1", revision=2, bottle_rebuild=1)

    answer = sync.run()

    v2 = "v2/homebrew/core/jq/1.8"
    held = stored()
    assert held[f"{v2}/blobs/sha256:{DIGEST}"] == BODY
    assert held[f"{v2}/manifests/1.8.1_2-1"] == upstream.manifests["jq/1.8", "1.8.1_2-1"]
    assert held[f"api/{API}"] == upstream.api_files[API]
    assert answer == {
        "snapshot": "2026-11-22T030000Z",
        "formulae": 1,
        "bottles": 1,
        "bytes": len(BODY),
        "copied": 1,
        "api_files_changed": 1,
    }


def test_a_manifest_is_served_with_the_type_that_brew_asks_for(upstream, sync, s3):
    upstream.add("jq", {"arm64_tahoe": BODY})

    sync.run()

    served = s3.head_object(Bucket="mirror", Key="v2/homebrew/core/jq/manifests/1.0")
    assert served["ContentType"] == "application/vnd.oci.image.index.v1+json"


def test_a_snapshot_names_what_it_holds_and_the_one_before(upstream, sync, stored):
    upstream.add("jq", {"arm64_tahoe": BODY})
    sync.run()
    upstream.add("fzf", {"arm64_tahoe": b"fzf"})

    sync.run(execution="two", now=NOW + WEEK)

    held = stored("snapshots/")
    first = held["snapshots/2026-11-22T030000Z/snapshot.json"]
    second = json.loads(held["snapshots/2026-11-29T030000Z/snapshot.json"])
    assert set(second.pop("validators")) == {API}
    assert second == {
        "id": "2026-11-29T030000Z",
        "created_at": "2026-11-29T03:00:00Z",
        "previous": {
            "id": "2026-11-22T030000Z",
            "sha256": hashlib.sha256(first).hexdigest(),
        },
        "formulae": 2,
        "bottles": 2,
        "bottles_sha256": hashlib.sha256(
            held["snapshots/2026-11-29T030000Z/bottles.json"]
        ).hexdigest(),
        "bytes": len(BODY) + 3,
        "api_files": {API: hashlib.sha256(upstream.api_files[API]).hexdigest()},
        "selection": json.loads(json.dumps(sync.connections.settings.selection.as_json())),
        "sync": "2026-11-29T030000Z",
    }
    assert json.loads(held["snapshots/2026-11-29T030000Z/bottles.json"])[1] == {
        "formula": "jq",
        "version": "1.0",
        "rebuild": 0,
        "tag": "arm64_tahoe",
        "digest": DIGEST,
        "size_bytes": len(BODY),
    }


def test_a_sync_without_news_asks_the_registry_nothing_and_moves_nothing(upstream, sync, s3):
    upstream.add("jq", {"arm64_tahoe": BODY})
    sync.run()
    before = s3.head_object(Bucket="mirror", Key=f"api/{API}")
    upstream.requests.clear()

    answer = sync.run(execution="two", now=NOW + WEEK)

    assert upstream.paths("/v2/") == []
    assert answer["api_files_changed"] == answer["copied"] == 0
    after = s3.head_object(Bucket="mirror", Key=f"api/{API}")
    assert after["LastModified"] == before["LastModified"]


def test_a_new_version_is_all_that_the_next_sync_copies(upstream, sync):
    upstream.add("jq", {"arm64_tahoe": BODY})
    upstream.add("fzf", {"arm64_tahoe": b"fzf 1"})
    sync.run()
    upstream.add("fzf", {"arm64_tahoe": b"fzf 2"}, version="2.0")
    upstream.requests.clear()

    answer = sync.run(execution="two", now=NOW + WEEK)

    assert answer["copied"] == 1
    assert upstream.paths("/jq/") == []


def test_every_api_file_that_upstream_offers_is_mirrored(upstream, signer, sync, stored):
    upstream.add("jq", {"arm64_tahoe": BODY})
    others = (
        "cask.jws.json",
        "formula_tap_migrations.jws.json",
        "internal/cask.arm64_tahoe.jws.json",
    )
    upstream.api_files |= {path: signer.sign(json.dumps({"of": path})) for path in others}

    sync.run()

    assert stored("api/") == {f"api/{path}": body for path, body in upstream.api_files.items()}


def test_one_bottle_for_all_platforms_is_copied_once(upstream, sync, connections, stored):
    both = ("arm64_tahoe", "x86_64_linux")
    upstream.add("docs", {"all": BODY}, platforms=both)
    selection = Selection(both, ("docs",), include_dependencies=True)
    sync.connections = replace(
        connections, settings=replace(connections.settings, selection=selection)
    )

    answer = sync.run()

    assert answer["bottles"] == answer["copied"] == 1
    assert len(upstream.paths("/storage/")) == 1


def test_a_platform_added_to_a_version_keeps_the_bottles_that_are_served(
    upstream, sync, connections, stored
):
    bottles = {"arm64_tahoe": BODY, "sonoma": b"for Intel"}
    upstream.add("jq", bottles, platforms=tuple(bottles))
    sync.run()
    selection = Selection(tuple(bottles), ("jq",), include_dependencies=True)
    sync.connections = replace(
        connections, settings=replace(connections.settings, selection=selection)
    )

    answer = sync.run(execution="two", now=NOW + WEEK)

    assert answer["copied"] == 1
    assert answer["bottles"] == 2


SPOILED = {
    "corrupted": {"body": b"?" + BODY[1:]},
    "truncated": {"body": BODY[:-1]},
    "longer than announced": {"body": BODY + b"!"},
    "empty": {"body": b""},
    "announced longer than the manifest says": {"announced": len(BODY) + 1},
    "corrupted, large": {"body": b"?" + LARGE[1:]},
    "truncated, large": {"body": LARGE[:-1], "announced": len(LARGE)},
}


@pytest.mark.parametrize("spoiled", SPOILED.values(), ids=SPOILED)
def test_a_bad_bottle_leaves_nothing_behind_and_publishes_nothing(
    upstream, sync, stored, s3, spoiled
):
    upstream.add("fzf", {"arm64_tahoe": b"fzf"})
    sync.run()
    published = stored("api/")
    good = LARGE if len(spoiled.get("body", b"")) > 1000 else BODY
    upstream.add("jq", {"arm64_tahoe": good})
    blob = upstream.blobs[hashlib.sha256(good).hexdigest()]
    blob.body, blob.announced = spoiled.get("body", good), spoiled.get("announced")

    planned = sync.plan("two", NOW + WEEK)
    (answer,) = sync.copy(planned)

    assert answer["failed"] == 1
    failed = json.loads(stored("syncs/")[answer["result"]])["failed"]
    assert [each["bottle"] for each in failed] == ["jq 1.0 arm64_tahoe"]
    with pytest.raises(IncompleteSync, match=r"1 of 2 bottles are missing: jq 1\.0 arm64_tahoe"):
        sync.publish(planned, "two")
    assert not stored("v2/homebrew/core/jq/")
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="mirror")
    assert stored("api/") == published


def test_a_bad_bottle_does_not_stop_the_others_and_a_repaired_one_completes(upstream, sync, stored):
    for name in ("a", "jq", "z"):
        upstream.add(name, {"arm64_tahoe": BODY + name.encode()})
    blob = upstream.blobs[hashlib.sha256(BODY + b"jq").hexdigest()]
    good, blob.body = blob.body, b"spoiled by a bad disk"
    planned = sync.plan()

    answers = sync.copy(planned)
    blob.body = good
    again = sync.run(now=NOW + WEEK)

    assert sum(answer["copied"] for answer in answers) == 2
    assert again["copied"] == 1
    assert again["bottles"] == 3


def test_upstream_that_lacks_a_bottle_it_lists_is_told_by_name(upstream, sync, stored):
    upstream.add("jq", {"arm64_tahoe": BODY})
    upstream.add("fzf", {"arm64_tahoe": b"fzf"})
    del upstream.manifests["jq", "1.0"]
    planned = sync.plan()
    sync.copy(planned)

    with pytest.raises(
        IncompleteSync, match=r"1 of 2 .* jq 1.0 arm64_tahoe \(upstream answered 404"
    ):
        sync.publish(planned)

    assert not stored("api/")


def test_a_blob_that_vanished_since_is_missed_before_anything_is_published(
    upstream, sync, stored, s3
):
    upstream.add("jq", {"arm64_tahoe": BODY})
    planned = sync.plan()
    sync.copy(planned)
    s3.delete_object(Bucket="mirror", Key=BLOB)

    with pytest.raises(IncompleteSync, match="was not copied"):
        sync.publish(planned)

    assert not stored("api/")
    assert not stored("snapshots/")


def test_a_blob_of_another_size_is_copied_anew(upstream, sync, s3, stored):
    upstream.add("jq", {"arm64_tahoe": BODY})
    sync.run()
    s3.put_object(Bucket="mirror", Key=BLOB, Body=b"cut")

    answer = sync.run(execution="two", now=NOW + WEEK)

    assert answer["copied"] == 1
    assert stored(BLOB)[BLOB] == BODY


def test_a_manifest_that_vanished_is_fetched_and_served_again(upstream, sync, s3, stored):
    upstream.add("jq", {"arm64_tahoe": BODY})
    sync.run()
    manifest = "v2/homebrew/core/jq/manifests/1.0"
    s3.delete_object(Bucket="mirror", Key=manifest)

    sync.run(execution="two", now=NOW + WEEK)

    assert stored(manifest)[manifest] == upstream.manifests["jq", "1.0"]


def test_every_step_can_be_run_twice(upstream, sync, stored):
    upstream.add("jq", {"arm64_tahoe": BODY})
    upstream.add("fzf", {"arm64_tahoe": b"fzf"})

    first, planned = sync.plan(), sync.plan()
    sync.copy(planned)
    upstream.requests.clear()
    copied_again = sync.copy(planned)
    answer = sync.publish(planned)
    held = stored()
    answered_again = sync.publish(planned)

    assert first == planned
    assert [each["copied"] for each in copied_again] == [0]
    assert upstream.paths("/blobs/") == []
    assert answer == answered_again
    assert stored() == held


def test_a_publish_whose_answer_was_lost_gives_the_lease_back(upstream, sync, s3, stored):
    upstream.add("jq", {"arm64_tahoe": BODY})
    lease_of_one = sync.plan() and stored("syncs/lease.json")["syncs/lease.json"]
    first = sync.run()
    s3.put_object(Bucket="mirror", Key="syncs/lease.json", Body=lease_of_one)

    again = sync.publish({"sync": first["snapshot"]})

    assert again == first
    assert sync.plan("two", NOW + timedelta(minutes=1))["sync"] > first["snapshot"]


def test_a_publish_that_was_killed_before_api_is_completed_by_the_next_try(
    upstream, sync, s3_refuses, stored
):
    upstream.add("jq", {"arm64_tahoe": BODY})
    planned = sync.plan()
    sync.copy(planned)
    allow = s3_refuses("PutObject")
    with pytest.raises(BucketRefused):
        sync.publish(planned)
    allow()

    answer = sync.publish(planned)

    assert answer["api_files_changed"] == 1
    assert len(stored("snapshots/")) == 3


def test_a_plan_that_is_made_again_does_not_fetch_a_staged_manifest(upstream, sync):
    upstream.add("jq", {"arm64_tahoe": BODY})
    sync.plan()
    upstream.requests.clear()

    sync.plan()

    assert upstream.paths("/manifests/") == []


def test_an_api_file_that_was_tampered_with_in_the_bucket_is_not_published(
    upstream, sync, stored, s3
):
    upstream.add("jq", {"arm64_tahoe": BODY})
    planned = sync.plan()
    sync.copy(planned)
    s3.put_object(Bucket="mirror", Key=f"syncs/{planned['sync']}/api/{API}", Body=b"{}")

    with pytest.raises(BucketRefused, match="not the one that was verified"):
        sync.publish(planned)

    assert not stored("api/")


def test_a_folder_without_its_snapshot_json_does_not_count(upstream, sync, s3, stored):
    upstream.add("jq", {"arm64_tahoe": BODY})
    sync.run()
    s3.put_object(Bucket="mirror", Key="snapshots/2026-11-25T030000Z/bottles.json", Body=b"[]")
    upstream.add("fzf", {"arm64_tahoe": b"fzf"})

    sync.run(execution="two", now=NOW + WEEK)

    document = json.loads(stored("snapshots/")["snapshots/2026-11-29T030000Z/snapshot.json"])
    assert document["previous"]["id"] == "2026-11-22T030000Z"


def test_what_upstream_built_no_bottle_for_is_reported_and_not_fatal(upstream, sync, stored):
    upstream.add("jq", {"arm64_tahoe": BODY})
    upstream.add("source-only", {})

    answer = sync.run()

    assert (answer["formulae"], answer["bottles"]) == (2, 1)
    report = json.loads(stored("syncs/")["syncs/2026-11-22T030000Z/report.json"])
    assert [each["formula"] for each in report["without_bottle"]] == ["source-only"]


def test_a_new_bottle_costs_two_requests_to_s3_and_a_sync_some_sixty(
    upstream, sync, connections, s3_calls
):
    object.__setattr__(connections.settings, "batch_max_bottles", 50)
    for number in range(150):
        upstream.add(f"f{number}", {"arm64_tahoe": b"bottle %d" % number})

    sync.run()

    assert len(s3_calls) <= 2 * 150 + 60


@pytest.fixture
def published(upstream, sync):
    """What the first sync of one bottle published."""
    upstream.add("jq", {"arm64_tahoe": BODY})
    return sync.run()


def test_a_sync_without_news_writes_its_lease_and_report_and_points_to_the_snapshot(
    upstream, sync, published, stored, s3_calls
):
    before = stored()
    upstream.requests.clear()
    s3_calls.clear()

    answer = sync.run(execution="two", now=NOW + WEEK)

    assert len(s3_calls) <= 18
    assert answer == {**published, "copied": 0, "api_files_changed": 0}
    assert {key for key, body in stored().items() if before.get(key) != body} == {
        "syncs/lease.json",
        "syncs/2026-11-29T030000Z/report.html",
        "syncs/2026-11-29T030000Z/report.json",
        "status/checked.json",
    }
    assert len(upstream.requests) == 7


def test_an_api_file_that_has_not_changed_is_not_sent_again(upstream, sync, published):
    sync.run(execution="two", now=NOW + WEEK)

    asked = [headers for path, headers in upstream.requests if path == f"/api/{API}"]
    assert asked[1]["If-None-Match"].startswith('"')


def test_files_that_did_not_change_stand_in_the_next_snapshot_as_well(
    upstream, signer, sync, stored
):
    casks = upstream.api_files["cask.jws.json"] = signer.sign("[]")
    upstream.add("jq", {"arm64_tahoe": BODY})
    sync.run()
    upstream.add("fzf", {"arm64_tahoe": b"fzf"})

    answer = sync.run(execution="two", now=NOW + WEEK)

    assert answer["api_files_changed"] == 1
    held = stored("snapshots/2026-11-29T030000Z/api/")
    assert held["snapshots/2026-11-29T030000Z/api/cask.jws.json"] == casks
    assert len(held) == 2


def selection_of(s3, edit):
    """Change what the newest snapshot says of its selection."""
    key = "snapshots/2026-11-22T030000Z/snapshot.json"
    document = json.loads(s3.get_object(Bucket="mirror", Key=key)["Body"].read())
    edit(document["selection"])
    s3.put_object(Bucket="mirror", Key=key, Body=json.dumps(document).encode())


def test_a_snapshot_of_a_release_that_knew_fewer_settings_is_no_news(upstream, sync, published, s3):
    selection_of(s3, lambda told: told.pop("portable_ruby_versions"))

    assert sync.run(execution="two", now=NOW + WEEK)["snapshot"] == "2026-11-22T030000Z"


def test_a_snapshot_of_a_release_that_knew_more_settings_is(upstream, sync, published, s3):
    selection_of(s3, lambda told: told.update(moons=3))

    assert sync.run(execution="two", now=NOW + WEEK)["snapshot"] == "2026-11-29T030000Z"


def gap_in_api(s3, connections):
    s3.delete_object(Bucket="mirror", Key=f"api/{API}")


def blob_gone(s3, connections):
    digest = hashlib.sha256(BODY).hexdigest()
    s3.delete_object(Bucket="mirror", Key=f"v2/homebrew/core/jq/blobs/sha256:{digest}")


def manifest_gone(s3, connections):
    s3.delete_object(Bucket="mirror", Key="v2/homebrew/core/jq/manifests/1.0")


def publish_not_ended(s3, connections):
    s3.delete_object(Bucket="mirror", Key="syncs/2026-11-22T030000Z/report.json")


def another_selection(s3, connections):
    chosen = replace(connections.settings.selection, include_dependencies=False)
    object.__setattr__(connections.settings, "selection", chosen)


@pytest.mark.parametrize(
    "change", [gap_in_api, blob_gone, manifest_gone, publish_not_ended, another_selection]
)
def test_what_is_missing_or_chosen_otherwise_is_news(
    upstream, sync, connections, published, stored, s3, change
):
    served = stored("api/") | stored("v2/")
    change(s3, connections)

    answer = sync.run(execution="two", now=NOW + WEEK)

    assert answer["snapshot"] == "2026-11-29T030000Z"
    assert stored("api/") | stored("v2/") == served


def test_an_api_file_of_another_upstream_is_not_taken_for_known(
    upstream, sync, connections, published
):
    elsewhere = replace(connections.settings.upstream, api_url=f"{upstream.url}/elsewhere")
    object.__setattr__(connections.settings, "upstream", elsewhere)
    upstream.requests.clear()

    with pytest.raises(NotUpstream, match="answered 404"):
        sync.run(execution="two", now=NOW + WEEK)

    assert "If-None-Match" not in upstream.requests[0][1]


def test_a_published_api_file_that_was_changed_in_the_bucket_is_not_taken_over(
    upstream, sync, published, s3
):
    key = f"snapshots/{published['snapshot']}/api/{API}"
    s3.put_object(Bucket="mirror", Key=key, Body=b"{}")

    with pytest.raises(BucketRefused, match="not the one that was published"):
        sync.run(execution="two", now=NOW + WEEK)
