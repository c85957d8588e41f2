"""Upstream that lies: each lie is told by name, and nothing of it is kept."""

from __future__ import annotations

import gzip
import hashlib
import json

import pytest

from mirror.errors import IncompleteSync, MirrorError, UntrustedCatalogue, UpstreamRefused

BODY = bytes(range(256)) * 40
DIGEST = hashlib.sha256(BODY).hexdigest()
API = "/api/internal/packages.arm64_tahoe.jws.json"
MANIFEST = "/v2/homebrew/core/jq/manifests/1.0"
BLOB = f"/v2/homebrew/core/jq/blobs/sha256:{DIGEST}"
STORED = f"/storage/{DIGEST}"
# 100,000 levels take 200 KB.
DEEP = b"[" * 100_000 + b"]" * 100_000
LARGEST_API_FILE = 256 * 1024 * 1024


@pytest.fixture
def jq(upstream):
    """One formula with one bottle."""
    upstream.add("jq", {"arm64_tahoe": BODY})
    return upstream


def answer(body, *headers, status="200 OK"):
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode("latin-1") + body


def length(number):
    return f"Content-Length: {number}"


def bomb(size_bytes):
    """A gzip file of `size_bytes` zeros."""
    return gzip.compress(bytes(size_bytes), 9)


def refused_whole(sync, stored, error, told):
    """The plan fails, and nothing but the lease was written."""
    with pytest.raises(error, match=told):
        sync.plan()
    assert set(stored()) == {"syncs/lease.json"}


def refused_bottle(sync, stored, told):
    """The sync ends without the bottle, says why, and publishes nothing."""
    with pytest.raises(IncompleteSync, match=told):
        sync.run()
    assert not stored("v2/")
    assert not stored("api/")
    assert not stored("snapshots/")


# API files


def test_a_gzip_bomb_is_left_at_the_limit(jq, sync, stored, monkeypatch):
    monkeypatch.setattr("mirror.api_files.LIMIT_BYTES", 1024 * 1024)
    packed = bomb(64 * 1024 * 1024)
    headers = ("Content-Encoding: gzip", length(len(packed)))
    jq.raw_answers[API] = answer(packed, *headers)

    refused_whole(sync, stored, UpstreamRefused, "larger than 1048576 bytes once unpacked")


def test_a_packed_api_file_is_unpacked_and_kept_as_signed(jq, sync, stored):
    signed = jq.api_files["internal/packages.arm64_tahoe.jws.json"]
    packed = gzip.compress(signed)
    jq.raw_answers[API] = answer(packed, "Content-Encoding: gzip", length(len(packed)))

    sync.run()

    assert stored("api/")["api/internal/packages.arm64_tahoe.jws.json"] == signed


@pytest.mark.parametrize(
    ("encoding", "body", "told"),
    [
        ("gzip", b"not packed at all", "says that it is gzip, and is not"),
        ("br", b"x", 'packed as "br", which was not asked for'),
        ("gzip, gzip", bomb(10), 'packed as "gzip, gzip", which was not asked for'),
    ],
    ids=["no gzip", "another packing", "packed twice"],
)
def test_a_body_that_is_not_packed_as_told_is_refused(jq, sync, stored, encoding, body, told):
    jq.raw_answers[API] = answer(body, f"Content-Encoding: {encoding}", length(len(body)))

    refused_whole(sync, stored, UpstreamRefused, told)


def test_a_packed_body_that_ends_early_is_asked_for_again_and_given_up(jq, sync, stored):
    packed = bomb(1000)[:-9]
    jq.raw_answers[API] = answer(packed, "Content-Encoding: gzip", length(len(packed)))

    refused_whole(sync, stored, MirrorError, "the packed body ends early, 4 times")


def test_an_api_file_without_end_is_left_at_the_limit(jq, sync, stored, monkeypatch):
    monkeypatch.setattr("mirror.api_files.LIMIT_BYTES", 1024 * 1024)
    jq.raw_answers[API] = answer(bytes(4 * 1024 * 1024), length(4 * 1024 * 1024))

    refused_whole(sync, stored, UpstreamRefused, "larger than 1048576 bytes")


