"""Free ports on 127.0.0.1, the one of last time if nobody took it."""

from __future__ import annotations

import socket

HOST = "127.0.0.1"


def free_port(preferred: int = 0, *, but: frozenset[int] = frozenset()) -> int:
    """`preferred` when it can be listened on, else any port that is free now and not in `but`."""
    if preferred and preferred not in but and _can_listen(preferred):
        return preferred
    while True:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port = int(probe.getsockname()[1])
        if port not in but:
            return port


def _can_listen(port: int) -> bool:
    with socket.socket() as probe:
        # Servers set it too: a port whose last connections are still closing is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
