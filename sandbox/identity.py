"""How a server of the sandbox proves that it is ours and not somebody else's on the same port."""

from __future__ import annotations

import secrets
from http.client import HTTPConnection, HTTPException

from sandbox.ports import HOST

IDENTITY_PATH = "/_sandbox/identity"


def new_token() -> str:
    """What every server of one sandbox answers at `IDENTITY_PATH`; names it, opens nothing."""
    return secrets.token_hex(8)


def answers_as(token: str, port: int, *, patience_seconds: float) -> bool:
    """Whether the server at this port says that it belongs to the sandbox of this token."""
    connection = HTTPConnection(HOST, port, timeout=patience_seconds)
    try:
        connection.request("GET", IDENTITY_PATH)
        return connection.getresponse().read(len(token) + 1) == token.encode()
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
