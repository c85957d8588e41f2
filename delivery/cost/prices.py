"""What AWS charges, from config/prices.yaml: dated list prices, nothing asked for online."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from delivery.config import loading
from delivery.paths import PRICES_FILE

GIB = 2**30


@dataclass(frozen=True)
class StoragePrices:
    """S3 Standard in one region, in US dollars.

    Args:
        gib_month_usd: per GiB and month, which is what AWS's price list calls a GB.
        put_usd, get_usd: per request; PUT is also what a LIST or a part of an upload costs.
        date: since when the oldest of the three stands in the file, as ``2025-01``.
    """

    region: str
    gib_month_usd: float
    put_usd: float
    get_usd: float
    date: str

    def requests_usd(self, requests: Mapping[str, int]) -> float:
        """What requests cost once: ``{"put": 61, "get": 42}``."""
        return requests["put"] * self.put_usd + requests["get"] * self.get_usd

    def month_usd(self, size_bytes: int) -> float:
        """What keeping the bytes costs each month."""
        return size_bytes / GIB * self.gib_month_usd


def storage(region: str, file: Path = PRICES_FILE) -> StoragePrices | None:
    """The region's prices of S3; None when the file does not have all three."""
    entries: list[dict[str, Any]] = loading.trusted(file)
    found = {
        entry["item"]: entry
        for entry in entries
        if entry["service"] == "s3" and entry["region"] == region
    }
    if not {"storage", "put", "get"} <= found.keys():
        return None
    return StoragePrices(
        region,
        gib_month_usd=float(found["storage"]["usd"]),
        put_usd=float(found["put"]["usd"]) / 1000,
        get_usd=float(found["get"]["usd"]) / 1000,
        date=min(str(entry["date"]) for entry in found.values()),
    )


@dataclass(frozen=True)
class PriceList:
    """Every price of one region.

    `usd` maps ``(service, item)`` to US dollars per one of what `unit` names; `date` is that of
    the oldest price in it.
    """

    region: str
    date: str
    usd: Mapping[tuple[str, str], float]
    unit: Mapping[tuple[str, str], str]


@cache
def listed(region: str, file: Path = PRICES_FILE) -> PriceList | None:
    """The region's whole price list; None when the file has no prices of it."""
    entries: list[dict[str, Any]] = loading.trusted(file)
    found = {(each["service"], each["item"]): each for each in entries if each["region"] == region}
    if not found:
        return None
    return PriceList(
        region,
        date=min(str(each["date"]) for each in found.values()),
        usd={key: float(each["usd"]) / _per(each["unit"]) for key, each in found.items()},
        unit={key: _one(each["unit"]) for key, each in found.items()},
    )


def _per(unit: str) -> int:
    """How many make the unit: ``1000 requests`` and ``million requests`` are not one."""
    first = unit.partition(" ")[0]
    return {"1000": 1000, "million": 1_000_000}.get(first, 1)


def _one(unit: str) -> str:
    return unit if _per(unit) == 1 else unit.partition(" ")[2].removesuffix("s")
