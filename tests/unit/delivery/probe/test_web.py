"""probe: what stands between a client and the file: TLS, redirects, limits, busy servers."""

from __future__ import annotations

import gzip
import socket

import pytest

from delivery.probe.clients import ANONYMOUS_BEARER
from delivery.probe.decoding import decoded
from delivery.probe.defects import Stumble
from delivery.probe.web import Web, check_status
from tests.doubles.certificates import server_context
from tests.doubles.mirror_server import MirrorServer, Served
from tests.doubles.registry import Signer

SIGNER = Signer()
FILES = {"/file": Served(b"the file" * 100), "/api/file": Served(b"the file" * 100)}


@pytest.fixture
def mirror():
    """A server with one file, outside and inside /api/, where it compresses."""
    with MirrorServer(FILES, SIGNER) as server:
        yield server


@pytest.fixture
def web():
    """A client that waits long enough for a busy machine."""
    return Web(20.0)


@pytest.fixture
def tls_mirror(tmp_path):
    """The same over TLS, with its authority's file."""
    context, authority = server_context(tmp_path)
    with MirrorServer(FILES, SIGNER, context) as server:
        yield server, str(authority)


def got(web, url, limit_bytes=2000):
    return web.get(url, limit_bytes, "blob-missing")


def stumbled(web, url, **more):
    with pytest.raises(Stumble) as stumble:
        got(web, url, **more)
    return stumble.value.sighting


def test_a_certificate_that_nobody_vouches_for_is_refused(tls_mirror, web):
    server, _ = tls_mirror

    assert stumbled(web, f"{server.url}/file").defect == "tls-untrusted"


def test_a_certificate_of_a_trusted_authority_is_taken(tls_mirror):
    server, authority = tls_mirror

    assert got(Web(20.0, authority), f"{server.url}/file").body == FILES["/file"].body


def test_a_redirect_from_https_to_http_is_a_warning(tls_mirror, mirror):
    server, authority = tls_mirror
    to = f"{mirror.url}/file"
    server.answers["/file"] = lambda handler: handler.send(302, b"", Location=to) or True

    answer = got(Web(20.0, authority), f"{server.url}/file")

    assert answer.body == FILES["/file"].body
    assert [each.defect for each in answer.sightings] == ["redirect-downgrades"]


def test_a_redirect_within_the_mirror_is_no_matter(mirror, web):
    mirror.answers["/old"] = lambda handler: handler.send(307, b"", Location="/file") or True

    answer = got(web, f"{mirror.url}/old")

    assert (answer.body, answer.sightings) == (FILES["/file"].body, ())


def test_a_redirect_to_where_one_came_from_is_told_as_such(mirror, web):
    mirror.answers["/file"] = lambda handler: handler.send(302, b"", Location="/file") or True

    sighting = stumbled(web, f"{mirror.url}/file")

    assert sighting.problem == f'redirects lead back to "{mirror.url}/file"'


def test_endless_redirects_to_ever_new_places_end(mirror, web):
    mirror.answers |= {
        f"/{place}": lambda handler: (
            handler.send(302, b"", Location=f"/{int(handler.path[1:]) + 1}") or True
        )
        for place in range(20)
    }

    sighting = stumbled(web, f"{mirror.url}/0")

    assert (sighting.defect, sighting.problem) == ("redirect-loop", "more than 10 redirects")


def test_a_token_does_not_follow_to_another_host(mirror, web):
    elsewhere = f"http://localhost:{mirror.port}/file"
    mirror.answers["/old"] = lambda handler: handler.send(307, b"", Location=elsewhere) or True

    web.look(f"{mirror.url}/old", Authorization=ANONYMOUS_BEARER)

    sent = [headers.get("Authorization") for _, headers in mirror.requested]
    assert sent == [ANONYMOUS_BEARER, None]


def test_more_than_the_limit_is_not_read(mirror, web):
    assert stumbled(web, f"{mirror.url}/file", limit_bytes=799).defect == "answer-too-large"


def test_a_gzip_bomb_is_not_unpacked():
    bomb = gzip.compress(b"\0" * 10_000_000)

    with pytest.raises(Stumble, match="answer-too-large"):
        decoded(bomb, "gzip", 1_000_000, "url")


def test_compression_is_undone_where_it_was_asked_for(mirror, web):
    answer = web.get(f"{mirror.url}/api/file", 2000, "blob-missing", Accept_Encoding="gzip")

    assert answer.headers["content-encoding"] == "gzip"
    assert answer.body == FILES["/api/file"].body


def test_a_busy_server_that_says_when_is_asked_again(mirror, web):
    busy = [True, True]

    def answer(handler):
        if not busy:
            return False
        busy.pop()
        handler.send(429, b"", Retry_After="0")
        return True

    mirror.answers["/file"] = answer

    assert got(web, f"{mirror.url}/file").status == 200


def test_a_busy_server_that_wants_an_hour_is_named(mirror, web):
    mirror.answers["/file"] = lambda handler: handler.send(429, b"", Retry_After="3600") or True

    sighting = stumbled(web, f"{mirror.url}/file")

    assert sighting.defect == "rate-limited"
    assert sighting.problem == "the server answers 429 with Retry-After: 3600"


def test_a_port_where_nobody_listens_is_no_answer(web):
    with socket.create_server(("127.0.0.1", 0)) as once:
        port = once.getsockname()[1]

    assert stumbled(web, f"http://127.0.0.1:{port}/file").defect == "no-answer"


def test_each_status_is_told_by_its_number(mirror, web):
    mirror.answers["/file"] = lambda handler: handler.send(405, b"") or True

    answer = web.look(f"{mirror.url}/file")

    with pytest.raises(Stumble, match="the server answers 405"):
        check_status(answer, "blob-missing")
