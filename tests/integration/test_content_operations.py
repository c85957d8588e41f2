"""The life of what is published: a new version, rollback, channels, damage, audit, collection."""

from __future__ import annotations

import json
from urllib.request import Request, urlopen

import boto3
import pytest

pytestmark = pytest.mark.usefixtures("deployed")
TAP_FILE = "config/taps/acme-tools.json"
CHANNELS = {"channels": ["canary", "stable"], "soak_hours": 1000}
NO_RETENTION = {"keep_snapshots": 1, "keep_days": 0, "grace_days": 0}


@pytest.fixture(scope="module")
def deployed(checkout):
    """A first snapshot, in every channel; a retention that would keep as little as it may.

    Besides formulae it holds casks, and bottles of another tap.
    """
    checkout.answer("sandbox.up")
    urls = {each["name"]: each["url"] for each in checkout.answer("sandbox.status")}
    with urlopen(f"{urls['upstream']}/_sandbox/tap", timeout=30) as answer:
        told = answer.read()
    (checkout.root / TAP_FILE).parent.mkdir()
    (checkout.root / TAP_FILE).write_bytes(told)
    selection = {"casks": ["firefox", "google-chrome"], "tap_files": [TAP_FILE]}
    checkout.configure({"publish": CHANNELS, "retention": NO_RETENTION, "selection": selection})
    return checkout.answer("deploy", "--env", "dev")


@pytest.fixture(scope="module")
def s3(deployed, checkout):
    """The mirror's bucket, as the sandbox's own account sees it."""
    found = json.loads((checkout.root / ".airbrew" / "sandbox" / "servers.json").read_text())
    return boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{found['servers']['ministack']['port']}",
        aws_access_key_id="111111111111",
        aws_secret_access_key="111111111111",
        region_name="us-east-1",
    )


def of_casks_and_taps(s3, bucket):
    """Key → bytes of the files of casks, and of the manifests and bottles of another tap."""
    found = [
        each["Key"]
        for prefix in ("v2/homebrew/cask/", "v2/acme/tools/")
        for each in s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
    ]
    return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in found}


def release(checkout, name, version):
    found = json.loads((checkout.root / ".airbrew" / "sandbox" / "servers.json").read_text())
    body = json.dumps({"name": name, "version": version}).encode()
    url = f"http://127.0.0.1:{found['servers']['upstream']['port']}/_sandbox/releases"
    with urlopen(Request(url, body, {"Content-Type": "application/json"})) as answer:
        assert answer.status < 300


def served(s3, bucket, prefix):
    key = f"{prefix}internal/packages.arm64_tahoe.jws.json"
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def test_a_day_in_the_life_of_a_mirror(checkout, deployed, s3):
    bucket = deployed["outputs"]["mirror_bucket"]
    (first,) = checkout.answer("mirror.snapshots")
    old = served(s3, bucket, "api/")

    release(checkout, "jq", "9.9.9")
    second = checkout.answer("mirror.sync")["output"]["snapshot"]
    new = served(s3, bucket, "api/")
    listed = checkout.answer("mirror.snapshots")

    assert [each["id"] for each in listed] == [second, first["id"]]
    assert sorted(listed[0]["channels"]) == ["canary", "default"]
    assert listed[1]["channels"] == ["stable"]
    assert 0 < listed[0]["new_bytes"] < listed[0]["bytes"]
    assert served(s3, bucket, "channels/stable/api/") == old != new

    checkout.answer("mirror.rollback", "--to", first["id"])
    assert served(s3, bucket, "api/") == old
    assert checkout.answer("status", "--env", "dev")["channels"]["default"] == first["id"]

    checkout.answer("mirror.promote", "--to", "stable")
    assert served(s3, bucket, "channels/stable/api/") == new

    kept = checkout.answer("mirror.gc", "--apply")
    assert kept["dropped"] == []
    assert served(s3, bucket, "api/") == old
    assert checkout.answer("mirror.audit")["intact"]


def test_a_flipped_bit_is_found_and_mended(checkout, deployed, s3):
    bucket = deployed["outputs"]["mirror_bucket"]
    newest = checkout.answer("mirror.snapshots")[0]["id"]
    listed = s3.get_object(Bucket=bucket, Key=f"snapshots/{newest}/bottles.json")["Body"].read()
    bottle = next(each for each in json.loads(listed) if each["formula"] == "jq")
    key = f"v2/homebrew/core/jq/blobs/sha256:{bottle['digest']}"
    sound = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    s3.put_object(Bucket=bucket, Key=key, Body=bytes([sound[0] ^ 1]) + sound[1:])

    seen = checkout.inv("mirror.verify", "--deep")
    mended = checkout.answer("mirror.verify", "--deep", "--repair")

    assert seen.returncode == 1
    assert "1 damaged, 0 repaired" in seen.stdout
    assert (mended["damaged"], mended["repaired"]) == (1, 1)
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == sound


