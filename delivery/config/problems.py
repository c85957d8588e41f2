"""What can be wrong with a configuration: one value per finding, all of them told at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from delivery.errors import BadConfiguration


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong, where, and what to write instead.

    `line` counts from 1; `path` is dotted, as in ``environments.dev.workflow.max_concurrency``.
    """

    line: int
    path: str
    problem: str
    remedy: str

    def told(self, file: str) -> str:
        """``config/airbrew.yaml:12  environments.dev.region: … / write: …`` on two lines."""
        where = f"{file}:{self.line}  {self.path}: " if self.path else f"{file}:{self.line}  "
        return f"{where}{self.problem}\n    write: {self.remedy}"


def refuse(file: str, problems: Sequence[Problem]) -> BadConfiguration:
    """The error that tells all of them, in the order of their lines, each once."""
    ordered = sorted(set(problems))
    return BadConfiguration([problem.told(file) for problem in ordered], where=file)