def test_an_api_file_of_absurd_depth_is_refused(jq, sync, stored):
    jq.api_files["internal/packages.arm64_tahoe.jws.json"] = DEEP

    refused_whole(sync, stored, UntrustedCatalogue, "nested too deep")


def test_a_signed_payload_of_absurd_depth_is_refused(jq, sync, stored, signer):
    jq.api_files["internal/packages.arm64_tahoe.jws.json"] = signer.sign(DEEP.decode())

    with pytest.raises(UntrustedCatalogue, match="nested too deep"):
        sync.plan()
    assert not stored("v2/")


def test_a_header_of_absurd_depth_is_refused(jq, sync, stored, signer):
    document = json.loads(signer.sign("{}"))
    document["signatures"][0]["protected"] = "W1tb" * 50_000
    jq.api_files["internal/packages.arm64_tahoe.jws.json"] = json.dumps(document).encode()

    refused_whole(sync, stored, UntrustedCatalogue, "nested too deep")


@pytest.mark.parametrize("number", ["1e999", "-Infinity", "NaN"])
def test_a_number_without_end_is_refused(jq, sync, stored, signer, number):
    payload = f'{{"formulae": {{"jq": {{"stable_version": "1.0", "revision": {number}}}}}}}'
    jq.api_files["internal/packages.arm64_tahoe.jws.json"] = signer.sign(payload)

    with pytest.raises(UntrustedCatalogue, match="no number"):
        sync.plan()
    assert not stored("v2/")


def test_a_number_of_absurd_length_is_refused(jq, sync, stored, signer):
    jq.api_files["internal/packages.arm64_tahoe.jws.json"] = signer.sign("9" * 10_000)

    with pytest.raises(UntrustedCatalogue, match="not the catalogue of a platform"):
        sync.plan()
    assert not stored("v2/")


@pytest.mark.parametrize(
    "target",
    [
        "file:///etc/passwd",
        "ftp://example.org/x",
        "gopher://example.org/x",
        "http://example.org/x",
        "http://169.254.169.254/latest/meta-data/",
        "http://[fe80::1]/x",
        "data:text/plain,x",
        "//user:password@example.org/x",
    ],
)
@pytest.mark.parametrize("path", [API, MANIFEST, STORED], ids=["API", "manifest", "blob"])
def test_a_redirect_that_we_do_not_follow_is_told(jq, sync, stored, path, target):
    jq.first_answers[path] = [(302, {"Location": target})] * 9

    with pytest.raises(MirrorError, match="only https is followed") as told:
        sync.run()

    assert "password" not in str(told.value)
    assert not stored("v2/")
    assert not stored("api/")


# Manifests


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (DEEP, "nested too deep"),
        (b'{"manifests": ' + DEEP + b"}", "nested too deep"),
        (b"\xff\xfe{\x00}\x00", "not an OCI image index"),
        (b"", "not an OCI image index"),
        (b"null", "not an OCI image index"),
        (b'{"manifests": {"a": 1}}', "not an OCI image index"),
        (b'{"manifests": [[]]}', "not an OCI image index"),
        (b'{"manifests": [{"annotations": [1]}]}', "not an OCI image index"),
    ],
    ids=["deep", "deep inside", "UTF-16", "empty", "null", "mapping", "list", "odd annotations"],
)
def test_a_manifest_that_is_none_is_told(jq, sync, stored, body, told):
    jq.manifests["jq", "1.0"] = body

    refused_bottle(sync, stored, told)


@pytest.mark.parametrize(
    "size", ["-1", "+5", "1e3", "0x10", " 5", "²", "٣", "9" * 5000, "9" * 19, "", None, [1]]
)
def test_a_size_that_is_no_number_of_bytes_is_told(jq, sync, stored, size):
    index = json.loads(jq.manifests["jq", "1.0"])
    index["manifests"][0]["annotations"]["sh.brew.bottle.size"] = size
    jq.manifests["jq", "1.0"] = json.dumps(index).encode()

    refused_bottle(sync, stored, "has the sh.brew.bottle.size")


