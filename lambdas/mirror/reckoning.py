"""What a sync did, added up from its plan and from the results of its batches."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from mirror import keys
from mirror.bucket import Bucket
from mirror.plans import Plan

REQUESTS = 16
# A report is read by people; the results have the rest.
NAMED = 1000


@dataclass(frozen=True)
class Reckoning:
    """A plan, and the results of its batches as far as they have been written."""

    plan: Plan
    results: Sequence[Mapping[str, Any]]

    @property
    def failed(self) -> list[Mapping[str, str]]:
        """``{"bottle", "error", "problem"}`` of each bottle that could not be had."""
        copying = [
            # The error has a field of its own here.
            {**each, "problem": each["problem"].removeprefix(f"{each.get('error', '')}: ")}
            for result in self.results
            for each in result.get("failed", ())
        ]
        return [*self.plan.failed, *copying]

    def as_json(self) -> dict[str, Any]:
        """The part of ``report.json`` that adds up (docs/reference/bucket-layout.md)."""
        failed = self.failed
        return {
            "counts": {
                "formulae": self.plan.formulae,
                "bottles": len(self.plan.bottles),
                **({"casks": len(self.plan.casks)} if self.plan.casks else {}),
                "to_copy": self.plan.to_copy,
                "copied": self._sum("copied"),
                "left": self._sum("left"),
                "failed": len(failed),
                "without_bottle": len(self.plan.without_bottle),
            },
            "bytes": {
                "snapshot": self.plan.size_bytes,
                "to_copy": self.plan.account.to_copy_bytes,
                "copied": self._sum("bytes"),
            },
            "retries": _added(
                [self.plan.account.retries, *(each.get("retries", {}) for each in self.results)]
            ),
            "failures": dict(Counter(each.get("error", "Other") for each in failed)),
            "failed": failed[:NAMED],
            "without_bottle": list(self.plan.without_bottle),
            "warnings": list(self.plan.warnings),
            "casks_left_out": list(self.plan.casks_left_out),
            "too_large": [bottle.as_json() for bottle in self.plan.too_large],
        }

    def _sum(self, name: str) -> int:
        return sum(int(each.get(name, 0)) for each in self.results)


def of(bucket: Bucket, plan: Plan) -> Reckoning:
    """The plan with every result that there is.

    A batch that was tried again has the result of its last try.

    Raises:
        BucketRefused: the results cannot be listed or read.
    """
    found = sorted(bucket.sizes(keys.results(plan.sync))) if plan.to_copy else []
    with ThreadPoolExecutor(REQUESTS) as pool:
        return Reckoning(plan, [json.loads(body) for body in pool.map(bucket.read, found)])


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(total)
