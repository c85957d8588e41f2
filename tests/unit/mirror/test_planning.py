"""A plan: what it writes, what it refuses, and a dry run that writes nothing."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from mirror import planning
from mirror.errors import (
    BadManifest,
    BucketRefused,
    DamagedRecord,
    IncompleteSync,
    NotUpstream,
    UnknownFormula,
    UntrustedCatalogue,
    UpstreamUnavailable,
)
from mirror.settings import Selection
from tests.doubles.registry import Signer
from tests.unit.mirror.conftest import NOW

API = "internal/packages.arm64_tahoe.jws.json"
FIRST_PAGE = (
    b'<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><IsTruncated>true</IsTruncated>'
    b"<NextContinuationToken>next</NextContinuationToken><KeyCount>0</KeyCount></ListBucketResult>"
)


def spoil(upstream, image, tag, **notes):
    """Change annotations of the first entry of an index; None removes one."""
    index = json.loads(upstream.manifests[image, tag])
    entry = index["manifests"][0]
    entry["annotations"] |= notes
    for name, value in notes.items():
        if value is None:
            del entry["annotations"][name]
    upstream.manifests[image, tag] = json.dumps(index).encode()
    return entry


def sized_by_its_manifest(upstream, size, reference=None):
    """A bottle whose size stands in its own image manifest; returns that one's digest."""
    upstream.add("jq", {"arm64_tahoe": b"jq"})
    layer = f"sha256:{hashlib.sha256(b'jq').hexdigest()}"
    manifest = f'{{"layers": [{{"digest": "{layer}", "size": {size}}}]}}'.encode()
    digest = f"sha256:{hashlib.sha256(manifest).hexdigest()}"
    upstream.manifests["jq", digest] = manifest
    index = json.loads(upstream.manifests["jq", "1.0"])
    index["manifests"][0]["digest"] = digest if reference is None else reference
    del index["manifests"][0]["annotations"]["sh.brew.bottle.size"]
    upstream.manifests["jq", "1.0"] = json.dumps(index).encode()
    return digest


def test_the_answer_points_to_the_batches(upstream, sync, stored):
    for name in ("a", "b", "c"):
        upstream.add(name, {"arm64_tahoe": name.encode()})

    answer = sync.plan()

    assert answer == {
        "sync": "2026-11-22T030000Z",
        "batches": 2,
        "batches_key": "syncs/2026-11-22T030000Z/plan/batches.json",
        "formulae": 3,
        "bottles": 3,
        "missing": 3,
        "bytes": 3,
    }
    held = stored("syncs/")
    assert json.loads(held[answer["batches_key"]]) == [
        {"batch": "syncs/2026-11-22T030000Z/plan/00000.json"},
        {"batch": "syncs/2026-11-22T030000Z/plan/00001.json"},
    ]
    assert json.loads(held["syncs/2026-11-22T030000Z/plan/00001.json"]) == {
        "sync": "2026-11-22T030000Z",
        "bottles": [
            {
                "formula": "c",
                "version": "1.0",
                "rebuild": 0,
                "tag": "arm64_tahoe",
                "digest": hashlib.sha256(b"c").hexdigest(),
                "size_bytes": 1,
            }
        ],
    }


def test_a_plan_publishes_nothing(upstream, sync, stored):
    upstream.add("jq", {"arm64_tahoe": b"jq"})

    sync.plan()

    assert all(key.startswith("syncs/") for key in stored())


@pytest.mark.parametrize("status", [401, 403])
def test_a_listing_that_is_denied_is_an_error_not_an_empty_bucket(
    upstream, sync, connections, s3_refuses, status
):
    upstream.add("jq", {"arm64_tahoe": b"jq"})
    s3_refuses("ListObjectsV2")

    with pytest.raises(BucketRefused, match=r"ListObjectsV2 failed: .*AccessDenied"):
        sync.plan()
    with pytest.raises(BucketRefused, match="where: s3://mirror/v2/"):
        planning.dry_run(connections)


def test_a_listing_that_breaks_off_is_an_error(upstream, connections, s3_answers):
    upstream.add("jq", {"arm64_tahoe": b"jq"})
    pages = iter([(200, FIRST_PAGE), (403, b"<Error><Code>AccessDenied</Code></Error>")])
    s3_answers("ListObjectsV2", lambda: next(pages))

    with pytest.raises(BucketRefused, match="AccessDenied"):
        planning.dry_run(connections)


