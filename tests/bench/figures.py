"""A figure of the bench: what was measured, against what is promised."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One key of ``build/bench.json``.

    Args:
        samples: one value per run; empty when it could not be measured, which `how` explains.
        direction: ``>=`` or ``<=``.
    """

    key: str
    samples: list[float]
    direction: str
    goal: float
    how: str

    @property
    def value(self) -> float | None:
        """The median of the runs."""
        return median(self.samples) if self.samples else None

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is reached; None when it was not measured."""
        if self.value is None:
            return None
        return self.value >= self.goal if self.direction == ">=" else self.value <= self.goal

    def as_json(self) -> dict[str, Any]:
        """``{"value", "goal", "met", "samples", "how"}``."""
        return {
            "value": self.value,
            "goal": f"{self.direction} {self.goal:g}",
            "met": self.is_met,
            "samples": [round(each, 4) for each in self.samples],
            "how": self.how,
        }


def peak_mib() -> float:
    """The highest resident set of this process; getrusage tells its parent's as well.

    Source: Linux, proc_pid_status(5), VmHWM, in KiB.
    """
    status = Path("/proc/self/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024
