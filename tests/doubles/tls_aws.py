"""The sandbox's local AWS as if behind TLS: bucket policies that want it are kept, not got round.

MiniStack 1.5.33 reads from ``X-Forwarded-Proto`` whether a request came over TLS
(`app.handle`, `pin_request_origin`).
"""

from __future__ import annotations

from typing import Any

from sandbox import local_aws


class BehindTls(local_aws.SavingMiniStack):
    """Says of every request what a TLS terminator in front would say."""

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            told = (b"x-forwarded-proto", b"https")
            scope = {**scope, "headers": [*scope["headers"], told]}
        await super().__call__(scope, receive, send)


if __name__ == "__main__":
    local_aws.SavingMiniStack = BehindTls
    local_aws.main()