def test_a_listing_that_says_there_is_more_and_not_where_is_an_error(
    upstream, connections, s3_answers
):
    upstream.add("jq", {"arm64_tahoe": b"jq"})
    told = b"<NextContinuationToken>next</NextContinuationToken>"
    s3_answers("ListObjectsV2", lambda: (200, FIRST_PAGE.replace(told, b"")))

    with pytest.raises(BucketRefused, match="more than it told"):
        planning.dry_run(connections)


def test_a_snapshot_that_cannot_be_read_is_named(upstream, sync, bucket):
    upstream.add("jq", {"arm64_tahoe": b"jq"})
    sync.run()
    bucket.write("snapshots/2026-11-22T030000Z/snapshot.json", b"{")

    with pytest.raises(DamagedRecord, match="a snapshot's document"):
        sync.plan("two", NOW + timedelta(days=1))


def test_a_plan_that_found_no_news_says_so_again_whatever_came_since(upstream, sync, stored):
    upstream.add("jq", {"arm64_tahoe": b"jq"})
    sync.run()
    first = sync.plan("two", NOW + timedelta(days=1))
    upstream.add("fzf", {"arm64_tahoe": b"fzf"})

    again = sync.plan("two", NOW + timedelta(days=1, minutes=1))

    assert again == first
    assert sync.publish(again, "two")["snapshot"] == "2026-11-22T030000Z"
    assert sync.run("three", NOW + timedelta(days=2))["copied"] == 1


def test_a_catalogue_by_another_key_changes_nothing(upstream, sync, stored):
    upstream.add("jq", {"arm64_tahoe": b"jq"})
    sync.run()
    published = stored("api/")
    upstream.signer = Signer()
    upstream.add("evil", {"arm64_tahoe": b"evil"})

    with pytest.raises(UntrustedCatalogue, match=f"where: {upstream.url}/api/{API}"):
        sync.plan("two")

    assert stored("api/") == published


def test_an_optional_api_file_by_another_key_is_refused_too(upstream, sync):
    upstream.add("jq", {"arm64_tahoe": b"jq"})
    upstream.api_files["cask.jws.json"] = Signer().sign("{}")

    with pytest.raises(UntrustedCatalogue, match=r"api/cask\.jws\.json"):
        sync.plan()


def test_a_platform_that_upstream_does_not_have_is_told(upstream, sync):
    with pytest.raises(NotUpstream, match=r"packages\.arm64_tahoe\.jws\.json"):
        sync.plan()


def test_a_name_that_matches_nothing_stops_the_plan(upstream, sync, connections):
    upstream.add("jq", {"arm64_tahoe": b"jq"})
    selection = Selection(("arm64_tahoe",), ("jqq",), include_dependencies=True)
    sync.connections = replace(
        connections, settings=replace(connections.settings, selection=selection)
    )

    with pytest.raises(UnknownFormula, match=r'"jqq" \(did you mean "jq"\?\)'):
        sync.plan()


def test_an_upstream_that_is_down_is_worth_another_try(upstream, sync):
    upstream.add("jq", {"arm64_tahoe": b"jq"})
    upstream.first_answers["/v2/homebrew/core/jq/manifests/1.0"] = [(503, {})] * 4

    with pytest.raises(UpstreamUnavailable):
        sync.plan()

    assert sync.plan()["missing"] == 1


UNUSABLE = {
    "another digest": ({"sh.brew.bottle.digest": "ab" * 32}, "does not hold jq 1.0"),
    "another name": ({"org.opencontainers.image.ref.name": "1.0.sonoma"}, "does not hold jq 1.0"),
    "no tab": ({"sh.brew.tab": None}, "has no sh.brew.tab that is JSON"),
    "a tab that is not JSON": ({"sh.brew.tab": "{"}, "has no sh.brew.tab that is JSON"),
    "a size that is no number": ({"sh.brew.bottle.size": "-1"}, 'the sh.brew.bottle.size "-1"'),
}


