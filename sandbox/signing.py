"""API files signed as Homebrew signs them, with a key that was made for this sandbox.

Source: brew, api.rb, verify_jws_signature; RFC 7797 (JWS with unencoded payload).
"""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

KEY_ID = "homebrew-1"
KEY_BITS = 2048
PROTECTED = {"alg": "PS512", "b64": False, "crit": ["b64"]}


class Signer:
    """Signs with the key of a folder; makes the key when there is none yet."""

    def __init__(self, folder: Path) -> None:
        private_file = folder / "signing-key.pem"
        if not private_file.exists():
            _make_key(private_file)
        loaded = serialization.load_pem_private_key(private_file.read_bytes(), password=None)
        assert isinstance(loaded, rsa.RSAPrivateKey)  # noqa: S101 - made by us, for mypy
        self._key = loaded
        (folder / "signing-key.pub.pem").write_bytes(self.public_key_pem)

    @property
    def public_key_pem(self) -> bytes:
        """What stands in for brew's ``api/homebrew-1.pem``."""
        return self._key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def sign(self, payload: str) -> bytes:
        """The signed file: the payload as a string in it, byte for byte what was signed."""
        protected = _base64url(json.dumps(PROTECTED, separators=(",", ":")).encode())
        signature = self._key.sign(
            f"{protected}.{payload}".encode(),
            padding.PSS(padding.MGF1(hashes.SHA512()), hashes.SHA512.digest_size),
            hashes.SHA512(),
        )
        signed = {
            "payload": payload,
            "signatures": [
                {
                    "protected": protected,
                    "header": {"kid": KEY_ID},
                    "signature": _base64url(signature),
                }
            ],
        }
        return json.dumps(signed).encode()


def _make_key(file: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    written = file.with_suffix(".new")
    with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as opened:
        opened.write(pem)
    written.replace(file)


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
