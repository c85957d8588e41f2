"""What the functions tell about themselves: one JSON line per event, on stdout."""

from __future__ import annotations

import json
import sys
from typing import Any


def tell(event: str, **fields: Any) -> None:
    """Write one line: ``{"event": "batch_done", "sync": "…", "copied": 41, …}``.

    CloudWatch Logs makes one entry of each line and lets its fields be queried. Pass no URL
    with a query: a registry's redirects carry signatures there.
    """
    sys.stdout.write(json.dumps({"event": event, **fields}, default=str) + "\n")
    sys.stdout.flush()
