"""jws: a file is taken only when brew would take it, and every other one is told by its flaw."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from delivery.mirror.jws import BadJws, Flaw, verified_payload


def encoded(header):
    return base64.urlsafe_b64encode(header).decode().rstrip("=")


def file(payload="{}", **entry):
    header = encoded(json.dumps({"alg": "PS512", "b64": False}).encode())
    sound = {"header": {"kid": "homebrew-1"}, "protected": header, "signature": ""}
    return json.dumps({"payload": payload, "signatures": [{**sound, **entry}]}).encode()


def test_a_sound_file_gives_its_payload(signed, public_key_pem):
    assert verified_payload(signed('{"a": 1}'), public_key_pem) == '{"a": 1}'


def test_a_signature_of_ours_beside_another_is_found(signed, public_key_pem):
    document = json.loads(signed("{}"))
    document["signatures"] = ["?", {"header": "?"}, {}, *document["signatures"]]

    assert verified_payload(json.dumps(document).encode(), public_key_pem) == "{}"


@pytest.mark.parametrize(
    ("body", "flaw"),
    [
        (b"", Flaw.FORM),
        (b"\xff\xfe", Flaw.FORM),
        (b"[" * 200_000, Flaw.FORM),
        (b"[]", Flaw.FORM),
        (b'{"payload": {}}', Flaw.FORM),
        (b'{"payload": "{}"}', Flaw.KEY),
        (b'{"payload": "{}", "signatures": "homebrew-1"}', Flaw.KEY),
        (file(header={"kid": ["homebrew-1"]}), Flaw.KEY),
        (file(protected=None), Flaw.ALGORITHM),
        (file(protected="é"), Flaw.ALGORITHM),
        (file(protected=encoded(b"[]")), Flaw.ALGORITHM),
        (file(protected=encoded(b'{"alg": "PS512"}')), Flaw.ALGORITHM),
        (file(protected=encoded(b'{"alg": "PS512", "b64": 0}')), Flaw.ALGORITHM),
        (file(protected=encoded(b'{"alg": "none", "b64": false}')), Flaw.ALGORITHM),
        (file(), Flaw.SIGNATURE),
        (file(signature=None), Flaw.SIGNATURE),
        (file(signature="é"), Flaw.SIGNATURE),
        (file(payload="\ud800"), Flaw.SIGNATURE),
    ],
)
def test_what_brew_refuses_is_refused(body, flaw, public_key_pem):
    with pytest.raises(BadJws) as refusal:
        verified_payload(body, public_key_pem)

    assert refusal.value.flaw is flaw


def test_a_key_of_another_kind_proves_nothing(signed):
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    with pytest.raises(BadJws, match="not an RSA key"):
        verified_payload(signed("{}"), pem)
