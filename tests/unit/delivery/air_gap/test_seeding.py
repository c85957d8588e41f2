"""seeding: only bytes that the signed catalogue names get in, whatever their files are called."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from delivery.errors import BadInput, DeliveryError, SyncFailed
from delivery.mirror import seeding, uploads
from delivery.progress import Steps
from mirror.taps import TapFormula
from orchestrator import handler
from tests.doubles.far_side import FAR, NEAR, OUTPUTS
from tests.unit.delivery.air_gap.conftest import LATER

BOTTLE = b"jq 1.0"
DIGEST = hashlib.sha256(BOTTLE).hexdigest()
KEY = f"v2/homebrew/core/jq/blobs/sha256:{DIGEST}"
NAME = "jq--1.0.arm64_tahoe.bottle.tar.gz"


@pytest.fixture
def at_hand(tmp_path):
    """An empty folder for seeds."""
    folder = tmp_path / "seeds"
    folder.mkdir()
    return folder


@pytest.fixture
def seed(first, far):
    """Seeds the far mirror, which wants `jq` and `oniguruma`."""

    def run(source, *, everything=False):
        return seeding.seed(far.cloud, OUTPUTS, str(source), Steps(), everything=everything)

    return run


def blobs(far):
    return {key for key in far.held() if "/blobs/" in key}


@pytest.mark.parametrize(
    "name",
    [
        NAME,
        "jq-1.0.arm64_tahoe.bottle.tar.gz",
        f"{'0' * 64}--{NAME}",
        f"sha256:{DIGEST}",
        DIGEST,
        f"nested/deep/{DIGEST}.tar.gz",
        "whatever",
    ],
)
def test_a_bottle_is_known_by_its_bytes_not_by_its_name(far, seed, at_hand, name):
    (at_hand / name).parent.mkdir(parents=True, exist_ok=True)
    (at_hand / name).write_bytes(BOTTLE)

    seeded = seed(at_hand)

    assert (seeded.uploaded, seeded.uploaded_bytes, seeded.missing) == (1, len(BOTTLE), 1)
    assert blobs(far) == {KEY}
    assert far.read(KEY) == BOTTLE


def test_what_was_seeded_is_not_fetched_by_the_next_sync(far, seed, at_hand, upstream):
    (at_hand / NAME).write_bytes(BOTTLE)
    seed(at_hand)

    again = seed(at_hand)

    assert (again.uploaded, again.present, again.not_wanted) == (0, 1, 1)
    planned = far.function.invoke(
        "", "live", json.dumps({"action": "plan", "dry_run": True}).encode()
    )
    assert json.loads(planned["Payload"].read())["missing"] == 1


@pytest.mark.parametrize("name", [NAME, f"sha256:{DIGEST}", f"{DIGEST}.tar.gz"])
def test_a_corrupt_seed_is_named_and_not_used(far, seed, at_hand, name):
    (at_hand / name).write_bytes(b"jq 1.1")

    seeded = seed(at_hand)

    assert [each.name for each in seeded.refused] == [name]
    assert f"{DIGEST}, but its bytes hash to" in seeded.refused[0].problem
    assert blobs(far) == set()


def test_a_bottle_that_no_catalogue_names_is_left_where_it_is(far, seed, at_hand):
    (at_hand / "evil--6.6.arm64_tahoe.bottle.tar.gz").write_bytes(b"evil")
    (at_hand / "README").write_text("about these bottles")

    seeded = seed(at_hand)

    assert (seeded.uploaded, seeded.not_wanted, seeded.refused) == (0, 2, ())
    assert blobs(far) == set()


def test_a_link_is_not_followed(seed, at_hand, tmp_path):
    (tmp_path / "elsewhere").write_bytes(BOTTLE)
    (at_hand / NAME).symlink_to(tmp_path / "elsewhere")

    assert seed(at_hand).uploaded == 0


def test_with_all_what_is_outside_the_selection_is_taken_too(seed, at_hand, settings, monkeypatch):
    only = replace(settings.selection, formulae=("oniguruma",))
    narrow = handler.connections().with_settings(replace(settings, selection=only))
    monkeypatch.setattr(handler, "connections", lambda: narrow)
    (at_hand / NAME).write_bytes(BOTTLE)

    assert seed(at_hand).not_wanted == 1
    assert seed(at_hand, everything=True).uploaded == 1


# A list of hashes, as public mirrors have it.


@pytest.mark.parametrize(
    "claim", [DIGEST, DIGEST.upper(), f"sha256:{DIGEST}", {"sha256": DIGEST, "size": 6}]
)
def test_a_list_of_hashes_seeds_the_files_beside_it(far, seed, at_hand, claim):
    (at_hand / "a.tar.gz").write_bytes(BOTTLE)
    (at_hand / "bottles_hash.json").write_text(json.dumps({"a.tar.gz": claim}))

    assert seed(at_hand / "bottles_hash.json").uploaded == 1
    assert blobs(far) == {KEY}


def test_a_lying_list_is_found_out(far, seed, at_hand):
    (at_hand / "a.tar.gz").write_bytes(b"other")
    (at_hand / "b.tar.gz").write_bytes(BOTTLE)
    listed = {
        "a.tar.gz": DIGEST,
        "b.tar.gz": "0" * 64,
        "c.tar.gz": DIGEST,
        "d.tar.gz": 7,
        "../e.tar.gz": DIGEST,
        "/f.tar.gz": DIGEST,
    }
    (at_hand / "bottles_hash.json").write_text(json.dumps(listed))

    seeded = seed(at_hand / "bottles_hash.json")

    problems = {each.name: each.problem for each in seeded.refused}
    assert "claims to be" in problems["a.tar.gz"]
    assert "claims to be" in problems["b.tar.gz"]
    assert problems["c.tar.gz"] == "is listed, but not there"
    assert problems["d.tar.gz"] == "is listed without a SHA-256"
    assert problems["../e.tar.gz"] == problems["/f.tar.gz"] == "leads out of the folder of the list"
    assert blobs(far) == set()


def test_a_folder_that_has_such_a_list_is_held_to_it(far, seed, at_hand):
    (at_hand / NAME).write_bytes(BOTTLE)
    (at_hand / "bottles_hash.json").write_text(json.dumps({NAME: "0" * 64}))

    seeded = seed(at_hand)

    assert [each.name for each in seeded.refused] == [NAME]
    assert blobs(far) == set()


@pytest.mark.parametrize("body", ["[]", "not JSON", '"text"'])
def test_what_is_no_list_of_hashes_is_told(seed, at_hand, body):
    (at_hand / "bottles_hash.json").write_text(body)

    with pytest.raises(BadInput, match="not a list of hashes"):
        seed(at_hand / "bottles_hash.json")


# Another mirror's bucket.


def test_another_mirror_s_bucket_seeds_what_is_wanted(far, seed):
    seeded = seed(f"s3://{NEAR}/v2/")

    assert (seeded.uploaded, seeded.missing) == (2, 0)
    assert far.read(KEY) == BOTTLE


def test_a_bucket_that_lies_about_its_blobs_is_found_out(far, seed):
    far.s3.put_object(Bucket=NEAR, Key=KEY, Body=b"rotten")

    seeded = seed(f"s3://{NEAR}")

    assert [each.name for each in seeded.refused] == [f"s3://{NEAR}/{KEY}"]
    assert seeded.uploaded == 1
    assert KEY not in far.held()


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (f"s3://{FAR}/v2", "is this mirror"),
        ("nowhere", "is neither a folder"),
        ("s3://", '"s3://" names no bucket'),
        ("s3://no such name", "names no bucket"),
        (f"s3://{NEAR}/mistyped", "holds no object"),
        ("s3://nobody-s-bucket", "cannot be listed: NoSuchBucket"),
    ],
)
def test_a_source_that_is_none_is_refused(seed, source, told):
    with pytest.raises(BadInput, match=told):
        seed(source)


def test_a_folder_without_a_file_is_refused(seed, tmp_path):
    (tmp_path / "empty" / "below").mkdir(parents=True)

    with pytest.raises(BadInput, match="holds no file"):
        seed(str(tmp_path / "empty"))


def test_without_a_catalogue_nothing_is_seeded(first, far, upstream, at_hand):
    upstream.api_files.clear()

    with pytest.raises(SyncFailed, match="could not say what is wanted"):
        seeding.seed(far.cloud, OUTPUTS, str(at_hand), Steps(), everything=False)


# Casks, and bottles of other taps.

IMAGE = b"a disk image"
IMAGE_DIGEST = hashlib.sha256(IMAGE).hexdigest()
CASK_KEY = f"v2/homebrew/cask/firefox/blobs/sha256:{IMAGE_DIGEST}"
TAPPED = b"deploy"
TAPPED_DIGEST = hashlib.sha256(TAPPED).hexdigest()
TAP_KEY = f"v2/acme/tools/deploy/blobs/sha256:{TAPPED_DIGEST}"
FILE = "firefox-145.0.dmg"


@pytest.fixture
def wanting(seed, upstream, settings, monkeypatch):
    """The far mirror selects a cask and a formula of another tap, too."""
    upstream.add_cask("firefox", IMAGE, path=FILE, version="145.0,2026")
    digests = upstream.add_tapped("acme/tools", "deploy", {"arm64_tahoe": TAPPED})
    tapped = TapFormula("acme/tools", "deploy", "1.0", 0, digests)
    more = replace(settings.selection, casks=("firefox",), taps=(tapped,))
    wider = handler.connections().with_settings(replace(settings, selection=more))
    monkeypatch.setattr(handler, "connections", lambda: wider)
    return f"{upstream.url}/vendors/{FILE}"


def test_a_folder_seeds_casks_and_taps_whatever_their_files_are_called(far, seed, wanting, at_hand):
    (at_hand / "one").write_bytes(IMAGE)
    (at_hand / "two").write_bytes(TAPPED)

    seeded = seed(at_hand)

    assert (seeded.uploaded, seeded.missing) == (2, 2)
    assert blobs(far) == {CASK_KEY, TAP_KEY}
    assert (far.read(CASK_KEY), far.read(TAP_KEY)) == (IMAGE, TAPPED)


def test_a_list_of_hashes_and_another_bucket_seed_casks_and_taps(far, seed, wanting, at_hand):
    (at_hand / "a").write_bytes(IMAGE)
    (at_hand / "bottles_hash.json").write_text(json.dumps({"a": IMAGE_DIGEST}))
    far.s3.put_object(Bucket=NEAR, Key=f"backup/{TAPPED_DIGEST}", Body=TAPPED)
    far.s3.put_object(Bucket=NEAR, Key=f"backup/{FILE}", Body=IMAGE)

    listed = seed(at_hand / "bottles_hash.json")
    far.s3.delete_object(Bucket=FAR, Key=CASK_KEY)
    held = seed(f"s3://{NEAR}/backup/")

    assert (listed.uploaded, held.uploaded) == (1, 2)
    assert blobs(far) == {CASK_KEY, TAP_KEY}


def test_a_parcel_seeds_all_that_it_carries(far, seed, wanting, upstream, sync, tmp_path):
    wider = replace(sync.connections.settings, selection=handler.connections().settings.selection)
    sync.connections = sync.connections.with_settings(wider)
    sync.run(execution="two", now=LATER)
    far.export(tmp_path / "parcel")

    seeded = seed(tmp_path / "parcel")

    assert (seeded.uploaded, seeded.missing) == (4, 0)
    assert {CASK_KEY, TAP_KEY} <= blobs(far)


def test_casks_and_taps_that_were_seeded_are_not_fetched_by_the_next_sync(
    far, seed, wanting, at_hand
):
    (at_hand / "one").write_bytes(IMAGE)
    (at_hand / "two").write_bytes(TAPPED)
    seed(at_hand)

    planned = far.function.invoke(
        "", "live", json.dumps({"action": "plan", "dry_run": True}).encode()
    )

    told = json.loads(planned["Payload"].read())
    assert (told["casks"]["missing"], told["missing"]) == (0, 2)
    assert seed(at_hand).present == 2


def names_of_a_cask(url):
    hashed = hashlib.sha256(url.encode()).hexdigest()
    return [FILE, f"{hashed}--whatever.dmg", f"sha256:{IMAGE_DIGEST}"]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_corrupt_cask_is_named_and_not_used(far, seed, wanting, at_hand, place):
    name = names_of_a_cask(wanting)[place]
    (at_hand / name).write_bytes(b"a disk image that was cut")

    seeded = seed(at_hand)

    assert [each.name for each in seeded.refused] == [name]
    assert f"{IMAGE_DIGEST}, but its bytes hash to" in seeded.refused[0].problem
    assert blobs(far) == set()


def test_a_file_under_a_name_without_a_version_is_not_called_corrupt(
    far, seed, wanting, upstream, at_hand
):
    upstream.add_cask("firefox", IMAGE, path="latest.dmg", version="145.0")
    (at_hand / "latest.dmg").write_bytes(b"version 144")

    seeded = seed(at_hand)

    assert (seeded.refused, seeded.not_wanted) == ((), 1)


def test_a_lying_bottle_of_a_tap_is_found_out(far, seed, wanting, at_hand):
    (at_hand / "deploy--1.0.arm64_tahoe.bottle.tar.gz").write_bytes(b"malice")
    far.s3.put_object(Bucket=NEAR, Key=f"rotten/sha256:{TAPPED_DIGEST}", Body=b"malice")

    refused = [*seed(at_hand).refused, *seed(f"s3://{NEAR}/rotten/").refused]

    assert len(refused) == 2
    assert all(f"{TAPPED_DIGEST}, but" in each.problem for each in refused)
    assert blobs(far) == set()


def test_with_all_every_cask_is_taken_if_one_is_selected(far, seed, wanting, upstream, at_hand):
    upstream.add_cask("zoom", b"zoom")
    (at_hand / "zoom").write_bytes(b"zoom")

    assert seed(at_hand).not_wanted == 1
    assert seed(at_hand, everything=True).uploaded == 1


def test_a_file_larger_than_one_put_goes_in_parts(far, seed, wanting, at_hand, monkeypatch):
    monkeypatch.setattr(uploads, "LIMIT_BYTES", 4)
    (at_hand / "one").write_bytes(IMAGE)

    assert seed(at_hand).uploaded == 1
    assert far.read(CASK_KEY) == IMAGE


def test_a_large_file_that_changes_on_the_way_leaves_nothing(far, first, tmp_path, monkeypatch):
    monkeypatch.setattr(uploads, "LIMIT_BYTES", 4)
    (tmp_path / "one").write_bytes(b"other bytes")

    with pytest.raises(DeliveryError, match="it changed while it was read"):
        uploads.put(far.s3, FAR, CASK_KEY, tmp_path / "one", IMAGE_DIGEST, uploads.BLOB_TYPE)

    assert blobs(far) == set()
    assert "Uploads" not in far.s3.list_multipart_uploads(Bucket=FAR)
