"""JSON from outside: whatever is wrong with it is a ValueError."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, NoReturn


def parse(text: str | bytes, reduce: Callable[[dict[str, Any]], Any] | None = None) -> Any:
    """The document.

    Args:
        reduce: what to put in the place of an object, the innermost first.

    Raises:
        ValueError: not JSON, nested so deep that Python gives up, or with a number without end.
    """
    try:
        return json.loads(text, object_hook=reduce, parse_float=_finite, parse_constant=_refused)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refused(text)


def _refused(text: str) -> NoReturn:
    raise ValueError(f'"{text}" is no number')
