"""What public mirrors by a script over flat files get wrong, each held not to happen here.

Read in tuna/tunasync-scripts, ``homebrew-bottles.py``: a digest read but never compared, a file
taken for right because it is there, a failed download followed by publishing anyway, a moment
with no API at all, old bottles gone at once.
"""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta

import pytest

from mirror import channels, retention
from mirror.errors import IncompleteSync
from tests.unit.mirror.conftest import NOW

WEEK = timedelta(days=7)
API = "api/internal/packages.arm64_tahoe.jws.json"
OLD, NEW = b"jq, the old one", b"jq, the new one"
FIRST = "2026-11-22T030000Z"


def blob(body):
    return f"v2/homebrew/core/jq/blobs/sha256:{hashlib.sha256(body).hexdigest()}"


@pytest.fixture
def updated(upstream, sync):
    """One version is published, and upstream has the next."""
    upstream.add("jq", {"arm64_tahoe": OLD}, version="1.0")
    sync.run()
    upstream.add("jq", {"arm64_tahoe": NEW}, version="2.0")
    return sync


def again(sync):
    return sync.run(execution="two", now=NOW + WEEK)


def test_a_digest_is_compared_and_not_only_read(upstream, updated, stored):
    upstream.blobs[hashlib.sha256(NEW).hexdigest()].damaged_answers = 99

    with pytest.raises(IncompleteSync, match=r"jq 2\.0 arm64_tahoe \(.*SHA-256"):
        again(updated)

    assert blob(NEW) not in stored()


def test_a_file_is_not_taken_for_right_because_it_is_there(updated, s3, stored):
    s3.put_object(Bucket="mirror", Key=blob(NEW), Body=b"half of i")

    again(updated)

    assert stored()[blob(NEW)] == NEW


def test_a_failed_download_is_not_followed_by_publishing_anyway(upstream, updated, stored):
    served = stored("api/")
    upstream.blobs[hashlib.sha256(NEW).hexdigest()].breaks_at = [3] * 99

    with pytest.raises(IncompleteSync, match=r"1 of 1 bottles are missing: jq 2\.0"):
        again(updated)

    assert stored("api/") == served
    assert not stored(f"snapshots/{NOW + WEEK:%Y-%m-%d}")


def test_there_is_no_moment_without_an_api_whose_bottles_can_be_fetched(
    updated, before_each_write, stored
):
    named = []

    def look():
        held = stored()
        payload = json.loads(json.loads(held[API])["payload"])
        digest = payload["formulae"]["jq"]["bottle_checksum"]
        assert f"v2/homebrew/core/jq/blobs/sha256:{digest}" in held
        named.append(digest)

    before_each_write(look)
    again(updated)
    channels.rollback(updated.connections, "default", FIRST, NOW + WEEK, dry_run=False)

    look()
    assert {blob(OLD), blob(NEW)} == {f"v2/homebrew/core/jq/blobs/sha256:{each}" for each in named}


def test_old_bottles_are_not_gone_at_once(upstream, updated, retaining, stored):
    again(updated)
    # Two versions on, no snapshot that is kept names the first.
    upstream.add("jq", {"arm64_tahoe": b"jq, the newest"}, version="3.0")
    updated.run(execution="three", now=NOW + 2 * WEEK)
    keeping = retaining(updated.connections, keep_snapshots=1, keep_days=1, grace_days=14)

    for days in (15, 20, 28):
        now = NOW + timedelta(days=days)
        found = retention.find(keeping, now)
        retention.carry_out(keeping.bucket, found, f"2026-12-{days:02}T000000Z")

        assert blob(OLD) in stored("v2/")
