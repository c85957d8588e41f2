"""The figures: ``python -m tests.bench [--smoke] [KEY …]`` writes build/bench.json."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path

from tests.bench import builds, deploys, imports, plans, syncs, transfers
from tests.bench.figures import Figure

OUTPUT = Path("build/bench.json")
KIB = 1024

FULL: dict[str, Callable[[], list[Figure]]] = {
    "mirror.throughput_vs_floor": lambda: [transfers.throughput()],
    "mirror.small_vs_serial": lambda: [transfers.small()],
    "mirror.vs_skopeo": lambda: [transfers.skopeo()],
    "plan": plans.measure,
    "sync.requests_per_bottle": lambda: [syncs.new_bottles()],
    "worker.peak_mib": lambda: [transfers.peak()],
    "sync.requests_when_unchanged": lambda: [syncs.unchanged()],
    "handler.cold_import_ms_vs_boto3": imports.measure,
    "build": builds.measure,
    "deploy": deploys.measure,
}
# Tiny sizes, to see that it still runs; the figures mean nothing.
SMOKE: dict[str, Callable[[], list[Figure]]] = {
    "mirror.throughput_vs_floor": lambda: [transfers.throughput(3, 1, 100 * KIB)],
    "mirror.small_vs_serial": lambda: [transfers.small(10, 3, 1)],
    "mirror.vs_skopeo": lambda: [transfers.skopeo(1, 1, 10 * KIB)],
    "plan": lambda: plans.measure(50, 1),
    "sync.requests_per_bottle": lambda: [syncs.new_bottles(10, 1)],
    "worker.peak_mib": lambda: [transfers.peak(20 * KIB * KIB, 1)],
    "sync.requests_when_unchanged": lambda: [syncs.unchanged(10, 1)],
    "handler.cold_import_ms_vs_boto3": lambda: imports.measure(1),
    "build": lambda: builds.measure(1, install=False),
    "deploy": lambda: deploys.measure(1),
}


def main(arguments: list[str]) -> None:
    """Measure all keys, or those asked for, and say how each stands against its goal."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("keys", nargs="*", choices=[*FULL, []], metavar="KEY")
    parser.add_argument("--smoke", action="store_true", help="tiny sizes, one run")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    asked = parser.parse_args(arguments)
    measures = SMOKE if asked.smoke else FULL
    figures: list[Figure] = []
    for key in asked.keys or measures:
        for figure in measures[key]():
            figures.append(figure)
            sys.stdout.write(f"{_line(figure)}\n")
            sys.stdout.flush()
    asked.output.parent.mkdir(parents=True, exist_ok=True)
    asked.output.write_text(json.dumps(_document(figures), indent=2) + "\n")


def _document(figures: list[Figure]) -> dict[str, object]:
    load, *_ = os.getloadavg()
    machine = {"cores": os.cpu_count(), "load": round(load, 1), "python": platform.python_version()}
    return {"machine": machine, **{figure.key: figure.as_json() for figure in figures}}


def _line(figure: Figure) -> str:
    if figure.value is None:
        return f"{figure.key:<34} not measured: {figure.how}"
    verdict = "met" if figure.is_met else "NOT MET"
    return f"{figure.key:<34} {figure.value:10.3f}  {figure.direction} {figure.goal:<5g} {verdict}"


if __name__ == "__main__":
    main(sys.argv[1:])
