"""What the mirror says of its own failure, taken apart: problem, place, next step."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

# How every error of the mirror reads; docs/reference/state-machine.md.
_SHAPE = re.compile(
    r"(?P<problem>.*?)\n {2}where: (?P<where>.*?)\n {2}next: {1,2}(?P<remedy>.*)", re.S
)


@dataclass(frozen=True)
class MirrorWords:
    """A failure in the mirror's own words; `where` and `remedy` are empty where it gave none."""

    problem: str
    where: str = ""
    remedy: str = ""


def parse(cause: str) -> MirrorWords:
    """Read the cause of a failed execution, or the payload of a failed function.

    A Lambda's failure is JSON with `errorMessage`; text of any other shape is kept whole.
    """
    try:
        parsed = json.loads(cause)
    except ValueError:
        parsed = None
    if isinstance(parsed, dict) and "errorMessage" in parsed:
        cause = str(parsed["errorMessage"])
    shape = _SHAPE.fullmatch(cause)
    return MirrorWords(**shape.groupdict()) if shape else MirrorWords(cause)
