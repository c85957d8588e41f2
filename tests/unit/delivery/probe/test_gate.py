"""gate: what was just published is probed at the address where clients find it, as it is held."""

from __future__ import annotations

import hashlib
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


IMAGE = b"a disk image"
CASK = hashlib.sha256(IMAGE).hexdigest()
CASK_KEY = f"v2/homebrew/cask/firefox/blobs/sha256:{CASK}"
TAPPED_KEY = "v2/acme/tools/libxa/1/manifests/1.2_3-1"


@pytest.fixture
def holding_more(s3, mirror, signed):
    """The snapshot of `mirror` holds a cask and a bottle of another tap, too."""

    def put(key, body, **more):
        s3.put_object(Bucket=mirror, Key=key, Body=body, **more)

    core = "v2/homebrew/core/libxa/1"
    for name in (f"blobs/sha256:{DIGEST}", "manifests/1.2_3-1"):
        found = s3.get_object(Bucket=mirror, Key=f"{core}/{name}")
        body, kind = found["Body"].read(), found["ContentType"]
        put(f"v2/acme/tools/libxa/1/{name}", body, ContentType=kind)
    put(CASK_KEY, IMAGE)
    packages = {"lib+a@1": {"stable_version": "1.2", "revision": 3, "bottle_rebuild": 1}}
    packages["lib+a@1"]["bottle_checksum"] = DIGEST
    entry = {"sha256": CASK, "version": "145.0"}
    listed = [{"token": "firefox", **entry}, {"token": "chrome", "sha256": "no_check"}]
    for prefix in ("api", f"snapshots/{SNAPSHOT}/api"):
        document = {"formulae": packages, "casks": {"firefox": entry, "chrome": entry}}
        put(f"{prefix}/{PACKAGES}", signed(json.dumps(document)))
        put(f"{prefix}/cask.jws.json", signed(json.dumps(listed)))
    tapped = {**HELD, "repository": "acme/tools"}
    put(f"snapshots/{SNAPSHOT}/bottles.json", json.dumps([HELD, tapped]).encode())
    held = {"token": "firefox", "digest": CASK, "size_bytes": len(IMAGE)}
    left_out = [{"cask": "chrome", "platform": "arm64_tahoe", "problem": "no checksum"}]
    casks = {"casks": [held], "left_out": left_out}
    put(f"snapshots/{SNAPSHOT}/casks.json", json.dumps(casks).encode())
    return put


def test_casks_and_taps_of_a_sound_publish_are_proven_too(check, holding_more):
    proof = check()

    assert proof.warnings == ()


@pytest.mark.parametrize(
    ("key", "body", "defect"),
    [
        (CASK_KEY, b"a disk image?", "cask-too-long"),
        (CASK_KEY, b"A disk image", "cask-corrupted"),
        (TAPPED_KEY, b"{}", "manifest-not-an-index"),
    ],
)
def test_a_spoilt_cask_or_tap_fails_a_publish(check, holding_more, key, body, defect):
    holding_more(key, body)

    with pytest.raises(SmokeTestFailed, match=defect) as failure:
        check()

    assert key in failure.value.problem


def test_a_lost_cask_fails_a_publish(check, holding_more, s3, mirror):
    s3.delete_object(Bucket=mirror, Key=CASK_KEY)

    with pytest.raises(SmokeTestFailed, match="cask-missing"):
        check()
