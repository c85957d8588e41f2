"""How long and in how much memory the whole catalogue is planned."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import time

from mirror import batches, catalogue
from mirror.bottles import Bottle
from mirror.selection import select
from mirror.settings import Selection
from tests.bench import catalogue as given
from tests.bench.figures import Figure, peak_mib

MIB = 1024 * 1024


def measure(formulae: int = given.FORMULAE, runs: int = 3) -> list[Figure]:
    """``plan.vs_parse``, ``plan.peak_mib`` and ``plan.growth``."""
    found, source = given.formulae(formulae)
    payloads = given.payloads(found)
    shape = (
        f"{source}: {len(found)} formulae, {given.bottles(found)} bottles, {len(payloads)} files"
    )
    parse, plan = [], []
    for _ in range(runs):
        parse.append(_seconds(lambda: [json.loads(each) for each in payloads.values()]))
        plan.append(_seconds(lambda: _plan(payloads)))
    ratios = [ours / theirs for ours, theirs in zip(plan, parse, strict=True)]
    peak = [_peak_mib(formulae) for _ in range(runs)]
    larger = given.payloads(given.formulae(4 * formulae)[0])
    growth = [_cpu_seconds(larger) / _cpu_seconds(payloads) for _ in range(runs)]
    how = "payloads to batches, nothing mirrored yet"
    return [
        Figure("plan.vs_parse", ratios, "<=", 3, f"{how}, over json.loads of the same; {shape}"),
        Figure("plan.peak_mib", peak, "<=", 400, f"highest resident set of such a plan; {shape}"),
        Figure("plan.growth", growth, "<=", 4.4, f"CPU time for 4 times the catalogue; {shape}"),
    ]


def _plan(payloads: dict[str, str]) -> list[list[Bottle]]:
    catalogues = [catalogue.parse(each, tag, tag) for tag, each in payloads.items()]
    selected = select(catalogues, Selection(tuple(payloads), ("*",), include_dependencies=True))
    inventory: dict[str, int] = {}
    missing = [each for each in selected.bottles if each.blob_key not in inventory]
    return batches.cut(missing, max_bottles=50, max_bytes=2048 * MIB)


def _seconds(work: object) -> float:
    assert callable(work)
    gc.collect()
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _cpu_seconds(payloads: dict[str, str]) -> float:
    """Of a plan; a neighbour's turn on the same core is no growth."""
    gc.collect()
    begun = time.process_time()
    _plan(payloads)
    return time.process_time() - begun


def _peak_mib(formulae: int) -> float:
    """In a process of its own, less what the catalogue's making took before."""
    program = f"from tests.bench import plans; print(plans.peak_of_a_plan({formulae}))"
    answer = subprocess.check_output([sys.executable, "-c", program], text=True)
    return float(answer)


def peak_of_a_plan(formulae: int) -> float:
    """MiB of this process once it has planned; the payloads are read from files, as by Lambda."""
    import tempfile  # noqa: PLC0415 - this process alone needs it
    from pathlib import Path  # noqa: PLC0415 - as above

    with tempfile.TemporaryDirectory() as folder:
        program = (
            "import pathlib, sys; from tests.bench import catalogue as given\n"
            f"for tag, text in given.payloads(given.formulae({formulae})[0]).items():\n"
            "    pathlib.Path(sys.argv[1], tag).write_text(text)"
        )
        subprocess.run([sys.executable, "-c", program, folder], check=True)
        catalogues = [
            catalogue.parse(path.read_text(), path.name, path.name)
            for path in sorted(Path(folder).iterdir())
        ]
    tags = tuple(each.platform for each in catalogues)
    selected = select(catalogues, Selection(tags, ("*",), include_dependencies=True))
    batches.cut(selected.bottles, max_bottles=50, max_bytes=2048 * MIB)
    return peak_mib()
