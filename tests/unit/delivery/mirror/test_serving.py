"""serving: the bucket at a local URL, with the headers and conditions that brew's curl uses."""

from __future__ import annotations

import hashlib
import json
import socket
import struct
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from delivery.errors import BadInput
from delivery.mirror import flat
from delivery.mirror.serving import key_of, listen, serving
from tests.unit.delivery.conftest import DIGEST

# Closing sends a reset: linger, for no time.
RESET = struct.pack("ii", 1, 0)
MANIFEST = "/v2/homebrew/core/libxa/1/manifests/1.2_3-1"


@pytest.fixture
def ask(cloud, mirror):
    """Asks the served mirror: method, path, headers → the response with its body read."""
    with serving(cloud, mirror) as url:

        def request(path, method="GET", **headers):
            connection = HTTPConnection(urlsplit(url).netloc, timeout=10)
            connection.request(method, path, headers=headers)
            response = connection.getresponse()
            response.body = response.read()
            connection.close()
            return response

        yield request


def test_a_manifest_comes_with_its_type_etag_and_date(ask):
    response = ask(MANIFEST)

    assert response.status == 200
    assert response.headers["Content-Type"] == "application/vnd.oci.image.index.v1+json"
    assert response.headers["ETag"]
    assert response.headers["Last-Modified"]


def test_head_tells_the_length_and_sends_no_body(ask):
    response = ask(MANIFEST, method="HEAD")

    assert int(response.headers["Content-Length"]) > 0
    assert response.body == b""


def test_an_unchanged_file_is_not_sent_again(ask):
    etag = ask(MANIFEST).headers["ETag"]

    response = ask(MANIFEST, **{"If-None-Match": etag})

    assert (response.status, response.body) == (304, b"")


def test_a_range_is_answered_with_just_that_part(ask):
    response = ask(MANIFEST, Range="bytes=1-4")

    assert (response.status, response.body) == (206, b'"man')


@pytest.mark.parametrize(
    "path",
    [
        "/syncs/lease.json",
        "/settings/selection.json",
        "/api/../syncs/lease.json",
        "/v2/absent",
    ],
)
def test_what_is_not_for_clients_is_not_there(ask, path):
    response = ask(path)

    assert response.status == 404
    assert b"404 Not Found" in response.body


def test_a_flat_mirror_s_names_lead_to_the_same_manifest_and_bottle(ask):
    manifest = ask("/libxa/1/manifests/1.2_3-1")
    bottle = ask("/lib%2Ba%401-1.2_3.arm64_tahoe.bottle.1.tar.gz")

    assert manifest.body == ask(MANIFEST).body
    assert hashlib.sha256(bottle.body).hexdigest() == DIGEST


@pytest.mark.parametrize(
    "path",
    [
        "/lib%2Ba%401-1.2_3.arm64_tahoe.bottle.tar.gz",  # The rebuild is missing.
        "/lib%2Ba%401-1.2_3.x86_64_linux.bottle.1.tar.gz",
        "/other-1.2_3.arm64_tahoe.bottle.1.tar.gz",
        "/nohyphen.arm64_tahoe.bottle.tar.gz",
        "/other/manifests/1",
        "/syncs/manifests/../lease.json",
    ],
)
def test_a_flat_name_of_what_is_not_there_is_not_found(ask, path):
    assert ask(path).status == 404


def test_hyphens_in_a_name_and_in_a_version_do_not_mislead():
    notes = {flat.REF_NAME: "2026-09-09.all", flat.DIGEST: "ab"}
    index = json.dumps({"manifests": [{"annotations": notes}]}).encode()
    objects = {"v2/homebrew/core/ca-certificates/manifests/2026-09-09": index}

    found = flat.key_of("ca-certificates-2026-09-09.all.bottle.tar.gz", objects.get)

    assert found == "v2/homebrew/core/ca-certificates/blobs/sha256:ab"


def test_a_plus_in_a_version_is_a_dot_in_its_manifest_s_name():
    notes = {flat.REF_NAME: "1.0+git.arm64_tahoe", flat.DIGEST: "ab"}
    index = json.dumps({"manifests": [{"annotations": notes}]}).encode()

    found = flat.key_of(
        "x-1.0+git.arm64_tahoe.bottle.tar.gz", {"v2/homebrew/core/x/manifests/1.0.git": index}.get
    )

    assert found == "v2/homebrew/core/x/blobs/sha256:ab"


def test_an_escaped_path_names_the_same_key():
    assert (
        key_of("/v2/homebrew/core/a/blobs/sha256%3Aab?x=1") == "v2/homebrew/core/a/blobs/sha256:ab"
    )


def test_a_taken_port_is_bad_input_with_a_remedy(cloud, mirror):
    with listen(cloud, mirror) as taken, pytest.raises(BadInput, match="--port N"):
        listen(cloud, mirror, taken.server_address[1])


@pytest.mark.parametrize("port", [65536, -1])
def test_a_port_that_does_not_exist_is_bad_input(cloud, mirror, port):
    with pytest.raises(BadInput, match=f"port {port} cannot be used: .*0-65535"):
        listen(cloud, mirror, port)


def test_a_client_that_goes_away_is_no_news(cloud, mirror, s3, capsys):
    s3.put_object(Bucket=mirror, Key="index.html", Body=bytes(8 * 1024 * 1024))
    with serving(cloud, mirror) as url:
        address = urlsplit(url)
        with socket.create_connection((address.hostname, address.port)) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: mirror\r\n\r\n")
            client.recv(100)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        answered = HTTPConnection(address.netloc, timeout=10)
        answered.request("HEAD", "/")
        assert answered.getresponse().status == 200
        answered.close()

    assert capsys.readouterr().err == ""


def test_a_mirror_that_published_nothing_yet_says_what_fills_it(ask):
    response = ask("/")

    assert response.status == 404
    assert b"nothing was published yet: inv mirror.sync" in response.body


def test_the_root_is_the_status_page(ask, s3, mirror):
    page = b"<!doctype html>"
    s3.put_object(Bucket=mirror, Key="index.html", Body=page, ContentType="text/html")

    response = ask("/")

    assert (response.status, response.body) == (200, page)
    assert response.headers["Content-Type"] == "text/html"
