"""copy_blob: a key under blobs/ exists only if its bytes hash to its name."""

from __future__ import annotations

import hashlib

import pytest

from mirror.bottles import Bottle
from mirror.errors import DigestMismatch
from mirror.memory import Memory
from mirror.transfer import MIB, copy_blob

BODY = bytes(range(256)) * 4096 * 6  # 6 MiB: more than one part of 5 MiB, the last one short.
BOTTLE = Bottle("jq", "1.0", 0, "arm64_tahoe", hashlib.sha256(BODY).hexdigest(), len(BODY))
KEY = f"v2/homebrew/core/jq/blobs/sha256:{BOTTLE.digest}"
LIMITS = pytest.mark.parametrize("part_bytes", [5 * MIB, 8 * MIB], ids=["multipart", "one put"])


def broken_off():
    yield BODY[: 5 * MIB + 10]
    raise ConnectionError("the cable was pulled")


@LIMITS
def test_a_sound_blob_arrives_byte_for_byte(s3, bucket, part_bytes):
    sent = copy_blob(
        BOTTLE, [BODY[:10], b"", BODY[10:]], bucket, memory=Memory(), part_bytes=part_bytes
    )

    assert sent == len(BODY)
    assert s3.get_object(Bucket="mirror", Key=KEY)["Body"].read() == BODY


@LIMITS
@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (BODY[:-1], "6291455 of 6291456 bytes announced"),
        (BODY + b"!", "more than the 6291456 bytes announced"),
        (b"?" + BODY[1:], "bytes whose SHA-256 is"),
        (b"", "0 of 6291456 bytes announced"),
    ],
    ids=["truncated", "too long", "corrupted", "empty"],
)
def test_a_blob_that_breaks_its_promise_leaves_nothing_behind(s3, bucket, sent, told, part_bytes):
    with pytest.raises(DigestMismatch, match=f"upstream sent {told}.*; nothing was kept"):
        copy_blob(BOTTLE, [sent], bucket, memory=Memory(), part_bytes=part_bytes)

    assert s3.list_objects_v2(Bucket="mirror")["KeyCount"] == 0
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="mirror")


@LIMITS
def test_a_body_that_breaks_off_leaves_nothing_behind(s3, bucket, part_bytes):
    with pytest.raises(ConnectionError):
        copy_blob(BOTTLE, broken_off(), bucket, memory=Memory(), part_bytes=part_bytes)

    assert s3.list_objects_v2(Bucket="mirror")["KeyCount"] == 0
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="mirror")


def test_an_endless_body_is_left_at_the_announced_length(bucket):
    taken = []

    def endless():
        while True:
            taken.append(1)
            yield BODY[:MIB]

    with pytest.raises(DigestMismatch, match="more than"):
        copy_blob(BOTTLE, endless(), bucket, memory=Memory())

    assert len(taken) == 7
