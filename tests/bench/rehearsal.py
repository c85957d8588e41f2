"""All of homebrew/core through the deployed state machine in a sandbox, three weeks in a row.

``python -m tests.bench.rehearsal`` deploys a copy of this checkout into a sandbox of its own,
lets the sample upstream offer the whole catalogue, and syncs: at first, after a week in which
8 % of the formulae changed, and after one in which nothing did. The figures go to
build/rehearsal.json. Bottles are of about a kilobyte, so time and requests are measured and
bytes are computed, from sizes that `weeks` draws.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3

from delivery.cost import prices
from sandbox import catalogues, cloud
from sandbox.cloud import Sandbox
from tests.bench import spending, weeks
from tests.integration.conftest import ROOT, Checkout, copied, listed

ACCOUNT = "111111111111"
REGION = "us-east-1"
BUCKET = f"airbrew-dev-mirror-{ACCOUNT}"
# As in production, but for what two cores can carry at the same time.
SIZES = {
    "workflow": {"max_concurrency": 4, "batch_max_bottles": 200, "batch_max_mib": 2048},
    "functions": {"sync_worker": {"transfers": 8, "memory_mib": 1024}},
}
EVERYTHING = {
    "platforms": list(weeks.PLATFORMS),
    "formulae": ["*"],
    "include_deprecated": True,
    "include_disabled": True,
}
KINDS = (
    ("manifests", re.compile(r"/v2/.*/manifests/")),
    ("bottles", re.compile(r"/v2/.*/blobs/")),  # each of them redirects
    ("storage", re.compile(r"/storage/")),
    ("API files", re.compile(r"/api/")),
    ("tokens", re.compile(r"/token")),
)


@dataclass(frozen=True)
class Stage:
    """A deployed copy of the checkout, and its sandbox."""

    checkout: Checkout
    running: Sandbox

    def aws(self, service: str) -> Any:
        """A client of the local AWS."""
        return boto3.client(
            service,
            endpoint_url=self.running.aws_url,
            aws_access_key_id=ACCOUNT,
            aws_secret_access_key="sandbox",
            region_name=REGION,
        )

    def sync(self, week: Mapping[str, Any]) -> dict[str, Any]:
        """Have upstream offer this week, sync, and say what it took."""
        self._offer(week)
        log = self.checkout.root / ".airbrew/sandbox/logs/ministack.log"
        offset = log.stat().st_size
        began = time.monotonic()
        ended = self.checkout.answer("mirror.sync", "--env", "dev")
        seconds = time.monotonic() - began
        events = self._history(ended["arn"])
        requests = spending.by_phase(log, offset, BUCKET, events)
        return {
            "seconds": round(seconds, 1),
            "seconds_by_state": _seconds_by_state(events),
            "published": ended["output"],
            "s3": {phase: asdict(each) for phase, each in requests.items()},
            "upstream": self._upstream_requests(),
            "probe_requests": ended["probe"]["requests"],
        }

    def bottles(self, snapshot: str) -> list[dict[str, Any]]:
        """What a snapshot holds."""
        found = self.aws("s3").get_object(Bucket=BUCKET, Key=f"snapshots/{snapshot}/bottles.json")
        document = json.loads(found["Body"].read())
        return document["bottles"] if isinstance(document, dict) else document

    def _offer(self, week: Mapping[str, Any]) -> None:
        file = self.checkout.root / ".airbrew" / "week.json"
        file.write_text(json.dumps(week))
        catalogues.stock(self.running.api_url, file)
        # The first request of a file has it made and signed: that is not the mirror's time.
        for name in ("formula", *(f"internal/packages.{tag}" for tag in weeks.PLATFORMS)):
            urllib.request.urlopen(f"{self.running.api_url}/{name}.jws.json", timeout=600).close()
        forget = urllib.request.Request(self._requests_url, method="DELETE")
        urllib.request.urlopen(forget, timeout=60).close()

    @property
    def _requests_url(self) -> str:
        return f"{self.running.upstream_url}/_sandbox/requests"

    def _upstream_requests(self) -> dict[str, int]:
        with urllib.request.urlopen(self._requests_url, timeout=60) as answer:
            asked = json.load(answer)
        counts: Counter[str] = Counter()
        for path, times in asked.items():
            counts[next((name for name, form in KINDS if form.match(path)), "other")] += times
        return dict(counts)

    def _history(self, execution: str) -> list[dict[str, Any]]:
        pages = self.aws("stepfunctions").get_paginator("get_execution_history")
        return [
            event for page in pages.paginate(executionArn=execution) for event in page["events"]
        ]


def rehearse(folder: Path, catalogue: Path, limit: int | None) -> dict[str, Any]:
    """The three syncs; the sandbox is stopped in the end."""
    checkout = Checkout(copied(folder, listed()), {"LOG_LEVEL": "DEBUG"})
    checkout.configure({"selection": EVERYTHING, **SIZES})
    try:
        checkout.answer("deploy", "--env", "dev")
        stage = Stage(checkout, cloud.up(checkout.root, report=lambda _: None))
        week = weeks.first(catalogue, weeks.PLATFORMS, limit)
        kind = "real" if catalogue.is_file() else "made up"
        return {"catalogue": kind, **_report(stage, week)}
    finally:
        checkout.inv("sandbox.down")


def _report(stage: Stage, week: weeks.Catalogue) -> dict[str, Any]:
    later = weeks.following(week, seed=1)
    syncs: dict[str, Any] = {}
    held: dict[str, float] = {}
    for name, offered in (("first", week), ("weekly", later), ("unchanged", later)):
        found = stage.sync(offered)
        now = weeks.sizes(stage.bottles(found["published"]["snapshot"]))
        syncs[name] = found | _cost(found, now, held)
        held |= now
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{os.cpu_count()} cores, Python {platform.python_version()}",
        "formulae": len(week["formulae"]),
        "platforms": weeks.PLATFORMS,
        "syncs": syncs,
    }


def _cost(
    found: Mapping[str, Any], now: Mapping[str, float], held: Mapping[str, float]
) -> dict[str, Any]:
    listed_at = prices.storage(REGION)
    new = sum(size for digest, size in now.items() if digest not in held)
    kept = sum({**held, **now}.values())
    requests = [spending.Requests(**found["s3"][phase]) for phase in spending.PHASES]
    return {
        "new_gib": round(new / prices.GIB, 2),
        "held_gib": round(kept / prices.GIB, 2),
        "dollars_requests": round(sum(each.dollars(listed_at) for each in requests), 4),
        "dollars_storage_month": round(listed_at.month_usd(kept), 2),
    }


def _seconds_by_state(events: list[dict[str, Any]]) -> dict[str, float]:
    marks = [
        (name, each["timestamp"])
        for each in events
        if (name := each.get("stateEnteredEventDetails", {}).get("name")) in spending.PHASES
    ]
    ends = [*(moment for _, moment in marks[1:]), events[-1]["timestamp"]]
    return {
        name: round((end - since).total_seconds(), 1)
        for (name, since), end in zip(marks, ends, strict=True)
    }


def main() -> None:
    """Rehearse, and write build/rehearsal.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--formulae", type=int, help="only the first so many; all by default")
    parser.add_argument("--catalogue", type=Path, default=weeks.REAL, help="a .json.xz of it")
    given = parser.parse_args()
    file = ROOT / "build" / "rehearsal.json"
    file.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="airbrew-rehearsal-") as folder:
        found = rehearse(Path(folder), given.catalogue, given.formulae)
        # Not after the folder is gone: a hundred thousand objects take minutes to delete.
        file.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
