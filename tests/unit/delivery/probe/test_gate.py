"""gate: what was just published is probed at the address where clients find it, as it is held."""

from __future__ import annotations

import json

import pytest

from delivery.errors import SmokeTestFailed
from delivery.probe import gate
from tests.unit.delivery.conftest import BOTTLE, DIGEST, HELD, SNAPSHOT

BLOB = f"v2/homebrew/core/libxa/1/blobs/sha256:{DIGEST}"
PACKAGES = "internal/packages.arm64_tahoe.jws.json"


@pytest.fixture
def check(cloud, mirror, public_key_pem):
    """Probes the snapshot of the fixture `mirror`."""
    return lambda: gate.check(
        cloud, mirror, SNAPSHOT, public_key_pem=public_key_pem, environment="dev"
    )


def test_a_sound_publish_is_proven_in_a_few_requests(check):
    proof = check()

    assert proof.formulae == ("lib+a@1",)
    assert 20 < proof.requests < 60


def test_a_defect_fails_it_with_its_name_its_address_and_what_to_do(check, s3, mirror):
    s3.put_object(Bucket=mirror, Key=BLOB, Body=BOTTLE[:-1])

    with pytest.raises(SmokeTestFailed, match="blob-too-short") as failure:
        check()

    assert BLOB in failure.value.problem
    assert failure.value.problem.startswith("brew 4.2-4.5, 4.6-5.1, 5.1.10-6 cannot live on it")
    assert failure.value.remedy.endswith("`inv mirror.probe --env dev` tells all")


def test_what_the_selection_leaves_out_is_no_defect(check, s3, mirror, signed):
    only_linux = {**HELD, "formula": "left-out", "tag": "x86_64_linux"}
    s3.put_object(
        Bucket=mirror,
        Key=f"snapshots/{SNAPSHOT}/bottles.json",
        Body=json.dumps([HELD, only_linux]).encode(),
    )
    packages = {
        "lib+a@1": {
            "stable_version": "1.2",
            "revision": 3,
            "bottle_rebuild": 1,
            "bottle_checksum": DIGEST,
            "stable_dependencies": ["left-out"],
        },
        "left-out": {"stable_version": "1", "bottle_checksum": "0" * 64},
    }
    body = signed(json.dumps({"formulae": packages}))
    for prefix in ("api", f"snapshots/{SNAPSHOT}/api"):
        s3.put_object(Bucket=mirror, Key=f"{prefix}/{PACKAGES}", Body=body)

    assert "lib+a@1" in check().formulae


def test_while_api_shows_an_older_set_the_snapshot_s_own_address_is_probed(check, s3, mirror):
    s3.put_object(Bucket=mirror, Key=f"api/{PACKAGES}", Body=b"of another snapshot")

    assert check().formulae == ("lib+a@1",)


def test_a_snapshot_that_does_not_say_what_it_holds_is_named(check, s3, mirror):
    key = f"snapshots/{SNAPSHOT}/bottles.json"
    s3.delete_object(Bucket=mirror, Key=key)

    with pytest.raises(SmokeTestFailed, match="without what it holds") as failure:
        check()

    assert failure.value.where == f"s3://mirror/{key}"


def test_of_a_large_mirror_the_smallest_and_the_odd_are_played():
    plain = [{**HELD, "formula": f"f{size}", "version": "1", "rebuild": 0} for size in range(50)]
    sized = [{**each, "size_bytes": 50 - place} for place, each in enumerate(plain)]
    odd = {**HELD, "size_bytes": 10_000}

    assert gate.few([*sized, odd]) == ["f49", "f48", "f47", "lib+a@1"]
