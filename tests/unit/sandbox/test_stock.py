"""stock: a given catalogue in place of the sample, with a bottle for each that it names."""

from __future__ import annotations

import hashlib
import json
import threading

import pytest

from sandbox import catalogues, sample
from sandbox.errors import BadCatalogue
from sandbox.upstream import Upstream
from tests.unit.sandbox.conftest import ANONYMOUS, Client

TAGS = ("arm64_tahoe", "x86_64_linux")
CATALOGUE = {
    "formulae": [
        {
            "name": "foo++@2",
            "version": "1.2",
            "revision": 3,
            "bottles": {tag: {"cellar": ":any", "sha256": "ab" * 32} for tag in TAGS},
            "dependencies": ["bar"],
        },
        {"name": "bar", "version": "1", "bottles": {"all": {"sha256": "cd" * 32}}},
    ],
    "formula_renames": {"old": "bar"},
}


@pytest.fixture
def upstream(tmp_path, monkeypatch):
    """An upstream of its own, because stocking changes what everybody is offered."""
    monkeypatch.setattr("sandbox.releases.RECIPES", {"hello": sample.RECIPES["hello"]})
    with Upstream(tmp_path / "upstream") as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def stocked(upstream, tmp_path):
    """The upstream's address, once it offers the catalogue."""
    file = tmp_path / "core.json"
    file.write_text(json.dumps(CATALOGUE))
    assert catalogues.stock(f"{upstream.url}/api", file) == 2
    return Client(upstream.url)


def test_each_bottle_of_a_stocked_catalogue_can_be_fetched_whole(stocked):
    digests = {}
    for tag in TAGS:
        entry = stocked.payload(f"/api/internal/packages.{tag}.jws.json")["formulae"]["foo++@2"]
        blob = f"/v2/homebrew/core/fooxx/2/blobs/sha256:{entry['bottle_checksum']}"
        body = stocked(stocked(blob, **ANONYMOUS).headers["Location"]).body
        digests[tag] = hashlib.sha256(body).hexdigest() == entry["bottle_checksum"]

    assert digests == dict.fromkeys(TAGS, True)


def test_its_index_promises_what_the_catalogue_names(stocked):
    entry = stocked.payload("/api/internal/packages.arm64_tahoe.jws.json")["formulae"]["bar"]

    index = json.loads(stocked("/v2/homebrew/core/bar/manifests/1", **ANONYMOUS).body)

    notes = [each["annotations"] for each in index["manifests"]]
    assert [each["sh.brew.bottle.digest"] for each in notes] == [entry["bottle_checksum"]]


def test_what_is_no_catalogue_changes_nothing(stocked, upstream, tmp_path):
    file = tmp_path / "other.json"
    file.write_text("[]")

    with pytest.raises(BadCatalogue, match="no list named 'formulae'"):
        catalogues.stock(f"{upstream.url}/api", file)

    assert "bar" in stocked.payload("/api/internal/packages.arm64_tahoe.jws.json")["formulae"]
