"""What a verification was asked for and found: ``reports/verify/<run>.json``, as a value."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from mirror import keys
from mirror.bucket import Bucket

EXAMPLES = 10


@dataclass(frozen=True)
class Request:
    """What to look at.

    Args:
        snapshot: its id; empty: the newest.
        deep: hash the bottles too, instead of only listing them.
        sample: hash this many, drawn by `seed`; None: all.
        repair: fetch what is damaged or gone from upstream again.
    """

    snapshot: str = ""
    deep: bool = False
    sample: int | None = None
    seed: int = 0
    repair: bool = False


@dataclass(frozen=True)
class Damage:
    """A bottle, cask or manifest that is not as it should be, and what became of it."""

    bottle: str
    key: str
    problem: str
    repaired: bool = False

    def __str__(self) -> str:
        return f"{self.bottle}: {self.problem}{'; repaired' if self.repaired else ''}"


@dataclass(frozen=True)
class Report:
    """Written after each call, read by the next one of the run.

    Args:
        of: how many blobs are to be hashed; `done` of them are, in the order of their keys.
        mended: how many of the damaged manifests were asked for again, whatever came of it.
    """

    run: str
    request: Request
    of: int = 0
    done: int = 0
    bytes: int = 0
    listed: int = 0
    damaged: tuple[Damage, ...] = field(default=())
    finished: bool = False
    mended: int = 0

    @classmethod
    def read(cls, bucket: Bucket, run: str) -> Report | None:
        """The report of a run that has begun; None if it has not."""
        body = bucket.find(keys.verification_report(run))
        if body is None:
            return None
        told = json.loads(body)
        damaged = tuple(Damage(**each) for each in told["damaged"])
        return cls(**told | {"request": Request(**told["request"]), "damaged": damaged})

    def write(self, bucket: Bucket) -> None:
        """Keep it for the next call, and for people."""
        bucket.write_json(keys.verification_report(self.run), asdict(self))

    @property
    def to_mend(self) -> Sequence[Damage]:
        """The damaged manifests that were not asked for again yet, if a repair is wanted."""
        if not self.request.repair:
            return ()
        return [each for each in self.damaged if keys.is_manifest(each.key)][self.mended :]

    def as_answer(self) -> dict[str, Any]:
        """As docs/reference/state-machine.md has it; what stays damaged is named first."""
        told = sorted(self.damaged, key=lambda each: each.repaired)
        return {
            "run": self.run,
            "report": keys.verification_report(self.run),
            "snapshot": self.request.snapshot,
            "listed": self.listed,
            "hashed": self.done,
            "of": self.of,
            "bytes": self.bytes,
            "damaged": len(self.damaged),
            "repaired": sum(each.repaired for each in self.damaged),
            "to_mend": len(self.to_mend),
            "examples": [str(each) for each in told[:EXAMPLES]],
            "finished": self.finished,
        }
