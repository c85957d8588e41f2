"""SigningKey: an API file counts only if Homebrew's key signed exactly these bytes."""

from __future__ import annotations

import json

import pytest

from mirror.errors import BadSettings, UntrustedCatalogue
from mirror.signature import SigningKey
from tests.doubles.registry import Signer

PAYLOAD = '{"formulae": {}}'


@pytest.fixture
def key(signer):
    """The key whose signatures count."""
    return SigningKey(signer.public_pem)


def changed(body, **values):
    document = json.loads(body)
    document["signatures"][0] |= values
    return json.dumps(document).encode()


def test_a_signed_payload_is_given_out_as_it_stands(signer, key):
    assert key.payload(signer.sign(PAYLOAD), "file") == PAYLOAD


def test_the_signature_is_found_among_others(signer, key):
    document = json.loads(signer.sign(PAYLOAD))
    document["signatures"].insert(0, {"header": {"kid": "homebrew-0"}})

    assert key.payload(json.dumps(document).encode(), "file") == PAYLOAD


def test_another_payload_is_refused(signer, key):
    document = json.loads(signer.sign(PAYLOAD))
    document["payload"] = '{"formulae": {"evil": {}}}'

    with pytest.raises(UntrustedCatalogue, match="the signature does not hold"):
        key.payload(json.dumps(document).encode(), "https://example.org/api/x")


def test_another_key_is_refused(key):
    with pytest.raises(UntrustedCatalogue, match="the signature does not hold"):
        key.payload(Signer().sign(PAYLOAD), "file")


@pytest.mark.parametrize("alg", ["none", "RS512", "HS512", "PS256"])
def test_another_algorithm_is_refused(signer, key, alg):
    with pytest.raises(UntrustedCatalogue, match=f'signed with "{alg}", not PS512'):
        key.payload(signer.sign(PAYLOAD, alg=alg), "file")


def test_an_unknown_key_id_is_refused(signer, key):
    with pytest.raises(UntrustedCatalogue, match='no signature by the key "homebrew-1"'):
        key.payload(signer.sign(PAYLOAD, kid="homebrew-2"), "file")


def test_an_encoded_payload_is_refused(signer, key):
    with pytest.raises(UntrustedCatalogue, match="b64 is not false"):
        key.payload(signer.sign(PAYLOAD, b64=True), "file")


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[]",
        b'"text"',
        b'{"payload": "{}"}',
        b'{"payload": "{}", "signatures": []}',
        b'{"payload": "{}", "signatures": [1]}',
        b'{"payload": "{}", "signatures": 7}',
    ],
)
def test_what_is_not_a_signed_file_is_refused(key, body):
    with pytest.raises(UntrustedCatalogue, match=r"not a signed API file|no signature"):
        key.payload(body, "file")


@pytest.mark.parametrize("signature", ["", "no base64!", "AAAA"])
def test_a_mangled_signature_is_refused(signer, key, signature):
    with pytest.raises(UntrustedCatalogue):
        key.payload(changed(signer.sign(PAYLOAD), signature=signature), "file")


@pytest.mark.parametrize("protected", ["bm90IGpzb24", "WzFd", "!"])
def test_a_mangled_header_is_refused(signer, key, protected):
    with pytest.raises(UntrustedCatalogue):
        key.payload(changed(signer.sign(PAYLOAD), protected=protected), "file")


@pytest.mark.parametrize("pem", ["", "not a key", "-----BEGIN PUBLIC KEY-----\nAAAA\n"])
def test_a_key_that_cannot_be_read_is_told_as_a_setting(pem):
    with pytest.raises(BadSettings, match="the signing key cannot be read"):
        SigningKey(pem)
