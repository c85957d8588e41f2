"""Several requests at a time, as many as brew's own download queue has under way."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

AT_ONCE = 8

In = TypeVar("In")
Out = TypeVar("Out")


def at_once(do: Callable[[In], Out], items: Iterable[In]) -> list[Out]:
    """What `do` gives for each item, in their order; the first exception ends it."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(do, items))
