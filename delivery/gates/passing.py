"""Passing through the gates: which hold, which do not, which could not look."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from delivery.errors import DeliveryError, NothingAudited
from delivery.gates.findings import Finding, as_sarif
from delivery.gates.gate import Gate, Scene

# Most gates are one process on one core.
AT_A_TIME = 2


@dataclass(frozen=True)
class Passage:
    """How one gate ended.

    `outcome` is ``passed``, ``found``, ``broken`` (it could not look) or ``not audited`` (the
    service that knows was not reached); `told` says why it is one of the last two.
    """

    gate: str
    outcome: str
    findings: tuple[Finding, ...]
    told: str
    seconds: float


def through(
    gates: Iterable[Gate], scene: Scene, report: Callable[[Passage], None]
) -> list[Passage]:
    """Pass through all of them, whatever each says; `report` hears of each as it ends."""

    def passed(gate: Gate) -> Passage:
        passage = through_one(gate, scene)
        report(passage)
        return passage

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return list(pool.map(passed, gates))


def through_one(gate: Gate, scene: Scene) -> Passage:
    """Pass through one gate; what it finds is sorted and told once."""
    since = time.monotonic()
    findings: tuple[Finding, ...] = ()
    try:
        findings = tuple(sorted({_placed(each, scene.root) for each in gate.look(scene)}))
        outcome, told = ("found" if findings else "passed"), ""
    except NothingAudited as error:
        outcome, told = "not audited", error.problem
    except DeliveryError as error:
        outcome, told = "broken", str(error)
    return Passage(gate.name, outcome, findings, told, round(time.monotonic() - since, 1))


def _placed(finding: Finding, root: Path) -> Finding:
    """With its path relative to the checkout, as GitHub wants it."""
    path = Path(finding.path)
    if not path.is_relative_to(root):
        return finding
    return replace(finding, path=path.relative_to(root).as_posix())


def holds(passages: Iterable[Passage], *, audit_is_required: bool) -> bool:
    """Whether the change may go on; an audit that did not happen is no pass where one is due."""
    fine = {"passed"} if audit_is_required else {"passed", "not audited"}
    return all(passage.outcome in fine for passage in passages)


def write_sarif(passages: Iterable[Passage], folder: Path) -> list[Path]:
    """One SARIF file per gate that looked: ``<folder>/<gate>.sarif``."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for passage in passages:
        if passage.outcome in {"passed", "found"}:
            file = folder / f"{passage.gate.replace(' ', '-')}.sarif"
            log = as_sarif(passage.gate, passage.findings)
            file.write_text(json.dumps(log, indent=2), encoding="utf-8")
            written.append(file)
    return written
