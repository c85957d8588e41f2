"""lock: one deploy of an environment at a time, and nothing to unlock after a kill."""

from __future__ import annotations

import subprocess
import sys

import pytest

from delivery.deploy import lock
from delivery.errors import DeployUnderWay

HOLD = """
import sys, time
from pathlib import Path
from delivery.deploy import lock
with lock.held(Path(sys.argv[1]), "dev"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that is deploying dev."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_deploy_is_told_who_holds_the_lock(tmp_path, holder):
    told = pytest.raises(DeployUnderWay, match=f"process {holder.pid}, since 20")

    with told, lock.held(tmp_path, "dev"):
        pass


def test_another_environment_is_free(tmp_path, holder):
    with lock.held(tmp_path, "staging"):
        pass


def test_a_killed_holder_leaves_nothing_to_unlock(tmp_path, holder):
    holder.kill()
    holder.wait()

    with lock.held(tmp_path, "dev"):
        pass
