"""The sample's casks and their vendors: what the API names is what is sent."""

from __future__ import annotations

import hashlib
import json

import pytest

from sandbox import casks


@pytest.fixture
def offered(ask):
    """What the two generations of API files say of casks on a Mac of either architecture."""

    def offer(tag):
        packages = json.loads(
            json.loads(ask(f"/api/internal/packages.{tag}.jws.json").body)["payload"]
        )
        listed = json.loads(json.loads(ask("/api/cask.jws.json").body)["payload"])
        older = {each["token"]: {**each, **each["variations"].get(tag, {})} for each in listed}
        return packages["casks"], older

    return offer


def fetched(ask, url):
    """The file, redirects followed."""
    path = "/vendors/" + url.partition("/vendors/")[2]
    answer = ask(path)
    return ask(answer.headers["Location"]) if answer.status == 302 else answer


@pytest.mark.parametrize("tag", ["arm64_tahoe", "tahoe"])
def test_both_generations_name_the_same_file_and_it_has_that_digest(ask, offered, tag):
    packages, older = offered(tag)

    assert packages.keys() == older.keys() == {each.token for each in casks.SAMPLE}
    for token, entry in packages.items():
        (url,) = entry["url_args"]
        body = fetched(ask, url).body
        assert (older[token]["url"], older[token]["sha256"]) == (url, entry["sha256"].lstrip(":"))
        assert entry["sha256"] in {hashlib.sha256(body).hexdigest(), ":no_check"}


def test_each_architecture_has_a_file_of_its_own(offered):
    arm, intel = (offered(tag)[0]["visual-studio-code"] for tag in ("arm64_tahoe", "tahoe"))

    assert arm["sha256"] != intel["sha256"]


def test_a_part_of_a_file_can_be_asked_for(ask):
    path = f"/vendors/{casks.SAMPLE[0].path}"
    whole = ask(path).body

    part = ask(path, Range="bytes=100-")

    assert (part.status, part.body) == (206, whole[100:])


def test_what_no_vendor_has_is_not_found(ask):
    assert ask("/vendors/example.com/nothing.dmg").status == 404
