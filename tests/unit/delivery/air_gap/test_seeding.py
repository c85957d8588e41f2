"""seeding: only bytes that the signed catalogue names get in, whatever their files are called."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from delivery.errors import BadInput, SyncFailed
from delivery.mirror import seeding
from delivery.progress import Steps
from orchestrator import handler
from tests.doubles.far_side import FAR, NEAR, OUTPUTS

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
    ],
)
def test_a_source_that_is_none_is_refused(seed, source, told):
    with pytest.raises(BadInput, match=told):
        seed(source)


def test_without_a_catalogue_nothing_is_seeded(first, far, upstream, at_hand):
    upstream.api_files.clear()

    with pytest.raises(SyncFailed, match="could not say what is wanted"):
        seeding.seed(far.cloud, OUTPUTS, str(at_hand), Steps(), everything=False)
