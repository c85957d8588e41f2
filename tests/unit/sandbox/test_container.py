"""container: one container to its end, with a buildah that notes what it was told."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sandbox import container
from sandbox.ecs_tasks import EcsTask
from sandbox.task_runner import TaskRunner

IMAGE = f"127.0.0.1:5000/name@sha256:{64 * 'a'}"
# Says what it was asked; its `run` waits for SIGTERM if it is to, and ends as it is told to.
BUILDAH = """\
#!{python}
import os, signal, sys, time
words = sys.argv[1:]
with open(os.environ["NOTES"], "a") as notes:
    print(*words, file=notes)
if "images" in words and os.environ["WORKS"] not in words:
    sys.exit(125)
if "from" in words:
    print("one-container")
if "run" in words:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
    open(os.environ["NOTES"] + ".running", "w").close()
    time.sleep(float(os.environ["WAITS"]))
"""


@pytest.fixture
def notes(tmp_path):
    return tmp_path / "notes"


@pytest.fixture
def start(tmp_path, notes):
    """Starts a container's process; the variables say how its buildah behaves."""
    program = tmp_path / "bin" / "buildah"
    program.parent.mkdir()
    program.write_text(BUILDAH.format(python=sys.executable))
    program.chmod(0o755)

    def start(works="overlay", waits="0"):
        path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
        given = {"NOTES": str(notes), "WORKS": works, "WAITS": waits, "ONE": "1", "TWO": "2"}
        return subprocess.Popen(
            container.command(IMAGE, ["ONE"], tmp_path / "kept"),
            env={**os.environ, **given, "PATH": path},
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def told(notes):
    return notes.read_text().splitlines()


def test_the_image_is_pulled_by_digest_and_its_container_is_removed(start, notes):
    with start() as process:
        assert process.wait(30) == 0

    words = [line.split(" ", 6)[-1] for line in told(notes)]
    assert words[1:] == [
        f"from --quiet --pull --tls-verify=false docker://{IMAGE}",
        "run --isolation=chroot --env=ONE=1 one-container -- python3 /app/entrypoint.py",
        "rm one-container",
    ]


def test_where_overlay_does_not_work_it_copies(start, notes):
    with start(works="vfs") as process:
        assert process.wait(30) == 0

    assert told(notes)[-1].startswith("--storage-driver vfs")


def test_without_a_buildah_that_works_it_says_what_to_install(start):
    with start(works="none") as process:
        _, complaint = process.communicate(timeout=30)

    assert process.returncode == 1
    assert "apt-get install buildah" in complaint


def test_sigterm_reaches_the_container_and_its_end_is_told(start, notes):
    with start(waits="60") as process:
        deadline = time.monotonic() + 30
        while not notes.with_name("notes.running").exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)

        process.terminate()

        assert process.wait(30) == 7
    assert told(notes)[-1].endswith("rm one-container")


class Books:
    """One task that names an image."""

    def __init__(self, task):
        self.task = task

    def running(self):
        return [self.task]


def test_a_task_that_names_an_image_runs_in_it_with_its_variables_and_aws(tmp_path, monkeypatch):
    task = EcsTask("one", "1" * 12, "us-east-1", "cluster", {"AIRBREW_BUCKET": "b"}, image=IMAGE)
    started = []
    monkeypatch.setattr(
        "sandbox.task_runner.subprocess.Popen", lambda command, **_: started.append(command)
    )
    variables = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "HOME": "h"}

    TaskRunner(Books(task), variables=variables, folder=tmp_path).look()

    (command,) = started
    assert command == container.command(IMAGE, ["AIRBREW_BUCKET", "AWS_ENDPOINT_URL"], tmp_path)
    assert command[1:3] == ["-m", "sandbox.container"]
    assert Path(command[0]) == Path(sys.executable)
