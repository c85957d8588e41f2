"""The bench still runs, and writes every key that it promises."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

KEYS = {
    "mirror.throughput_vs_floor",
    "mirror.small_vs_serial",
    "mirror.vs_skopeo",
    "plan.vs_parse",
    "plan.peak_mib",
    "plan.growth",
    "sync.requests_per_bottle",
    "worker.peak_mib",
    "sync.requests_when_unchanged",
    "handler.cold_import_ms_vs_boto3",
    "build.cold_vs_sam",
    "build.warm_vs_sam",
    "deploy.noop_s",
    "deploy.code_only_vs_apply",
    "rollback.alias_s",
}
ROOT = Path(__file__).parents[2]


def test_the_bench_measures_every_key_in_small(tmp_path):
    output = tmp_path / "bench.json"

    command = [sys.executable, "-m", "tests.bench", "--smoke", "--output", str(output)]
    subprocess.run(command, check=True, cwd=ROOT, timeout=900)

    figures = json.loads(output.read_text())
    figures.pop("machine")
    assert set(figures) == KEYS
    for key, figure in figures.items():
        assert set(figure) == {"value", "goal", "met", "samples", "how"}, key
        assert figure["samples"] or "not installed" in figure["how"], key
