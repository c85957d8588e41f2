"""The upstream's own controls: faults on demand, counts, new versions; and what the default is."""

from __future__ import annotations

import hashlib
import json
from http.client import IncompleteRead

import pytest

from sandbox.releases import Releases
from tests.unit.sandbox.conftest import ANONYMOUS

MANIFEST = "/v2/homebrew/core/jq/manifests/1.8.1"


def fetch(ask, blob):
    return ask(ask(blob, **ANONYMOUS).headers["Location"])


def whole(bottle, body):
    return hashlib.sha256(body).hexdigest() == bottle.digest


def test_a_corrupted_bottle_has_its_length_and_not_its_bytes(ask, jq):
    ask.post("/_sandbox/faults", kind="corrupt", match=jq[1].digest)

    spoiled, sound = fetch(ask, jq[0]).body, fetch(ask, jq[0]).body

    assert len(spoiled) == jq[1].size_bytes
    assert (whole(jq[1], spoiled), whole(jq[1], sound)) == (False, True)


def test_a_truncated_bottle_breaks_off(ask, jq):
    ask.post("/_sandbox/faults", kind="truncate", match="core/jq/blobs")

    with pytest.raises(IncompleteRead):
        fetch(ask, jq[0])


def test_a_lengthened_bottle_says_that_it_is_longer(ask, jq):
    ask.post("/_sandbox/faults", kind="lengthen", match=jq[1].digest)

    response = fetch(ask, jq[0])

    assert int(response.headers["Content-Length"]) == len(response.body) > jq[1].size_bytes


@pytest.mark.parametrize(
    ("kind", "status", "retry"),
    [
        ("rate_limit", 429, "1"),
        ("unavailable", 503, "1"),
        ("expire_tokens", 401, None),
        ("forbid", 403, None),
        ("lose", 404, None),
    ],
)
def test_a_refusal_hits_as_often_as_asked_and_only_what_matches(ask, kind, status, retry):
    ask.post("/_sandbox/faults", kind=kind, match="jq/manifests", times=2)

    other = ask("/v2/homebrew/core/wget/manifests/1.25.0_1", **ANONYMOUS)
    answers = [ask(MANIFEST, **ANONYMOUS) for _ in range(3)]

    assert other.status == 200
    assert [answer.status for answer in answers] == [status, status, 200]
    assert answers[0].headers["Retry-After"] == retry


def test_an_expired_token_is_told_where_to_get_another(ask):
    ask.post("/_sandbox/faults", kind="expire_tokens", match="jq")

    challenged = ask(MANIFEST, **ANONYMOUS).headers["WWW-Authenticate"]

    assert 'scope="repository:homebrew/core/jq:pull"' in challenged


def test_a_fault_without_an_end_lasts_until_it_is_deleted(ask):
    ask.post("/_sandbox/faults", kind="unavailable", match="/api/", times=None)
    before = [ask("/api/cask.jws.json").status for _ in range(3)]

    ask("/_sandbox/faults", "DELETE")

    assert (before, ask("/api/cask.jws.json").status) == ([503] * 3, 200)


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ({"kind": "explode"}, "kind 'explode' is none of corrupt, expire_tokens"),
        ({"kind": "corrupt", "times": 0}, "times 0 is below 1"),
        ({"match": "jq"}, "missing 1 required positional argument: 'kind'"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(ask, fault, problem):
    response = ask.post("/_sandbox/faults", **fault)

    assert response.status == 400
    assert problem in json.loads(response.body)["problem"]


def test_requests_are_counted_by_what_was_wanted(ask, jq):
    fetch(ask, jq[0])
    fetch(ask, jq[0])

    counts = json.loads(ask("/_sandbox/requests").body)

    assert counts == {jq[0]: 2, f"/storage{jq[0]}": 2}


def test_a_new_version_is_published_and_the_old_one_stays(ask, upstream):
    ask.post("/_sandbox/releases", name="hello", version="3.0")

    entry = ask.payload("/api/internal/packages.tahoe.jws.json")["formulae"]["hello"]
    old, new = (
        ask(f"/v2/homebrew/core/hello/manifests/{version}", **ANONYMOUS).status
        for version in ("2.12.2", "3.0")
    )
    assert entry["stable_version"] == "3.0"
    assert entry["bottle_checksum"] == upstream.formulae["hello"].bottles["tahoe"].digest
    assert (old, new) == (200, 200)


def test_a_new_version_is_still_there_after_a_restart(tmp_path):
    Releases(tmp_path / "releases.json").add("gettext", "1.0")

    formula = Releases(tmp_path / "releases.json").recipes["gettext"].formula

    assert formula.manifest_tag == "1.0"


def test_a_version_of_nothing_is_refused(ask):
    response = ask.post("/_sandbox/releases", name="absent", version="1")

    assert json.loads(response.body)["problem"] == "the sample has no formula 'absent'"


def test_it_says_whose_it_is(ask):
    assert ask("/_sandbox/identity").body == b"ours"


def test_what_it_does_not_know_is_404(ask):
    assert ask("/_sandbox/other").status == 404
    assert ask("/elsewhere", "POST", "{}").status == 404