@pytest.mark.parametrize("size", [1, len(BODY) - 1, len(BODY) + 1, 10**15])
def test_a_manifest_that_lies_about_the_size_is_told(jq, sync, stored, size):
    index = json.loads(jq.manifests["jq", "1.0"])
    index["manifests"][0]["annotations"]["sh.brew.bottle.size"] = str(size)
    jq.manifests["jq", "1.0"] = json.dumps(index).encode()

    refused_bottle(sync, stored, "DigestMismatch: the registry announces 10240 bytes")


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("../../api", {}),
        ("jq/../../x", {}),
        ("x@.", {}),
        ("x@@y", {}),
        ("jq%2f..", {}),
        ("jq\x00", {}),
        ("jq", {"stable_version": "../1"}),
        ("jq", {"stable_version": "1/../../../api/formula"}),
        ("jq", {"stable_version": "1?x"}),
        ("jq", {"bottle_tag": ":../../x"}),
        ("jq", {"bottle_checksum": "../" * 22}),
        ("jq", {"bottle_checksum": DIGEST.upper()}),
    ],
)
def test_a_name_that_leaves_its_prefix_never_becomes_a_key(upstream, sync, stored, name, entry):
    upstream.formulae["arm64_tahoe"] = {
        name: {"stable_version": "1.0", "bottle_checksum": DIGEST, **entry}
    }
    upstream.sign_all()

    planned = sync.plan()

    assert planned["bottles"] == 0
    assert all(".." not in path and "%2e" not in path.lower() for path in upstream.paths())
    assert all(key.startswith("syncs/") and ".." not in key for key in stored())


# The registry that lies about Content-Length


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ([length(len(BODY) - 1)], "announces 10239 bytes, the manifest 10240"),
        ([length(len(BODY) + 1)], "announces 10241 bytes, the manifest 10240"),
        ([length("9" * 30)], "announces 9+ bytes, the manifest 10240"),
        ([length(0)], "announces 0 bytes, the manifest 10240"),
    ],
    ids=["short", "long", "absurd", "none"],
)
def test_a_length_that_is_not_the_manifest_s_is_told_at_once(jq, sync, stored, headers, told):
    jq.raw_answers[STORED] = answer(BODY, *headers)

    refused_bottle(sync, stored, told)


@pytest.mark.parametrize(
    "headers",
    [[], [length(-5)], [length("ten")], [length("²")], [length("")], [length("9" * 5000)]],
    ids=["absent", "negative", "a word", "a raised digit", "empty", "too long for a number"],
)
@pytest.mark.parametrize(
    ("body", "told"),
    [
        (BODY, ""),
        (BODY[:-1], "upstream sent 10239 of 10240 bytes announced|broke off"),
        (BODY + b"!", "upstream sent more than the 10240 bytes announced"),
    ],
    ids=["whole", "short", "long"],
)
def test_without_a_usable_length_the_bytes_are_counted(jq, sync, stored, headers, body, told):
    jq.raw_answers[STORED] = answer(body, *headers)

    if told:
        refused_bottle(sync, stored, told)
    else:
        sync.run()
        assert stored("v2/homebrew/core/jq/blobs/")


def test_a_length_that_the_body_does_not_reach_is_told(jq, sync, stored):
    jq.raw_answers[STORED] = answer(BODY[:-1], length(len(BODY)))

    refused_bottle(sync, stored, "broke off 5 times")


def test_two_lengths_that_differ_are_told(jq, sync, stored):
    jq.raw_answers[STORED] = answer(BODY, length(len(BODY)), length(5))

    refused_bottle(sync, stored, "missing")


