"""The how-to page on air gaps, run as it stands: from dev's mirror into staging's, twice.

The tests are one story in the order they stand: each starts from what the one before left.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest
import yaml

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "cross-an-air-gap.md").read_text(encoding="utf-8")
COMMANDS = [
    line
    for block in re.findall(r"```shell\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
]
SINCE_ON_THE_PAGE = "2026-11-22T030000Z"
API = "api/internal/packages.arm64_tahoe.jws.json"


@pytest.fixture(scope="module")
def page(checkout):
    """Runs the page's own command that begins so, in a checkout beside ``../parcel``."""

    def run(begins: str, *more: str, since: str = SINCE_ON_THE_PAGE):
        (command,) = [each for each in COMMANDS if each.startswith(f"inv {begins}")]
        words = shlex.split(command.replace(SINCE_ON_THE_PAGE, since))[1:]
        return checkout.inv(*words, *more)

    return run


@pytest.fixture(scope="module")
def answer(page):
    """The same, which must end well; returns what it says with --json."""

    def run(begins: str, **since: str):
        ended = page(begins, "--json", **since)
        assert ended.returncode == 0, f"{begins}: {ended.stdout}{ended.stderr}"
        return json.loads(ended.stdout)

    return run


@pytest.fixture(scope="module")
def both(checkout, page, answer):
    """dev is deployed and has synced; staging waits for its first import."""
    file = checkout.root / "config" / "airbrew.yaml"
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    document["environments"]["staging"] |= yaml.safe_load(block)["environments"]["staging"]
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    assert page("mirror.keygen").returncode == 0
    near = checkout.answer("deploy", "--env", "dev")
    return near, answer("deploy --env staging")


def beside(checkout, name: str) -> Path:
    return checkout.root.parent / name


def bucket_of(checkout, outputs) -> tuple:
    """An S3 client in the bucket's own account of the sandbox, and the bucket."""
    servers = {each["name"]: each["url"] for each in checkout.answer("sandbox.status")}
    name = outputs["mirror_bucket"]
    client = boto3.client(
        "s3",
        endpoint_url=servers["ministack"],
        region_name="us-east-1",
        aws_access_key_id=name.rsplit("-", 1)[-1],
        aws_secret_access_key="sandbox",
    )
    return client, name


def keys(s3, bucket: str) -> set[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {each["Key"] for page in pages for each in page.get("Contents", ())}


@contextmanager
def plainly_served(folder: Path):
    """The folder behind the web server that the page names."""
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "http.server", "--bind", "127.0.0.1", "0"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        told = process.stdout.readline()
        yield f"http://127.0.0.1:{re.search(r'port ([0-9]+)', told)[1]}"
        process.terminate()


def test_a_deploy_behind_the_gap_runs_no_sync_and_waits(both):
    _, far = both

    assert far["action"] == "deployed"
    assert (far["sync"], far["bottle"]) == ({}, {})


def test_what_is_exported_serves_every_brew_by_itself(checkout, both, answer):
    exported = answer("mirror.export --env dev --to ../parcel")

    key = checkout.root / ".airbrew" / "sandbox" / "upstream" / "signing-key.pub.pem"
    with plainly_served(beside(checkout, "parcel")) as url:
        probed = checkout.inv(
            *("mirror.probe", "--url", url, "--public-key", str(key), "--formula", "jq")
        )
    assert exported["snapshot"] == both[0]["sync"]["snapshot"]
    assert probed.returncode == 0, probed.stdout


def test_a_flipped_bit_stops_the_import_before_anything_is_uploaded(checkout, both, page):
    blob = next(beside(checkout, "parcel").rglob("sha256:*"))
    sound = blob.read_bytes()
    blob.write_bytes(bytes([sound[0] ^ 1]) + sound[1:])
    s3, bucket = bucket_of(checkout, both[1]["outputs"])
    before = keys(s3, bucket)

    refused = page("mirror.import ../parcel --env staging")
    blob.write_bytes(sound)

    assert refused.returncode == 1
    assert f'{blob.name}" has other bytes than were signed' in refused.stderr
    assert "Traceback" not in refused.stderr
    assert keys(s3, bucket) == before


def test_what_is_imported_is_a_mirror_that_every_brew_can_live_on(both, page, answer):
    brought = answer("mirror.import ../parcel --env staging")
    probed = page("mirror.probe --env staging")

    assert brought["snapshot"] == both[0]["sync"]["snapshot"]
    assert brought["uploaded"] == brought["blobs"] > 4
    assert probed.returncode == 0, probed.stdout + probed.stderr


def test_a_delta_brings_what_is_new_and_nothing_else(checkout, both, page, answer):
    release(checkout, "jq", "9.9.9")
    synced = answer("mirror.sync --env dev")
    since = both[0]["sync"]["snapshot"]

    exported = answer("mirror.export --env dev --to ../delta", since=since)
    brought = answer("mirror.import ../delta --env staging")

    assert exported["counts"]["blobs"] == synced["output"]["copied"] == brought["uploaded"] == 1
    assert brought["since"] == since
    near, far = (bucket_of(checkout, each["outputs"]) for each in both)
    assert read(*far, API) == read(*near, API)
    probed = page("mirror.probe --env staging")
    assert probed.returncode == 0, probed.stdout + probed.stderr


def test_in_parts_only_what_was_lost_is_brought_again(checkout, both, page):
    assert page("mirror.pack").returncode == 0
    lost = min(beside(checkout, "parts").glob("*.part"))
    lost.rename(beside(checkout, "lost"))

    lacking = page("mirror.unpack")
    beside(checkout, "lost").rename(lost)
    whole = page("mirror.unpack")
    again = checkout.inv(
        *("mirror.import", "--env", "staging", "--from", str(beside(checkout, "arrived"))),
        *("--public-key", "../parcel-key.pub"),
    )

    assert lacking.returncode == 1
    assert f"{lost.name} is not there" in lacking.stderr
    assert whole.returncode == 0, whole.stderr
    assert again.returncode == 0, again.stderr
    assert "0 of " in again.stdout


def test_a_deploy_of_a_filled_mirror_fetches_a_bottle_back(checkout, both):
    again = checkout.answer("deploy", "--env", "staging", "--force")

    assert again["sync"] == {}
    assert again["bottle"]["digest"]


def test_a_seed_spares_the_next_sync_what_it_holds(checkout, both, answer):
    s3, bucket = bucket_of(checkout, both[0]["outputs"])
    lost = next(key for key in sorted(keys(s3, bucket)) if "oniguruma/blobs" in key)
    s3.delete_object(Bucket=bucket, Key=lost)

    seeded = answer("mirror.seed --env dev --from ../parcel")
    synced = answer("mirror.sync --env dev")

    assert (seeded["uploaded"], seeded["missing"], seeded["refused"]) == (1, 0, [])
    assert lost in keys(s3, bucket)
    assert synced["output"]["copied"] == 0


def release(checkout, name: str, version: str) -> None:
    """The sample upstream publishes a new version."""
    servers = {each["name"]: each["url"] for each in checkout.answer("sandbox.status")}
    request = urllib.request.Request(
        f"{servers['upstream']}/_sandbox/releases",
        method="POST",
        data=json.dumps({"name": name, "version": version}).encode(),
        headers={"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=30).close()


def read(s3, bucket: str, key: str) -> bytes:
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read()