@pytest.mark.parametrize(("notes", "told"), UNUSABLE.values(), ids=UNUSABLE)
def test_an_index_that_brew_could_not_use_is_not_published(upstream, sync, stored, notes, told):
    upstream.add("jq", {"arm64_tahoe": b"jq"})
    spoil(upstream, "jq", "1.0", **notes)
    planned = sync.plan()
    sync.copy(planned)

    with pytest.raises(IncompleteSync, match=f"jq 1.0 arm64_tahoe .*{told}"):
        sync.publish(planned)

    assert not stored("v2/")


@pytest.mark.parametrize("index", [b"<html>", b"[]", b'{"manifests": [1]}', b"{}"])
def test_what_is_no_index_is_told(upstream, sync, index):
    upstream.add("jq", {"arm64_tahoe": b"jq"})
    upstream.manifests["jq", "1.0"] = index
    planned = sync.plan()

    with pytest.raises(IncompleteSync, match="not an OCI image index"):
        sync.publish(planned)


def test_a_size_that_the_index_lacks_is_read_from_the_image_manifest(upstream, sync):
    sized_by_its_manifest(upstream, 2)

    answer = sync.run()

    assert answer["bytes"] == 2


@pytest.mark.parametrize(
    "size", ["1e999", "Infinity", "NaN", '"two"', "null", "9" * 5000, "9" * 19]
)
def test_a_layer_without_a_size_that_can_be_is_told(upstream, sync, size):
    sized_by_its_manifest(upstream, size)

    with pytest.raises(IncompleteSync, match="not an OCI image manifest"):
        sync.run()


def test_an_image_manifest_that_is_not_the_one_that_the_index_names_is_told(upstream, sync):
    reference = sized_by_its_manifest(upstream, 2)
    upstream.manifests["jq", reference] += b" "

    with pytest.raises(IncompleteSync, match="not the image manifest that its index names"):
        sync.run()


@pytest.mark.parametrize("reference", ["", "../../../token", "sha256:0", "sha512:" + "0" * 64])
def test_an_image_manifest_without_a_digest_is_not_asked_for(upstream, sync, reference):
    sized_by_its_manifest(upstream, 2, reference)
    upstream.requests.clear()

    with pytest.raises(IncompleteSync, match="names no image manifest"):
        sync.run()

    assert set(upstream.paths("/v2/")) == {"/v2/homebrew/core/jq/manifests/1.0"}


def test_a_staged_index_that_was_changed_in_the_bucket_is_not_published(upstream, sync, s3, stored):
    upstream.add("jq", {"arm64_tahoe": b"jq"})
    planned = sync.plan()
    sync.copy(planned)
    key = f"syncs/{planned['sync']}/manifests/00000.json"
    body = json.dumps([["jq", "1.0", '{"manifests": []}']]).encode()
    s3.put_object(Bucket="mirror", Key=key, Body=body)

    with pytest.raises(BadManifest, match=r"does not hold jq 1\.0 arm64_tahoe"):
        sync.publish(planned)

    assert not stored("api/")


def test_a_dry_run_tells_what_a_sync_would_do_and_writes_nothing(
    upstream, sync, connections, stored
):
    both = ("arm64_tahoe", "x86_64_linux")
    upstream.add("docs", {"all": b"docs"}, platforms=both)
    upstream.add("jq", {"arm64_tahoe": b"jq"}, platforms=both)
    sync.run()
    upstream.add("jq", {"arm64_tahoe": b"jq 2"}, version="2.0", platforms=both)
    held = stored()
    settings = connections.settings.overridden("", both, ())

    answer = planning.dry_run(connections.with_settings(settings))

    counts = {"formulae": 2, "bottles": 2, "present": 1, "missing": 1, "without_bottle": 1}
    assert {name: answer[name] for name in counts} == counts
    assert answer["by_platform"] == {
        "arm64_tahoe": {"formulae": 2, "dependencies": 0, "bottles": 2, "missing": 1},
        "x86_64_linux": {"formulae": 2, "dependencies": 0, "bottles": 1, "missing": 0},
    }
    assert answer["examples"] == ["jq 2.0 arm64_tahoe"]
    assert (answer["warnings"], answer["sizes"], answer["why"]) == ([], None, {})
    assert stored() == held


def test_a_dry_run_needs_no_lease_and_asks_the_registry_nothing(upstream, sync, connections):
    upstream.add("jq", {"arm64_tahoe": b"jq"})
    sync.plan()
    upstream.requests.clear()

    planning.dry_run(connections)

    assert upstream.paths() == [f"/api/{API}"]
