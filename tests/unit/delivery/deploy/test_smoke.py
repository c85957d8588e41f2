"""smoke: a bottle is fetched back as brew would, and each broken step is named with its URL."""

from __future__ import annotations

import json

import pytest

from delivery.deploy.smoke import fetch_as_brew_would, verified_payload
from delivery.errors import SmokeTestFailed
from delivery.mirror.serving import serving
from tests.unit.delivery.conftest import BOTTLE

API = "api/internal/packages.arm64_tahoe.jws.json"
MANIFEST = "v2/homebrew/core/libxa/1/manifests/1.2_3-1"
BLOB = "v2/homebrew/core/libxa/1/blobs/sha256:"


def fetch(cloud, mirror, public_key_pem, formulae=("lib+a@1",)):
    with serving(cloud, mirror) as url:
        return fetch_as_brew_would(url, "arm64_tahoe", formulae, public_key_pem)


def test_a_sound_mirror_gives_the_bottle_back(cloud, mirror, public_key_pem):
    bottle = fetch(cloud, mirror, public_key_pem)

    assert (bottle.formula, bottle.version, bottle.tag) == ("lib+a@1", "1.2_3", "arm64_tahoe")
    assert bottle.manifest_url.endswith(MANIFEST)
    assert bottle.size_bytes == len(BOTTLE)


@pytest.mark.parametrize("formulae", [["*"], ["no-bottle"], ["absent"], []])
def test_without_a_bottle_of_its_own_choice_it_takes_the_first(
    cloud, mirror, public_key_pem, formulae
):
    bottle = fetch(cloud, mirror, public_key_pem, formulae)

    assert bottle.formula == "lib+a@1"


def test_a_flipped_bit_in_the_bottle_is_found(cloud, s3, mirror, public_key_pem):
    key = s3.list_objects_v2(Bucket=mirror, Prefix=BLOB)["Contents"][0]["Key"]
    s3.put_object(Bucket=mirror, Key=key, Body=BOTTLE[:-1] + b"!")

    with pytest.raises(
        SmokeTestFailed, match=rf"{len(BOTTLE)} bytes that hash to .* not the {len(BOTTLE)}"
    ):
        fetch(cloud, mirror, public_key_pem)


def test_a_missing_manifest_is_named_with_its_url(cloud, s3, mirror, public_key_pem):
    s3.delete_object(Bucket=mirror, Key=MANIFEST)

    with pytest.raises(SmokeTestFailed, match="404") as failure:
        fetch(cloud, mirror, public_key_pem)

    assert failure.value.where.endswith(MANIFEST)


def test_a_manifest_without_the_bottle_is_refused(cloud, s3, mirror, public_key_pem):
    s3.put_object(Bucket=mirror, Key=MANIFEST, Body=json.dumps({"manifests": []}).encode())

    with pytest.raises(SmokeTestFailed, match=r'no "1.2_3.arm64_tahoe.1" with digest'):
        fetch(cloud, mirror, public_key_pem)


def test_a_swapped_payload_is_refused(cloud, s3, mirror, signed, public_key_pem):
    document = json.loads(signed('{"formulae": {}}'))
    document["payload"] = '{"formulae": {"evil": {}}}'
    s3.put_object(Bucket=mirror, Key=API, Body=json.dumps(document).encode())

    with pytest.raises(SmokeTestFailed, match="signature of the API file does not hold"):
        fetch(cloud, mirror, public_key_pem)


def test_an_api_file_without_any_bottle_is_refused(cloud, s3, mirror, signed, public_key_pem):
    s3.put_object(Bucket=mirror, Key=API, Body=signed('{"formulae": {"a": {}}}'))

    with pytest.raises(SmokeTestFailed, match="no formula of the API file has a bottle"):
        fetch(cloud, mirror, public_key_pem)


def test_another_algorithm_is_refused(signed, public_key_pem):
    with pytest.raises(SmokeTestFailed, match="not PS512"):
        verified_payload(signed("{}", alg="none"), public_key_pem, "url")


def test_another_signer_is_refused(signed, public_key_pem):
    with pytest.raises(SmokeTestFailed, match='no signature by "homebrew-1"'):
        verified_payload(signed("{}", kid="homebrew-2"), public_key_pem, "url")


def test_without_a_key_of_its_own_homebrew_s_is_used(signed):
    with pytest.raises(SmokeTestFailed, match="signature of the API file does not hold"):
        verified_payload(signed("{}"), "", "url")
