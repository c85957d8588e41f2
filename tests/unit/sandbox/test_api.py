"""The API files: signed as brew checks it, the same bytes for ever, conditional and compressed."""

from __future__ import annotations

import gzip
import json
import stat

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from sandbox.api import Api
from sandbox.api_files import Catalogue
from sandbox.formulae import Formula
from sandbox.signing import Signer
from tests.unit.sandbox.conftest import decoded

PACKAGES = "/api/internal/packages.arm64_tahoe.jws.json"


def verify(public_key_pem, signed):
    """As brew does it. Source: api.rb, verify_jws_signature."""
    file = json.loads(signed)
    one = next(one for one in file["signatures"] if one["header"]["kid"] == "homebrew-1")
    assert json.loads(decoded(one["protected"])) == {"alg": "PS512", "b64": False, "crit": ["b64"]}
    load_pem_public_key(public_key_pem.encode()).verify(
        decoded(one["signature"]),
        f"{one['protected']}.{file['payload']}".encode(),
        padding.PSS(padding.MGF1(hashes.SHA512()), padding.PSS.DIGEST_LENGTH),
        hashes.SHA512(),
    )


@pytest.mark.parametrize(
    "path",
    [
        PACKAGES,
        "/api/formula.jws.json",
        "/api/cask.jws.json",
        "/api/formula_tap_migrations.jws.json",
        "/api/cask_tap_migrations.jws.json",
        "/api/internal/formula.x86_64_linux.jws.json",
        "/api/internal/cask.tahoe.jws.json",
    ],
)
def test_every_file_carries_a_signature_that_brew_accepts(ask, upstream, path):
    verify(upstream.public_key_pem, ask(path).body)


def test_a_changed_payload_does_not_verify(ask, upstream):
    forged = ask(PACKAGES).body.replace(b"1.8.1", b"1.8.2", 1)

    with pytest.raises(InvalidSignature):
        verify(upstream.public_key_pem, forged)


def test_the_key_is_made_once_and_read_by_its_owner_only(tmp_path):
    first = Signer(tmp_path).public_key_pem

    assert Signer(tmp_path).public_key_pem == first
    assert (tmp_path / "signing-key.pub.pem").read_bytes() == first
    assert stat.S_IMODE((tmp_path / "signing-key.pem").stat().st_mode) == 0o600


def test_a_file_is_signed_once_and_the_same_after_a_restart(tmp_path):
    catalogue = Catalogue({"x": Formula("x", "1")})

    def start():
        return Api(tmp_path / "api", lambda: catalogue, Signer(tmp_path))

    first = start().answer("formula.jws.json", {})

    assert start().answer("formula.jws.json", {}).whole() == first.whole()


@pytest.mark.parametrize(
    "condition", [("ETag", "If-None-Match"), ("Last-Modified", "If-Modified-Since")]
)
def test_who_has_the_file_is_not_sent_it_again(ask, condition):
    told, asked = condition
    known = ask(PACKAGES).headers[told]

    response = ask(PACKAGES, **{asked: known})

    assert (response.status, response.body) == (304, b"")


def test_who_has_an_older_file_is_sent_the_new_one(ask):
    response = ask(PACKAGES, **{"If-Modified-Since": "Sat, 01 Jan 2022 00:00:00 GMT"})

    assert response.status == 200


def test_a_compressed_file_unpacks_to_the_same_bytes(ask):
    response = ask(PACKAGES, **{"Accept-Encoding": "gzip, deflate"})

    assert response.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(response.body) == ask(PACKAGES).body


@pytest.mark.parametrize(
    "path",
    [
        "/api/internal/packages.snow_leopard.jws.json",
        "/api/nothing",
        "/api/../signing-key.pem",
        "/",
    ],
)
def test_what_is_not_there_is_404(ask, path):
    assert ask(path).status == 404


def test_packages_names_each_platform_s_bottle(ask, upstream):
    entry = ask.payload(PACKAGES)["formulae"]["jq"]

    bottle = upstream.formulae["jq"].bottles["arm64_tahoe"]
    assert entry["stable_version"] == "1.8.1"
    assert entry["bottle_checksum"] == bottle.digest
    assert entry["stable_dependencies"] == ["oniguruma"]
    assert "bottle_tag" not in entry
    assert "revision" not in entry


def test_packages_says_so_when_the_bottle_is_another_platform_s(ask):
    formulae = ask.payload(PACKAGES)["formulae"]

    assert formulae["tree"]["bottle_tag"] == ":arm64_sequoia"
    assert formulae["ca-certificates"]["bottle_tag"] == ":all"
    assert "bottle_checksum" not in formulae["strace"]


def test_packages_knows_aliases_renames_and_what_macos_brings(ask):
    found = ask.payload(PACKAGES)

    assert found["metadata"] == {"bottle_tag": "arm64_tahoe"}
    assert found["formula_aliases"]["python3"] == "python@3.13"
    assert found["formula_renames"]["oniguruma5"] == "oniguruma"
    assert ["expat", {":since": ":sequoia"}] in found["formulae"]["git"]["stable_uses_from_macos"]
    assert {"pkgconf": ":build"} in found["formulae"]["wget"]["stable_dependencies"]
    assert found["formulae"]["exa"]["deprecate_args"][":because"] == ":unmaintained"


def test_the_older_file_has_every_platform_of_a_formula(ask, upstream):
    by_name = {entry["name"]: entry for entry in ask.payload("/api/formula.jws.json")}

    python = by_name["python@3.13"]
    file = python["bottle"]["stable"]["files"]["tahoe"]
    digest = upstream.formulae["python@3.13"].bottles["tahoe"].digest
    assert (python["versions"]["stable"], python["revision"]) == ("3.13.9", 1)
    assert file["url"] == f"https://ghcr.io/v2/homebrew/core/python/3.13/blobs/sha256:{digest}"
    assert file["cellar"] == "/usr/local/Cellar"
    assert by_name["head-only"]["bottle"] == {}
