"""processes: known by pid and start time, ended with all that they started."""

from __future__ import annotations

import os
import signal
import sys
import time

import pytest

from sandbox import processes

SLEEP = "import time; time.sleep(60)"
STUBBORN = f"""
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
{SLEEP}
"""
PARENT = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {SLEEP!r}])
print(child.pid, flush=True)
child.wait()
"""


@pytest.fixture
def run(tmp_path):
    """Starts Python code as a server; what is left at the end of the test is killed."""
    started = []

    def start(code):
        command = [sys.executable, "-c", code]
        started.append(processes.start(command, dict(os.environ), tmp_path / "log", tmp_path))
        return started[-1]

    yield start
    for pid, moment in started:
        processes.stop(pid, moment, patience_seconds=0)


def said(log):
    """The first line of a log, waited for."""
    while not (log.exists() and log.read_text().endswith("\n")):
        time.sleep(0.01)
    return log.read_text().strip()


def gone(pid):
    deadline = time.monotonic() + 5
    while processes.started_at(pid) is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    return processes.started_at(pid) is None


def test_a_started_process_is_its_own_session_and_writes_to_its_log(run, tmp_path):
    pid, moment = run(f"print('here', flush=True); {SLEEP}")

    assert said(tmp_path / "log") == "here"
    assert processes.is_running(pid, moment)
    assert os.getsid(pid) == pid != os.getsid(0)


def test_a_process_with_the_pid_but_another_start_is_another_one():
    assert not processes.is_running(os.getpid(), "12345")


def test_a_process_that_was_killed_does_not_run_even_before_it_is_collected(run):
    pid, moment = run(SLEEP)

    os.kill(pid, signal.SIGKILL)

    assert gone(pid)
    assert not processes.is_running(pid, moment)


def test_stop_takes_along_what_the_process_started(run, tmp_path):
    pid, moment = run(PARENT)
    child = int(said(tmp_path / "log"))

    processes.stop(pid, moment)

    assert not processes.is_running(pid, moment)
    assert gone(child)


def test_stop_takes_along_what_a_killed_process_left_behind(run, tmp_path):
    pid, moment = run(PARENT)
    child = int(said(tmp_path / "log"))
    os.kill(pid, signal.SIGKILL)
    assert gone(pid)

    processes.stop(pid, moment)

    assert gone(child)


def test_a_process_that_does_not_listen_is_killed_in_the_end(run, tmp_path):
    pid, moment = run(STUBBORN)
    assert said(tmp_path / "log") == "deaf"

    processes.stop(pid, moment, patience_seconds=0.1)

    assert not processes.is_running(pid, moment)


def test_stop_leaves_alone_who_got_the_pid_later(run):
    pid, moment = run(SLEEP)

    processes.stop(pid, "another start")

    assert processes.is_running(pid, moment)


def test_without_proc_the_start_is_asked_of_ps(run):
    pid, _ = run(SLEEP)

    told = processes._started_at_by_ps(pid)

    assert str(time.localtime().tm_year) in told
    assert processes._started_at_by_ps(2**22 - 1) is None
