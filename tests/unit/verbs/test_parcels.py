"""mirror.keygen, export, import, seed: what is printed, what is missing, how each ends."""

from __future__ import annotations

import json

import pytest

from delivery import standing
from delivery.config import effective, loading
from delivery.probe.gate import Proof
from tests.doubles.far_side import OUTPUTS

# Two mirrors and what lies between them; fixtures are found by name where they are imported.
from tests.unit.delivery.air_gap.conftest import (  # noqa: F401
    bucket,
    connections,
    far,
    fetcher,
    first,
    pauses,
    settings,
    signer,
    sync,
    upstream,
)
from verbs import parcels, probing

CONFIGURATION = """\
project: {name: acme}
environments:
  dev: {type: development}
  staging: {type: staging}
  prod: {type: production}
"""
BUCKETS = {"dev": OUTPUTS | {"mirror_bucket": "mirror"}, "staging": OUTPUTS}


@pytest.fixture
def gap(first, far, tmp_path, monkeypatch):  # noqa: F811 - the fixtures from above
    """Two environments for the verbs; the working folder is empty."""
    (tmp_path / "airbrew.yaml").write_text(CONFIGURATION)
    document = loading.load(tmp_path / "airbrew.yaml")
    known = {name: effective.effective(document, name) for name in BUCKETS}
    monkeypatch.setattr(parcels, "environment_named", known.__getitem__)
    monkeypatch.setattr(parcels, "reach", lambda _: far.cloud)
    monkeypatch.setattr(parcels, "STATE_DIR", tmp_path / "state")
    monkeypatch.setattr(standing, "deployed", lambda environment, _: BUCKETS[environment.name])
    monkeypatch.setattr(
        parcels.rendering, "upstream", lambda *_: {"signing_key_pem": far.upstream_key_pem}
    )
    # The probe has tests of its own; the double of upstream has too few API files for it.
    monkeypatch.setattr(probing, "prove", lambda *_: Proof(7, ("jq",), ()))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return first


@pytest.fixture
def exported(inv, gap):
    """A pair of keys and a whole parcel, in the working folder."""
    inv("mirror.keygen", "--to", "keys/key")
    return inv("mirror.export", "--env", "dev", "--to", "parcel", "--key", "keys/key")


def test_keygen_says_who_needs_which_key_and_prints_neither(inv, gap):
    ended = inv("mirror.keygen", "--to", "keys/key")

    assert ended.code == 0
    assert "private key: keys/key (exports sign with it" in ended.out
    assert "public key:  keys/key.pub (imports check with it" in ended.out
    assert "BEGIN" not in ended.out + ended.err
    assert "made the folder keys" in ended.out
    assert "made" not in inv("mirror.keygen", "--to", "keys/another").out


def test_export_says_what_the_folder_holds_and_what_to_do_with_it(gap, exported):
    assert exported.code == 0
    assert (
        f"parcel: snapshot {gap}, whole: 2 bottles and casks, 2 manifests, 1 API files"
        in exported.out
    )
    assert exported.out.splitlines()[-1] == "  inv mirror.import parcel --env ENV"


def test_import_says_what_arrived_and_that_it_works(inv, gap, exported):
    words = [
        "mirror.import",
        "--env",
        "staging",
        "--from",
        "parcel",
        "--public-key",
        "keys/key.pub",
    ]

    first_time, again = inv(*words), inv(*words)

    assert first_time.code == again.code == 0
    assert f"snapshot {gap} is published: 2 of 2 bottles and casks uploaded" in first_time.out
    assert f"snapshot {gap} is published: 0 of 2 bottles and casks uploaded" in again.out
    assert "probe: brew 4, 5, 6 work (7 requests)" in first_time.out


def test_as_json_each_is_one_document(inv, gap, exported):
    brought = inv(
        *("mirror.import", "--env", "staging", "--from", "parcel"),
        *("--public-key", "keys/key.pub", "--json"),
    )
    seeded = inv("mirror.seed", "--env", "staging", "--from", "parcel", "--json")
    again = inv("mirror.export", "--env", "dev", "--to", "parcel", "--key", "keys/key", "--json")

    assert json.loads(brought.out)["uploaded"] == 2
    assert json.loads(seeded.out)["present"] == 2
    assert json.loads(again.out)["counts"]["blobs"] == 2


def test_a_parcel_in_parts_comes_together_on_the_other_side(inv, exported, tmp_path):
    packed = inv("mirror.pack", "--from", "parcel", "--to", "parts", "--key", "keys/key")
    whole = ["mirror.unpack", "--from", "parts", "--to", "again", "--public-key", "keys/key.pub"]
    unpacked = inv(*whole)
    next((tmp_path / "here" / "parts").glob("*.part")).unlink()
    lacking = inv(*whole)

    assert "parts: 1 parts, " in packed.out
    assert "again: every part holds, and the parcel is together" in unpacked.out
    assert lacking.code == 1
    assert "error: 1 of 1 parts are lacking: " in lacking.err


def test_a_spoilt_parcel_ends_with_one_message_and_exit_code_1(inv, exported, tmp_path):
    (tmp_path / "here" / "parcel" / "extra").write_text("x")

    ended = inv(
        *("mirror.import", "--env", "staging", "--from", "parcel", "--public-key", "keys/key.pub")
    )

    assert ended.code == 1
    assert 'error: "extra": in the folder, but not in the signed list' in ended.err
    assert "Traceback" not in ended.err


def test_seed_says_what_it_took_and_names_what_it_refused(inv, gap, tmp_path):
    seeds = tmp_path / "here" / "seeds"
    seeds.mkdir()
    (seeds / "jq--1.0.arm64_tahoe.bottle.tar.gz").write_bytes(b"jq 1.0")
    (seeds / "oniguruma--1.0.arm64_tahoe.bottle.tar.gz").write_bytes(b"spoilt")
    (seeds / "notes").write_bytes(b"mine")

    ended = inv("mirror.seed", "--env", "staging", "--from", "seeds")

    assert ended.code == 0
    told = "bottles and casks: 1 uploaded, 6 B; 0 there before, 1 still missing"
    assert f"{told}; files that nothing wants: 1\n" in ended.out
    assert "refused: oniguruma--1.0.arm64_tahoe.bottle.tar.gz: the catalogue names" in ended.out
    assert ended.out.splitlines()[-1] == "  inv mirror.sync --env staging"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["mirror.keygen"], "--to is missing"),
        (["mirror.export", "--env", "dev"], "--to is missing"),
        (["mirror.export", "--env", "dev", "--to", "x"], "--key is missing"),
        (["mirror.import", "--env", "staging"], "--from is missing"),
        (["mirror.import", "--env", "staging", "--from", "x"], "--public-key is missing"),
        (["mirror.seed", "--env", "staging"], "--from is missing"),
    ],
)
def test_what_is_missing_is_named_with_exit_code_2(inv, gap, words, told):
    ended = inv(*words)

    assert ended.code == 2
    assert f"error: {told}" in ended.err
