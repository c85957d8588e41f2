"""The S3 in memory answers the mirror's calls as moto does."""

from __future__ import annotations

import hashlib

import pytest

from mirror.bucket import Bucket
from mirror.errors import BucketRefused
from tests.doubles.s3 import S3


@pytest.fixture(params=["moto", "double"])
def either(request):
    """A bucket that moto plays, or the double."""
    return request.getfixturevalue("bucket") if request.param == "moto" else Bucket(S3(), "mirror")


def test_what_is_put_is_read_listed_and_measured(either):
    either.write("a/b/1", b"one")
    either.write("a/c", b"three", sha256_hex=hashlib.sha256(b"three").hexdigest())

    assert either.read("a/b/1") == b"one"
    assert either.sizes("a/") == {"a/b/1": 3, "a/c": 5}
    assert either.sizes("a/b") == {"a/b/1": 3}
    assert either.folders("a/") == ["a/b/"]
    assert (either.size("a/c"), either.size("a/d")) == (5, None)
    assert (either.find("a/c"), either.find("a/d")) == (b"three", None)


def test_what_is_not_there_is_told(either):
    with pytest.raises(BucketRefused, match="NoSuchKey"):
        either.read("nowhere")


def test_nothing_is_listed_where_nothing_is(either):
    assert either.sizes("x/") == {}
    assert either.folders("x/") == []


def test_a_body_that_is_not_what_its_checksum_says_is_refused():
    double = Bucket(S3(), "mirror")  # As S3 does; moto stores it.

    with pytest.raises(BucketRefused, match="BadDigest"):
        double.write("a", b"one", sha256_hex=hashlib.sha256(b"two").hexdigest())
    assert double.size("a") is None


def test_a_conditional_write_holds_for_who_saw_the_latest(either):
    first = either.replace("lease", {"n": 1}, None)
    again = either.replace("lease", {"n": 2}, None)
    _, seen = either.find_version("lease")
    second = either.replace("lease", {"n": 3}, seen)
    late = either.replace("lease", {"n": 4}, seen)
    gone = either.replace("elsewhere", {"n": 5}, seen)

    assert (first, again, second, late, gone) == (True, False, True, False, False)
    assert either.read("lease") == b'{"n": 3}'


def test_an_upload_in_parts_is_visible_once_it_is_complete(either):
    part = bytes(5 * 1024 * 1024)
    with either.upload("large", "text/plain") as upload:
        upload.add(part, lambda: None)
        upload.add(b"end", lambda: None)
        before = either.size("large")
        upload.complete()

    assert before is None
    assert either.read("large") == part + b"end"


def test_an_upload_that_fails_leaves_nothing(either):
    def fail():
        with either.upload("large", "text/plain") as upload:
            upload.add(b"part", lambda: None)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert either.sizes("") == {}
