"""A figure of the bench: what was measured, against what is promised."""

from __future__ import annotations

from dataclasses import dataclass
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
