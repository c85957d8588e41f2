"""What a sync asked of S3, phase by phase, and what AWS would charge for it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from delivery.cost.prices import StoragePrices

PHASES = ("Plan", "Copy", "Publish")
# After the execution: the probe, which is no part of a scheduled sync.
AFTER = "probe"
# MiniStack's own line for a request, at LOG_LEVEL=DEBUG.
REQUEST = re.compile(
    r"(?P<moment>[\d-]+ [\d:]+) DEBUG \[ministack\] "
    r"(?P<method>[A-Z]+) /(?P<bucket>[^/ ]+)(?P<key>/?\S*) -> service=s3 "
)


@dataclass(frozen=True)
class Requests:
    """How many there were of each price class. Source: S3 pricing, "Requests & data retrievals"."""

    written: int  # PUT, COPY, POST and LIST
    read: int  # GET, HEAD and all others

    @property
    def total(self) -> int:
        """All of them."""
        return self.written + self.read

    def dollars(self, prices: StoragePrices) -> float:
        """At list price."""
        return prices.requests_usd({"put": self.written, "get": self.read})


def by_phase(
    log: Path, offset: int, bucket: str, events: Sequence[Mapping[str, Any]]
) -> dict[str, Requests]:
    """S3 requests between the entering of each state and the next, and after the last.

    Args:
        log: MiniStack's, whose times are this machine's, to the second.
        offset: where in it the sync begins.
        bucket: requests of others are not the sync's.
        events: the execution's history, oldest first.
    """
    entered = [
        (each["timestamp"].astimezone().replace(microsecond=0), name)
        for each in events
        if (name := each.get("stateEnteredEventDetails", {}).get("name")) in PHASES
    ]
    entered.append((events[-1]["timestamp"].astimezone(), AFTER))
    classes: dict[str, Counter[str]] = {phase: Counter() for phase in (*PHASES, AFTER)}
    with log.open(encoding="utf-8", errors="replace") as lines:
        lines.seek(offset)
        for found in filter(None, map(REQUEST.match, lines)):
            if found["bucket"] == bucket:
                classes[_phase(found["moment"], entered)][_price_class(found)] += 1
    return {phase: Requests(count["written"], count["read"]) for phase, count in classes.items()}


def _phase(moment: str, entered: Iterable[tuple[datetime, str]]) -> str:
    when = datetime.fromisoformat(moment).astimezone()
    before = [name for since, name in entered if since <= when]
    return before[-1] if before else PHASES[0]


def _price_class(found: re.Match[str]) -> str:
    is_listing = found["method"] == "GET" and found["key"].strip("/") == ""
    return "written" if is_listing or found["method"] in {"PUT", "POST"} else "read"
