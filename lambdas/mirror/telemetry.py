"""What the functions tell about themselves: one JSON line per event, on stdout.

docs/reference/telemetry.md lists every event, field and metric; a test holds it complete.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from enum import Enum
from typing import Any

NAMESPACE = "Airbrew"
DIMENSIONS = ("Project", "Environment")


class Metric(Enum):
    """A number that CloudWatch keeps: its name there, and its unit."""

    BOTTLES_SELECTED = ("BottlesSelected", "Count")
    BOTTLES_MISSING = ("BottlesMissing", "Count")
    BYTES_MISSING = ("BytesMissing", "Bytes")
    WITHOUT_BOTTLE = ("WithoutBottle", "Count")
    SNAPSHOT_AGE = ("SnapshotAgeSeconds", "Seconds")
    PLAN_SECONDS = ("PlanSeconds", "Seconds")
    BOTTLES_COPIED = ("BottlesCopied", "Count")
    BYTES_COPIED = ("BytesCopied", "Bytes")
    BOTTLES_LEFT = ("BottlesLeft", "Count")
    BOTTLES_FAILED = ("BottlesFailed", "Count")
    BATCH_SECONDS = ("BatchSeconds", "Seconds")
    RETRIES = ("Retries", "Count")
    BOTTLES_PUBLISHED = ("BottlesPublished", "Count")
    BYTES_PUBLISHED = ("BytesPublished", "Bytes")
    PUBLISH_SECONDS = ("PublishSeconds", "Seconds")
    SYNC_SECONDS = ("SyncSeconds", "Seconds")
    SYNCS_PUBLISHED = ("SyncsPublished", "Count")
    SYNCS_WITHOUT_NEWS = ("SyncsWithoutNews", "Count")
    SYNCS_FAILED = ("SyncsFailed", "Count")


# Failures are also counted by cause: ``FailuresDigestMismatch``. A fixed list, because each
# metric costs money; what is not in it is `Other`, and the line's `error` has its name.
CAUSES = (
    "BadManifest",
    "BucketRefused",
    "DigestMismatch",
    "IncompleteSync",
    "NotUpstream",
    "Other",
    "OutOfTime",
    "SyncUnderWay",
    "Timeout",
    "UntrustedCatalogue",
    "UpstreamRefused",
    "UpstreamUnavailable",
)
_TIMEOUTS = {"States.Timeout", "Sandbox.Timedout"}

# A process is one function and works for one sync at a time. Its threads tell of the same
# sync, which context variables would keep from them.
_told_by: dict[str, str] = {}
_lock = threading.Lock()
_retries: Counter[str] = Counter()


def begin(function: str, *, project: str = "", environment: str = "") -> None:
    """Name who tells from now on; retries are counted anew.

    Args:
        project, environment: the dimensions of the metrics.
    """
    _told_by.clear()
    _told_by.update(function=function, project=project, environment=environment)
    take_retries()


def about(sync: str) -> None:
    """Name the sync that all lines from now on are about."""
    _told_by["sync"] = sync


def tell(event: str, *, level: str = "INFO", **fields: Any) -> None:
    """Write one line: ``{"level": "INFO", "event": "batch_done", "function": "sync_worker", …}``.

    CloudWatch Logs makes one entry of each line and lets its fields be queried. Pass no URL
    with a query: a registry's redirects carry signatures there.

    Args:
        level: INFO, WARN or ERROR.
    """
    _write(_head(event, level) | fields)


def measure(
    event: str,
    metrics: Mapping[Metric, float],
    *,
    failures: Mapping[str, int] | None = None,
    level: str = "INFO",
    **fields: Any,
) -> None:
    """Write one line as `tell` does, from which CloudWatch also takes the metrics.

    Args:
        failures: cause, the name of an error's class → how many.

    Source: Amazon CloudWatch, "Specification: Embedded metric format".
    """
    by_cause = failures_by_cause(failures or {})
    definitions = [dict(zip(("Name", "Unit"), each.value, strict=True)) for each in metrics]
    definitions += [{"Name": name, "Unit": "Count"} for name in by_cause]
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [list(DIMENSIONS)],
        "Metrics": definitions,
    }
    envelope = {"Timestamp": time.time_ns() // 1_000_000, "CloudWatchMetrics": [directive]}
    values = {each.value[0]: value for each, value in metrics.items()}
    # A dimension without a value makes CloudWatch drop the whole line.
    told = (_told_by.get("project") or "airbrew", _told_by.get("environment") or "none")
    dimensions = dict(zip(DIMENSIONS, told, strict=True))
    _write({"_aws": envelope} | _head(event, level) | fields | dimensions | values | by_cause)


def failures_by_cause(count_by_error: Mapping[str, int]) -> dict[str, int]:
    """``{"DigestMismatch": 2, "KeyError": 1}`` → ``FailuresDigestMismatch``, ``FailuresOther``."""
    found: Counter[str] = Counter()
    for error, count in count_by_error.items():
        found[f"Failures{_cause(error)}"] += count
    return dict(found)


def retried(reason: str) -> None:
    """Count one more try, by what stands before a colon: ``answered 503``, ``no answer``."""
    with _lock:
        _retries[reason.partition(":")[0]] += 1


def take_retries() -> dict[str, int]:
    """Reason → tries since this was asked last, or since `begin`."""
    with _lock:
        taken = dict(_retries)
        _retries.clear()
    return taken


def _cause(error: str) -> str:
    if error in _TIMEOUTS:
        return "Timeout"
    return error if error in CAUSES else "Other"


def _head(event: str, level: str) -> dict[str, Any]:
    return {
        "level": level,
        "event": event,
        "function": _told_by.get("function", ""),
        "sync": _told_by.get("sync"),
    }


def _write(line: Mapping[str, Any]) -> None:
    # One write per line: threads must not mix theirs.
    sys.stdout.write(json.dumps(line, default=str) + "\n")
    sys.stdout.flush()
