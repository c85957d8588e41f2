"""What a cold start of the worker pays for our own modules."""

from __future__ import annotations

import subprocess
import sys

from tests.bench.figures import Figure

_PROGRAM = """
import time
begun = time.perf_counter()
import boto3
import botocore.session
boto3_done = time.perf_counter()
import sync_worker.handler
print((time.perf_counter() - boto3_done) / (boto3_done - begun))
"""


def measure(runs: int = 7) -> list[Figure]:
    """``handler.cold_import_ms_vs_boto3``."""
    ratios = [
        float(subprocess.check_output([sys.executable, "-c", _PROGRAM], text=True))
        for _ in range(runs)
    ]
    how = "import of sync_worker.handler after boto3, over import of boto3, in fresh processes"
    return [Figure("handler.cold_import_ms_vs_boto3", ratios, "<=", 0.6, how)]
