"""Registry: tokens, busy answers, redirects, and bodies that break off."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from mirror.errors import DigestMismatch, NotUpstream, UpstreamRefused, UpstreamUnavailable
from mirror.pacing import SPREAD_SECONDS
from mirror.registry import Registry
from tests.doubles.registry import INDEX_TYPE, Upstream

BODY = bytes(range(256)) * 4096  # 1 MiB: several reads.
DIGEST = hashlib.sha256(BODY).hexdigest()
MANIFEST = "/v2/homebrew/core/jq/manifests/1.0"
BLOB = f"/v2/homebrew/core/jq/blobs/sha256:{DIGEST}"
STORED = f"/storage/{DIGEST}"


@pytest.fixture
def registry(upstream, fetcher):
    """A registry with one bottle of jq in it."""
    upstream.add("jq", {"arm64_tahoe": BODY})
    return Registry(upstream.url, fetcher)


def download(registry, size_bytes=1024 * 1024):
    return b"".join(registry.blob("jq", DIGEST, size_bytes))


def test_a_manifest_comes_byte_for_byte(upstream, registry):
    body = registry.manifest("jq", "1.0")

    assert body == upstream.manifests["jq", "1.0"]
    assert upstream.requests[-1][1]["Accept"] == INDEX_TYPE


def test_a_manifest_that_breaks_off_is_asked_for_anew(upstream, registry):
    upstream.breaks_off = [MANIFEST] * 2

    assert registry.manifest("jq", "1.0") == upstream.manifests["jq", "1.0"]


def test_a_manifest_that_breaks_off_each_time_is_given_up(upstream, registry):
    upstream.breaks_off = [MANIFEST] * 9

    with pytest.raises(UpstreamUnavailable, match=r"broke off: .*, 4 times"):
        registry.manifest("jq", "1.0")


def test_a_manifest_without_end_is_cut_short(upstream, registry):
    upstream.manifests["jq", "1.0"] = bytes(16 * 1024 * 1024 + 1)

    with pytest.raises(UpstreamRefused, match="larger than 16777216 bytes"):
        registry.manifest("jq", "1.0")


def test_a_token_is_asked_for_once_per_repository(upstream, registry):
    upstream.add("fzf", {"arm64_tahoe": b"fzf"})

    for image in ("jq", "jq", "fzf", "jq"):
        registry.manifest(image, "1.0")

    assert len(upstream.paths("/token")) == 2
    assert "scope=repository%3Ahomebrew%2Fcore%2Fjq%3Apull" in upstream.paths("/token")[0]


def test_a_registry_that_takes_brews_own_token_is_asked_for_no_other(upstream, registry):
    upstream.tokens_are_bound = False
    upstream.tokens.add("QQ==")

    registry.manifest("jq", "1.0")

    assert [path for path, _ in upstream.requests] == [MANIFEST]


def test_a_registry_that_is_plain_storage_is_asked_without_a_token_from_then_on(upstream, registry):
    upstream.first_answers[MANIFEST] = [(400, {}), (401, {"WWW-Authenticate": "none"})]

    with pytest.raises(UpstreamRefused):
        registry.manifest("jq", "1.0")

    sent = [headers.get("Authorization") for _, headers in upstream.requests]
    assert sent == ["Bearer QQ==", None]


def test_an_expired_token_is_renewed(upstream, registry):
    registry.manifest("jq", "1.0")
    upstream.tokens.clear()

    assert registry.manifest("jq", "1.0") == upstream.manifests["jq", "1.0"]


def test_a_token_that_does_not_help_ends_in_an_error_not_in_a_loop(upstream, registry):
    upstream.first_answers[MANIFEST] = [
        (401, {"WWW-Authenticate": f'Bearer realm="{upstream.url}/token",scope="x"'})
    ] * 9

    with pytest.raises(UpstreamRefused, match="answered 401"):
        registry.manifest("jq", "1.0")

    assert len(upstream.paths(MANIFEST)) == 2


@pytest.mark.parametrize("challenge", ['Basic realm="x"', "", 'Bearer service="no realm"'])
def test_a_registry_that_wants_other_credentials_is_refused(upstream, registry, challenge):
    upstream.first_answers[MANIFEST] = [(401, {"WWW-Authenticate": challenge})]

    with pytest.raises(UpstreamRefused, match="instead of a bearer token"):
        registry.manifest("jq", "1.0")


def test_a_token_realm_by_plain_http_elsewhere_is_not_asked(upstream, registry):
    realm = 'Bearer realm="http://tokens.example.org/token"'
    upstream.first_answers[MANIFEST] = [(401, {"WWW-Authenticate": realm})]

    with pytest.raises(UpstreamRefused, match="only https is followed"):
        registry.manifest("jq", "1.0")


def test_an_answer_without_a_token_is_refused(upstream, registry):
    upstream.first_answers["/token"] = [(200, {})]

    with pytest.raises(UpstreamRefused, match="gave no token"):
        registry.manifest("jq", "1.0")


def test_the_token_does_not_go_to_the_storage(upstream, registry):
    assert download(registry) == BODY

    (_, headers) = upstream.requests[-1]
    assert "Authorization" not in headers


def test_a_manifest_that_is_not_there_is_not_asked_for_again(upstream, registry, pauses):
    with pytest.raises(NotUpstream, match="answered 404"):
        registry.manifest("jq", "9.9")

    assert pauses == []


def test_retry_after_in_seconds_is_honoured(upstream, registry, pauses):
    upstream.first_answers[MANIFEST] = [(429, {"Retry-After": "7"})]

    registry.manifest("jq", "1.0")

    assert 6.9 < pauses[0] < 8


def test_retry_after_as_a_date_is_honoured(upstream, registry, pauses):
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    upstream.first_answers[STORED] = [(503, {"Retry-After": moment})]

    assert download(registry) == BODY

    assert 15 < pauses[0] < 21


def past():
    return format_datetime(datetime.now(UTC) - timedelta(seconds=20), usegmt=True)


@pytest.mark.parametrize("told", ["0", past()])
def test_a_retry_after_that_is_over_is_no_leave_to_ask_at_once(upstream, registry, pauses, told):
    upstream.first_answers[MANIFEST] = [(429, {"Retry-After": told})] * 3

    registry.manifest("jq", "1.0")

    assert len(pauses) >= 3
    assert all(seconds > 0.2 for seconds in pauses)


def test_whoever_asks_to_wait_for_an_hour_is_not_waited_for(upstream, registry, pauses):
    upstream.first_answers[MANIFEST] = [(429, {"Retry-After": "3600"})]

    with pytest.raises(UpstreamUnavailable, match="asks to wait 3600 s"):
        registry.manifest("jq", "1.0")

    assert pauses == []


def test_errors_of_the_server_are_tried_again_with_growing_pauses(upstream, registry, pauses):
    upstream.first_answers[MANIFEST] = [(500, {}), (502, {}), (503, {"Retry-After": "soon"})]

    registry.manifest("jq", "1.0")

    assert 0.25 <= pauses[0] <= 0.5
    assert 0.5 <= pauses[1] <= 1
    # A busy server holds up all transfers: the pause is counted from its answer, and spread.
    assert 0.9 <= pauses[2] <= 2 + SPREAD_SECONDS


@pytest.mark.parametrize("status", [520, 522, 599])
def test_an_error_of_what_stands_before_the_server_is_tried_again(upstream, registry, status):
    upstream.first_answers[MANIFEST] = [(status, {})]

    registry.manifest("jq", "1.0")

    # Once more for the token, too.
    assert len(upstream.paths(MANIFEST)) == 3


def test_a_server_that_stays_busy_is_given_up(upstream, registry):
    upstream.first_answers[MANIFEST] = [(503, {})] * 99

    with pytest.raises(UpstreamUnavailable, match="answered 503, 4 times"):
        registry.manifest("jq", "1.0")

    assert len(upstream.paths(MANIFEST)) == 4


def test_a_server_that_is_not_there_is_told_with_its_address(fetcher, signer):
    with Upstream(signer) as gone:
        url = gone.url

    with pytest.raises(UpstreamUnavailable, match=f"refused(.|\n)*where: {url}/v2"):
        Registry(url, fetcher).manifest("jq", "1.0")


def test_a_body_that_breaks_off_goes_on_from_there(upstream, registry):
    upstream.blobs[DIGEST].breaks_at = [300_000, 700_000]

    assert download(registry) == BODY

    ranges = [headers.get("Range") for path, headers in upstream.requests if STORED in path]
    assert ranges == [None, "bytes=300000-", "bytes=700000-"]


def test_each_continuation_asks_the_registry_for_a_fresh_address(upstream, registry):
    upstream.blobs[DIGEST].breaks_at = [300_000]

    download(registry)

    assert len([path for path, headers in upstream.requests if path == BLOB]) == 3  # 401 first


def test_a_storage_without_ranges_starts_over_and_nothing_is_doubled(upstream, registry):
    upstream.blobs[DIGEST].breaks_at = [300_000, 500_000]
    upstream.blobs[DIGEST].knows_ranges = False

    assert download(registry) == BODY


def test_a_body_that_was_whole_when_it_broke_off_is_taken(upstream, registry):
    upstream.blobs[DIGEST].never_ends = True

    assert download(registry) == BODY


def test_a_body_that_breaks_off_again_and_again_is_given_up(upstream, registry):
    upstream.blobs[DIGEST].breaks_at = [1000 * number for number in range(1, 99)]

    with pytest.raises(UpstreamUnavailable, match="broke off 5 times, at 5000 bytes"):
        download(registry)


def test_another_length_than_the_manifest_announced_is_told_at_once(upstream, registry):
    with pytest.raises(DigestMismatch, match="announces 1048576 bytes, the manifest 5"):
        download(registry, size_bytes=5)


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("http://example.org/x?sig=secret", "only https is followed"),
        ("https://[not-an-address", "only https is followed"),
        ("file:///etc/passwd", "only https is followed"),
        ("ftp://example.org/x", "only https is followed"),
        ("https://user:secret@example.org/x", "only https is followed"),
    ],
)
def test_a_redirect_by_another_scheme_is_not_followed(upstream, registry, target, why):
    upstream.redirect_blobs_to = target

    with pytest.raises(UpstreamRefused, match=why) as told:
        download(registry)

    assert "secret" not in str(told.value)


def test_a_redirect_costs_no_new_connection(upstream, fetcher):
    upstream.api_files["there"] = b"{}"
    upstream.first_answers["/api/here"] = [(307, {"Location": "/api/there"})] * 5

    for _ in range(5):
        fetcher.read(f"{upstream.url}/api/here", {}, limit_bytes=100)

    assert upstream.connections == 1


def test_an_answer_that_nothing_is_new_costs_no_new_connection(upstream, fetcher):
    url, etag = f"{upstream.url}/api/there", {"etag": f'"{hashlib.sha256(b"{}").hexdigest()}"'}
    upstream.api_files["there"] = b"{}"

    answers = [fetcher.read_unless_known(url, {}, etag, limit_bytes=100) for _ in range(5)]

    assert answers == [None] * 5
    assert upstream.connections == 1


def test_a_refused_token_costs_no_new_connection(upstream, registry):
    registry.manifest("jq", "1.0")

    assert len(upstream.paths()) == 3
    assert upstream.connections == 1


def test_redirects_in_a_circle_end(upstream, registry):
    upstream.first_answers[STORED] = [(307, {"Location": STORED})] * 99

    with pytest.raises(UpstreamRefused, match="more than 5 redirects"):
        download(registry)

    assert len(upstream.paths("/storage/")) == 5


def test_an_error_of_the_storage_is_told_without_its_signature(upstream, registry):
    upstream.first_answers[STORED] = [(403, {})]

    with pytest.raises(UpstreamRefused, match="answered 403") as told:
        download(registry)

    assert "secret" not in str(told.value)
