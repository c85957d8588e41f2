"""The signature of Homebrew's API files, checked as brew checks it.

Source: Homebrew/brew 6.0, ``api.rb`` (verify_jws_signature): RSA-PSS over
``protected + "." + payload`` with SHA-512, salt as long as the digest, key `homebrew-1`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from delivery.paths import HOMEBREW_KEY_FILE

KEY_ID = "homebrew-1"


class Flaw(Enum):
    """Why brew would refuse a file; it tells these four apart in its own messages."""

    FORM = "not a signed file"
    KEY = "no signature by the key brew looks for"
    ALGORITHM = "another algorithm than PS512 over the plain payload"
    SIGNATURE = "the signature does not hold"


class BadJws(Exception):
    """A file that brew refuses; `flaw` says at which of its steps."""

    def __init__(self, flaw: Flaw, problem: str) -> None:
        super().__init__(flaw, problem)
        self.flaw, self.problem = flaw, problem


def verified_payload(body: bytes, public_key_pem: str) -> str:
    """The payload of a file whose `homebrew-1` signature holds (PS512, b64 false).

    Args:
        body: the file as it was served.
        public_key_pem: the key to check with; empty for Homebrew's own.

    Raises:
        BadJws: brew would refuse the file.
    """
    payload, signatures = _parts(body)
    signature = _by_homebrew(signatures)
    _check_header(signature)
    _check_signature(signature, payload, public_key_pem)
    return payload


def _parts(body: bytes) -> tuple[str, Iterable[Any]]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadJws(Flaw.FORM, f"the API file is not JSON: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("payload"), str):
        raise BadJws(Flaw.FORM, "the API file has no payload")
    signatures = document.get("signatures")
    return document["payload"], signatures if isinstance(signatures, list) else []


def _by_homebrew(signatures: Iterable[Any]) -> Mapping[str, Any]:
    seen = []
    for signature in signatures:
        if not isinstance(signature, dict):
            continue
        header = signature.get("header")
        seen.append(header.get("kid") if isinstance(header, dict) else None)
        if seen[-1] == KEY_ID:
            return signature
    raise BadJws(Flaw.KEY, f'the API file has no signature by "{KEY_ID}", only by {seen}')


def _check_header(signature: Mapping[str, Any]) -> None:
    try:
        header = json.loads(_unpadded(signature.get("protected")))
    except (ValueError, RecursionError) as error:
        raise BadJws(Flaw.ALGORITHM, f"the signature's header is not JSON: {error}") from error
    if (
        not isinstance(header, dict)
        or header.get("alg") != "PS512"
        or header.get("b64") is not False
    ):
        raise BadJws(Flaw.ALGORITHM, f"the API file is signed with {header}, not PS512")


def _check_signature(signature: Mapping[str, Any], payload: str, public_key_pem: str) -> None:
    key = load_pem_public_key(public_key_pem.encode() or HOMEBREW_KEY_FILE.read_bytes())
    if not isinstance(key, rsa.RSAPublicKey):
        raise BadJws(Flaw.SIGNATURE, "the signing key is not an RSA key")
    pss = padding.PSS(mgf=padding.MGF1(SHA512()), salt_length=padding.PSS.DIGEST_LENGTH)
    try:
        signed = f"{signature['protected']}.{payload}".encode()
        key.verify(_unpadded(signature.get("signature")), signed, pss, SHA512())
    except (InvalidSignature, ValueError) as error:
        problem = "the signature of the API file does not hold"
        raise BadJws(Flaw.SIGNATURE, problem) from error


def _unpadded(text: Any) -> bytes:
    encoded = text if isinstance(text, str) else ""
    return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
