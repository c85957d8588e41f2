"""Faults on demand: what goes wrong at an upstream, for the next requests that match."""

from __future__ import annotations

import threading
from dataclasses import dataclass

# What a request is answered with instead: status, and what the registry would say.
REFUSALS = {
    "rate_limit": (429, "TOOMANYREQUESTS"),
    "unavailable": (503, "UNAVAILABLE"),
    "expire_tokens": (401, "UNAUTHORIZED"),
    "forbid": (403, "DENIED"),
    "lose": (404, "NOT_FOUND"),
}
# What happens to the body of an answer.
SPOILERS = frozenset({"corrupt", "truncate", "lengthen", "stall"})
KINDS = frozenset(REFUSALS) | SPOILERS


@dataclass
class Fault:
    """One thing that goes wrong.

    Args:
        kind: one of `KINDS`.
        match: a part of the path or digest; empty matches everything.
        times: how many requests it hits; None for all.
    """

    kind: str
    match: str = ""
    times: int | None = 1


class Faults:
    """The faults that are still to come, oldest first; safe to use from many threads."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Let it happen.

        Raises:
            ValueError: there is no such kind, or it is to happen less than once.
        """
        if fault.kind not in KINDS:
            raise ValueError(f"kind {fault.kind!r} is none of {', '.join(sorted(KINDS))}")
        if fault.times is not None and fault.times < 1:
            raise ValueError(f"times {fault.times} is below 1")
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """From now on all goes well."""
        with self._lock:
            self._faults.clear()

    def refusal(self, path: str) -> str | None:
        """The kind with which the request for this path is to be refused; counts as having hit."""
        return self._take(path, frozenset(REFUSALS))

    def spoiler(self, path: str) -> str | None:
        """What is to happen to the body of this path's answer; counts as having hit."""
        return self._take(path, SPOILERS)

    def _take(self, path: str, kinds: frozenset[str]) -> str | None:
        with self._lock:
            for fault in self._faults:
                if fault.kind in kinds and fault.match in path:
                    self._hit(fault)
                    return fault.kind
        return None

    def _hit(self, fault: Fault) -> None:
        if fault.times is not None:
            fault.times -= 1
            if fault.times == 0:
                self._faults.remove(fault)
