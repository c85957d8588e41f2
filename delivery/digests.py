"""SHA-256 as we name things by it, and as AWS spells it."""

from __future__ import annotations

import base64
import hashlib


def sha256(body: bytes) -> str:
    """64 hex digits."""
    return hashlib.sha256(body).hexdigest()


def as_base64(digits: str) -> str:
    """The same digest as Lambda (``CodeSha256``) and S3 (``ChecksumSHA256``) spell it."""
    return base64.b64encode(bytes.fromhex(digits)).decode()
