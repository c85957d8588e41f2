"""Whose API file is it: the signature of a JWS file, checked as brew checks it.

Source: Homebrew/brew, ``api.rb``, ``verify_jws_signature``: the signature whose kid is
``homebrew-1``; PS512 (RSA-PSS, SHA-512, salt as long as the digest) over the protected
header, a dot, and the payload as it stands (``b64`` false, RFC 7797).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from mirror import documents
from mirror.errors import BadSettings, UntrustedCatalogue

KEY_ID = "homebrew-1"


class SigningKey:
    """The public key that API files must be signed with.

    Raises:
        BadSettings: the PEM does not hold an RSA key.
    """

    def __init__(self, pem: str) -> None:
        try:
            key = load_pem_public_key(pem.encode())
        except ValueError as error:
            raise _not_a_key(str(error)) from error
        if not isinstance(key, rsa.RSAPublicKey):
            raise _not_a_key("it is not an RSA key")
        self._key = key

    def payload(self, body: bytes, where: str) -> str:
        """The payload of a JWS file, itself JSON, once its signature holds.

        Args:
            where: the file's URL or key, for messages.

        Raises:
            UntrustedCatalogue: not such a file, or not signed by this key.
        """
        try:
            document = documents.parse(body)
            payload, entry = document["payload"], _entry(document["signatures"], where)
            protected = entry["protected"]
            signature = _decoded(entry["signature"])
            header = documents.parse(_decoded(protected))
            signed = f"{protected}.{payload}".encode()
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise untrusted(f"this is not a signed API file: {error!r}", where) from error
        if not isinstance(payload, str):
            raise untrusted("the payload is not a string", where)
        self._check(header, signature, signed, where)
        return payload

    def _check(self, header: Any, signature: bytes, signed: bytes, where: str) -> None:
        if not isinstance(header, dict) or header.get("alg") != "PS512":
            raise untrusted(f"signed with {_shown(header, 'alg')}, not PS512", where)
        if header.get("b64") is not False:
            raise untrusted("the signed payload is encoded (b64 is not false)", where)
        pss = padding.PSS(mgf=padding.MGF1(SHA512()), salt_length=padding.PSS.DIGEST_LENGTH)
        try:
            self._key.verify(signature, signed, pss, SHA512())
        except InvalidSignature as error:
            raise untrusted("the signature does not hold", where) from error


def untrusted(problem: str, where: str) -> UntrustedCatalogue:
    """The API file is not to be used."""
    return UntrustedCatalogue(
        problem,
        where=where,
        remedy="check upstream.api_url and upstream.public_key_file; nothing was taken over",
    )


def _entry(signatures: list[Mapping[str, Any]], where: str) -> Mapping[str, Any]:
    for entry in signatures:
        if entry["header"]["kid"] == KEY_ID:
            return entry
    raise untrusted(f'no signature by the key "{KEY_ID}"', where)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(f"not base64url: {error}") from error


def _shown(header: Any, name: str) -> str:
    return f'"{header.get(name)}"' if isinstance(header, dict) else "nothing readable"


def _not_a_key(why: str) -> BadSettings:
    return BadSettings(
        f"the signing key cannot be read: {why}",
        where="upstream.signing_key_pem in the settings",
        remedy="set upstream.public_key_file to the PEM of an RSA public key and deploy",
    )
