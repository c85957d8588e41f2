"""JSON from outside: whatever is wrong with it is a ValueError."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any


def parse(text: str | bytes, reduce: Callable[[dict[str, Any]], Any] | None = None) -> Any:
    """The document.

    Args:
        reduce: what to put in the place of an object, the innermost first.

    Raises:
        ValueError: not JSON, or nested so deep that Python gives up.
    """
    try:
        return json.loads(text, object_hook=reduce)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