@pytest.mark.parametrize(
    ("chunks", "told"),
    [
        (b"2800\r\n" + BODY + b"\r\n0\r\n\r\n", ""),
        (b"2800\r\n" + BODY + b"\r\n1\r\n!\r\n0\r\n\r\n", "more than the 10240 bytes"),
        (b"27ff\r\n" + BODY[:-1] + b"\r\n0\r\n\r\n", "10239 of 10240 bytes"),
        (b"2800\r\n" + BODY[:100], "broke off 5 times"),
        (b"ffffffffffffffffff\r\n" + BODY, "broke off|more than"),
        (b"-5\r\n" + BODY, "broke off 5 times"),
        (b"zz\r\n" + BODY, "broke off 5 times"),
    ],
    ids=["whole", "long", "short", "broken off", "absurd chunk", "negative chunk", "no chunk"],
)
def test_a_body_in_chunks_is_counted(jq, sync, stored, chunks, told):
    jq.raw_answers[STORED] = answer(chunks, "Transfer-Encoding: chunked")

    if told:
        refused_bottle(sync, stored, told)
    else:
        sync.run()
        assert stored("v2/homebrew/core/jq/blobs/")


def test_a_blob_said_to_be_packed_is_taken_as_it_comes(jq, sync, stored):
    jq.raw_answers[STORED] = answer(BODY, "Content-Encoding: gzip", length(len(BODY)))

    sync.run()

    assert list(stored("v2/homebrew/core/jq/blobs/").values()) == [BODY]


@pytest.mark.parametrize(
    "told_range",
    [
        "bytes 0-10239/10240",
        "bytes 5001-10239/10240",
        "bytes -5000/10240",
        "items 5000-10239/10240",
        "bytes 5000-10239/" + "9" * 5000,
        "",
    ],
)
def test_a_range_that_was_not_asked_for_is_refused(jq, sync, stored, told_range):
    jq.blobs[DIGEST].breaks_at = [5000]
    jq.blobs[DIGEST].told_range = told_range

    refused_bottle(sync, stored, "sent the range")


def test_a_range_of_another_whole_is_refused(jq, sync, stored):
    jq.blobs[DIGEST].breaks_at = [5000, 9000, 5000, 9000]
    jq.blobs[DIGEST].told_range = "bytes 5000-10239/99999"

    refused_bottle(sync, stored, "announces 99999 bytes, the manifest 10240")


FAR_ZONE = "Wed, 25 Nov 2026 07:28:00 +99999999999999"


@pytest.mark.parametrize("told", ["²", "-1", "soon", "9" * 400, "nan", "", FAR_ZONE])
def test_a_retry_after_that_nobody_can_read_is_no_reason_to_fail(jq, sync, stored, told):
    jq.first_answers[STORED] = [(429, {"Retry-After": told})]

    if told.startswith("9"):
        refused_bottle(sync, stored, "asks to wait")
    else:
        sync.run()
        assert stored("api/")


@pytest.mark.parametrize("body", [DEEP, b"[]", b'"token"', b"{}", b'{"token": {}}', b"\xff"])
def test_a_token_that_is_none_is_told(jq, sync, stored, body):
    jq.raw_answers["/token"] = answer(body, length(len(body)))

    with pytest.raises(MirrorError, match="gave no token where it said to get one"):
        sync.run()
    assert not stored("v2/")


def test_a_token_cannot_smuggle_a_header(jq, sync, stored):
    body = json.dumps({"token": "x\r\nHost: elsewhere"}).encode()
    jq.raw_answers["/token"] = answer(body, length(len(body)))

    with pytest.raises(MirrorError, match="gave no token"):
        sync.run()
    assert not any("elsewhere" in str(headers) for _, headers in jq.requests)


def test_headers_without_end_are_given_up(jq, sync, stored):
    jq.raw_answers[STORED] = answer(BODY, *(f"X-{number}: x" for number in range(1000)))

    refused_bottle(sync, stored, "no answer")


def test_a_status_line_that_is_none_is_given_up(jq, sync, stored):
    jq.raw_answers[STORED] = b"SMTP ready\r\n\r\n"

    refused_bottle(sync, stored, "no answer")
