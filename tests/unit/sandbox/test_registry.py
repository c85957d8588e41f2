"""The registry: tokens, manifests, redirects and ranges as GHCR has them."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile

import pytest

from sandbox import registry
from sandbox.manifests import INDEX_TYPE
from sandbox.passes import Passes
from tests.unit.sandbox.conftest import ANONYMOUS

WGET = "/v2/homebrew/core/wget/manifests/1.25.0_1"
SCOPE = "repository:homebrew/core/wget:pull"


def index_of(ask, path):
    return json.loads(ask(path, **ANONYMOUS).body)


def redirected(ask, path):
    return ask(path, **ANONYMOUS).headers["Location"]


def test_without_a_token_it_says_where_to_get_one(ask, upstream):
    response = ask(WGET)

    assert response.status == 401
    assert response.headers["WWW-Authenticate"] == (
        f'Bearer realm="{upstream.url}/token",service="ghcr.io",scope="{SCOPE}"'
    )
    assert json.loads(response.body)["errors"][0]["code"] == "UNAUTHORIZED"


def test_a_token_for_the_repository_opens_it(ask):
    token = json.loads(ask(f"/token?service=ghcr.io&scope={SCOPE}").body)["token"]

    assert ask(WGET, Authorization=f"Bearer {token}").status == 200
    assert (
        ask("/v2/homebrew/core/jq/manifests/1.8.1", Authorization=f"Bearer {token}").status == 401
    )


@pytest.mark.parametrize("header", ["Bearer nonsense", "Basic QQ==", "Bearer é"])
def test_anything_else_opens_nothing(ask, header):
    assert ask(WGET, Authorization=header.encode()).status == 401


def test_a_token_of_somebody_else_s_making_opens_nothing():
    assert Passes().purpose_of(Passes().issue(SCOPE, 300)) is None


def test_a_token_ends_by_itself(monkeypatch):
    passes = Passes()
    token = passes.issue(SCOPE, 300)

    monkeypatch.setattr("sandbox.passes.time.time", lambda: 10**10)

    assert passes.purpose_of(token) is None


def test_a_token_is_asked_for_with_a_scope(ask):
    assert ask("/token?service=ghcr.io").status == 400


def test_a_manifest_comes_with_its_type_and_digest(ask):
    response = ask(WGET, Accept=INDEX_TYPE, **ANONYMOUS)

    digest = f"sha256:{hashlib.sha256(response.body).hexdigest()}"
    assert response.headers["Content-Type"] == INDEX_TYPE
    assert response.headers["Docker-Content-Digest"] == digest
    assert ask(f"/v2/homebrew/core/wget/manifests/{digest}", **ANONYMOUS).body == response.body


def test_a_client_that_takes_no_index_is_refused(ask):
    response = ask(WGET, Accept="application/vnd.oci.image.manifest.v1+json", **ANONYMOUS)

    assert response.status == 404
    assert b"Accept header does not support OCI indexes" in response.body


def test_the_annotations_say_what_the_bytes_are(ask, upstream):
    for entry in index_of(ask, WGET)["manifests"]:
        told = entry["annotations"]
        blob = f"/v2/homebrew/core/wget/blobs/sha256:{told['sh.brew.bottle.digest']}"
        body = ask(redirected(ask, blob)).body

        assert hashlib.sha256(body).hexdigest() == told["sh.brew.bottle.digest"]
        assert len(body) == int(told["sh.brew.bottle.size"])
        with tarfile.open(fileobj=io.BytesIO(body)) as keg:
            assert sum(one.size for one in keg) == int(told["sh.brew.bottle.installed_size"])
            assert "wget/1.25.0_1/bin/wget" in keg.getnames()


def test_each_platform_is_named_as_brew_looks_for_it(ask):
    index = index_of(ask, "/v2/homebrew/core/python/3.13/manifests/3.13.9_1-1")

    names = [one["annotations"]["org.opencontainers.image.ref.name"] for one in index["manifests"]]
    assert "3.13.9_1.arm64_tahoe.1" in names
    tab = json.loads(index["manifests"][0]["annotations"]["sh.brew.tab"])
    assert {"full_name", "pkg_version"} <= set(tab["runtime_dependencies"][0])


def test_what_the_index_points_to_is_there(ask):
    for entry in index_of(ask, WGET)["manifests"]:
        manifest = ask(f"/v2/homebrew/core/wget/manifests/{entry['digest']}", **ANONYMOUS).body
        config = json.loads(manifest)["config"]["digest"]

        assert f"sha256:{hashlib.sha256(manifest).hexdigest()}" == entry["digest"]
        assert ask(f"/v2/homebrew/core/wget/blobs/{config}", **ANONYMOUS).status == 200


def test_a_blob_is_somewhere_else_and_wants_no_credentials_there(ask, jq):
    response = ask(jq[0], **ANONYMOUS)

    assert response.status == 307
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/storage/[\w-]+", response.headers["Location"])
    assert ask(response.headers["Location"]).status == 200
    assert ask(response.headers["Location"], **ANONYMOUS).status == 400


def test_a_redirect_ends_by_itself(ask, jq, monkeypatch):
    monkeypatch.setattr(registry, "ADDRESS_SECONDS", -1)

    assert ask(redirected(ask, jq[0])).status == 403


@pytest.mark.parametrize(
    ("wanted", "part"),
    [
        ("bytes=10-19", slice(10, 20)),
        ("bytes=100-", slice(100, None)),
        ("bytes=-7", slice(-7, None)),
        ("bytes=5-99999999", slice(5, None)),
    ],
)
def test_a_range_is_just_that_part(ask, jq, wanted, part):
    address = redirected(ask, jq[0])

    response = ask(address, Range=wanted)

    assert response.status == 206
    assert response.body == ask(address).body[part]
    assert response.headers["Content-Range"].endswith(f"/{jq[1].size_bytes}")


def test_a_range_behind_the_end_is_416(ask, jq):
    response = ask(redirected(ask, jq[0]), Range=f"bytes={jq[1].size_bytes}-")

    assert response.status == 416
    assert response.headers["Content-Range"] == f"bytes */{jq[1].size_bytes}"


def test_a_range_of_something_that_changed_is_all_of_it(ask, jq):
    address = redirected(ask, jq[0])

    assert ask(address, **{"Range": "bytes=1-2", "If-Range": '"other"'}).status == 200


def test_head_tells_the_length_and_sends_nothing(ask, jq):
    response = ask(redirected(ask, jq[0]), method="HEAD")

    assert int(response.headers["Content-Length"]) == jq[1].size_bytes
    assert response.body == b""


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v2/homebrew/core/absent/manifests/1", "NAME_UNKNOWN"),
        ("/v2/homebrew/core/jq/manifests/0.1", "MANIFEST_UNKNOWN"),
        (f"/v2/homebrew/core/jq/blobs/sha256:{'0' * 64}", "BLOB_UNKNOWN"),
        ("/v2/elsewhere", "NAME_UNKNOWN"),
    ],
)
def test_what_is_not_there_is_an_error_in_json(ask, path, code):
    response = ask(path, **ANONYMOUS)

    assert response.status == 404
    assert json.loads(response.body)["errors"][0]["code"] == code


def test_what_no_api_file_names_any_more_is_still_to_be_had(ask):
    index = index_of(ask, "/v2/homebrew/core/portable-ruby/manifests/3.1.4")

    notes = index["manifests"][0]["annotations"]
    digest = notes["sh.brew.bottle.digest"]
    assert notes["org.opencontainers.image.ref.name"] == "3.1.4.arm64_big_sur"
    assert ask(f"/v2/homebrew/core/portable-ruby/blobs/sha256:{digest}", **ANONYMOUS).status == 307
    named = ask.payload("/api/internal/packages.arm64_tahoe.jws.json")["formulae"]["portable-ruby"]
    assert (named["stable_version"], named["bottle_tag"]) == ("4.0.6", ":arm64_big_sur")
