"""The part of docs/reference/probe.md that lists every defect, written from defects.yaml."""

from __future__ import annotations

from collections.abc import Iterator

from delivery.probe.defects import Defect, defects


def sections() -> str:
    """One section a defect, in the order in which a client would meet them."""
    return "\n".join(line for defect in defects().values() for line in _section(defect))


def _section(defect: Defect) -> Iterator[str]:
    yield f"\n### {defect.id}\n"
    yield f"`{defect.level}`: {defect.what}.\n"
    yield f"- Why it matters: {defect.why}."
    yield f"- What to do: {defect.remedy}."
