"""Tokens and signed addresses that a registry hands out, and that end by themselves.

Nothing is stored: each carries what it is for, when it ends, and a code over both.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time

TOKEN_SECONDS = 300
ADDRESS_SECONDS = 60
ANONYMOUS_TOKEN = "QQ=="  # noqa: S105 - brew's constant, which GHCR takes for any public image


class Passes:
    """Issues and checks passes; those of an earlier process are worth nothing."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    def issue(self, purpose: str, seconds: int) -> str:
        """A pass for `purpose`, good for as long as given; safe in a URL and in a header."""
        ends = str(int(time.time()) + seconds)
        whole = f"{ends}.{self._code(ends, purpose)}.{purpose}"
        return base64.urlsafe_b64encode(whole.encode()).decode().rstrip("=")

    def purpose_of(self, given: str) -> str | None:
        """What the pass is for; None when it has ended or is not one of ours."""
        try:
            padded = given + "=" * (-len(given) % 4)
            ends, code, purpose = base64.urlsafe_b64decode(padded).decode().split(".", 2)
        except ValueError:
            return None
        if not hmac.compare_digest(code, self._code(ends, purpose)):
            return None
        return purpose if int(ends) > time.time() else None

    def _code(self, ends: str, purpose: str) -> str:
        return hmac.new(self._secret, f"{ends}.{purpose}".encode(), hashlib.sha256).hexdigest()[:32]