def test_a_spoilt_and_a_lost_manifest_are_brought_back(checkout, deployed, s3):
    bucket = deployed["outputs"]["mirror_bucket"]
    found = s3.list_objects_v2(Bucket=bucket, Prefix="v2/homebrew/core/")["Contents"]
    newest = checkout.answer("mirror.snapshots")[0]["id"]
    listed = s3.get_object(Bucket=bucket, Key=f"snapshots/{newest}/bottles.json")["Body"].read()
    keys = {
        f"v2/homebrew/core/{each['formula']}/manifests/{each['version']}"
        for each in json.loads(listed)
    } & {each["Key"] for each in found}
    spoilt, lost = sorted(keys)[:2]
    sound = {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in (spoilt, lost)}
    s3.put_object(Bucket=bucket, Key=spoilt, Body=b"{}")
    s3.delete_object(Bucket=bucket, Key=lost)

    seen = checkout.inv("mirror.verify", "--deep")
    mended = checkout.answer("mirror.verify", "--deep", "--repair")

    assert seen.returncode == 1
    assert "2 damaged, 0 repaired" in seen.stdout
    assert (mended["damaged"], mended["repaired"]) == (2, 2)
    for key, body in sound.items():
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == body


def test_spoilt_casks_and_taps_are_named_by_the_probe_and_mended(checkout, deployed, s3):
    bucket = deployed["outputs"]["mirror_bucket"]
    sound = of_casks_and_taps(s3, bucket)
    proven = checkout.answer("mirror.probe", "--env", "dev")
    for key in sound:
        s3.put_object(Bucket=bucket, Key=key, Body=b"spoilt")

    probed = checkout.inv("mirror.probe", "--env", "dev")
    mended = checkout.answer("mirror.verify", "--deep", "--repair")
    again = checkout.answer("mirror.probe", "--env", "dev")

    requests = {each["request"].partition(",")[0] for each in proven["requests"]}
    assert {"1 cask", "bottles of 2 formulae of other taps"} <= requests
    assert probed.returncode == 1
    for defect in ("cask-too-short", "manifest-not-json", "blob-"):
        assert f"{defect}" in probed.stdout
    assert (mended["damaged"], mended["repaired"]) == (len(sound), len(sound))
    assert of_casks_and_taps(s3, bucket) == sound
    assert (again["works"], again["findings"]) == (True, proven["findings"])


def test_what_nobody_names_any_more_is_collected_and_the_chain_still_holds(checkout, deployed, s3):
    bucket = deployed["outputs"]["mirror_bucket"]
    first = checkout.answer("mirror.snapshots")[-1]["id"]
    casks_and_taps = of_casks_and_taps(s3, bucket)
    for version in ("9.9.10", "9.9.11", "9.9.12"):
        release(checkout, "jq", version)
        newest = checkout.answer("mirror.sync")["output"]["snapshot"]
    checkout.answer("mirror.promote", "--to", "stable")

    looked = checkout.answer("mirror.gc")
    collected = checkout.answer("mirror.gc", "--apply")
    again = checkout.answer("mirror.gc")
    audited = checkout.answer("mirror.audit")

    assert first in looked["dropped"]
    assert not looked["applied"]
    assert collected["objects"] > 0
    assert (again["objects"], again["dropped"]) == (0, [])
    assert audited["intact"]
    assert audited["dropped"] > 0
    left = [each["id"] for each in checkout.answer("mirror.snapshots")]
    assert newest in left
    assert first not in left
    assert checkout.answer("mirror.verify", "--deep")["damaged"] == 0
    gone = s3.list_object_versions(Bucket=bucket, Prefix="v2/homebrew/core/jq/blobs/")
    assert gone["DeleteMarkers"], "what was collected can be brought back as a version"
    assert of_casks_and_taps(s3, bucket) == casks_and_taps
    assert checkout.answer("mirror.probe", "--env", "dev")["works"]


def test_a_rewritten_snapshot_is_a_break(checkout, deployed, s3):
    bucket = deployed["outputs"]["mirror_bucket"]
    oldest = checkout.answer("mirror.snapshots")[-1]["id"]
    key = f"snapshots/{oldest}/api/internal/packages.arm64_tahoe.jws.json"
    s3.put_object(Bucket=bucket, Key=key, Body=b"{}")

    audited = checkout.inv("mirror.audit")

    assert audited.returncode == 1
    assert f"first: {key} does not hold what was published" in audited.stdout
