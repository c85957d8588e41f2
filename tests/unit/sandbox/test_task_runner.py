"""task_runner: what Fargate does about a task, done by processes of this machine."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from sandbox.ecs_tasks import EcsTask
from sandbox.task_runner import CODE_DIR, ENTRY_POINT, TaskRunner

WAITS = (
    "import pathlib, os, time; pathlib.Path(os.environ['MARK']).write_text('on'); time.sleep(60)"
)


class Books:
    """MiniStack's books, of one account."""

    def __init__(self):
        self.wanted, self.stopped, self.given_up = [], [], []

    def running(self):
        return list(self.wanted)

    def stop(self, task, reason):
        self.wanted.remove(task)
        self.stopped.append((task.arn, reason))

    def give_up(self, task):
        self.given_up.append(task.arn)


@pytest.fixture
def books():
    return Books()


@pytest.fixture
def task(tmp_path):
    return EcsTask("one", "1" * 12, "us-east-1", "cluster", {"MARK": str(tmp_path / "mark")})


@pytest.fixture
def runner(books):
    """Makes a runner of a script; what still runs in the end is ended."""
    made = []

    def make(script, **variables):
        made.append(TaskRunner(books, variables=variables, command=[sys.executable, "-c", script]))
        return made[-1]

    yield make
    for each in made:
        each.stop()


def look_until(runner, condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        runner.look()
        time.sleep(0.02)


def test_a_task_that_ends_well_is_entered_as_ended(runner, books, task):
    books.wanted.append(task)

    look_until(runner("pass"), lambda: books.stopped)

    assert books.stopped == [("one", "the container ended with 0")]
    assert books.given_up == []


def test_a_task_has_its_own_variables_and_the_mirror_on_its_path(runner, books, task):
    books.wanted.append(task)
    script = (
        "import os, mirror, pathlib;"
        "pathlib.Path(os.environ['MARK']).write_text(os.environ['MORE'] + ' ' + mirror.__file__)"
    )

    look_until(runner(script, MORE="more"), lambda: books.stopped)

    assert Path(task.variables["MARK"]).read_text() == (
        f"more {CODE_DIR / 'lambdas' / 'mirror' / '__init__.py'}"
    )


def test_a_task_is_started_once(runner, books, task):
    books.wanted.append(task)
    script = "import os; os.close(os.open(os.environ['MARK'], os.O_CREAT | os.O_EXCL))"
    looking = runner(f"{script}; import time; time.sleep(0.5)")

    look_until(looking, lambda: books.stopped)

    assert books.stopped == [("one", "the container ended with 0")]


def test_a_task_that_is_to_stop_is_told_by_sigterm(runner, books, task):
    books.wanted.append(task)
    looking = runner(WAITS)
    look_until(looking, Path(task.variables["MARK"]).exists)

    books.wanted.clear()
    look_until(looking, lambda: books.given_up)

    assert books.stopped == []


def test_a_task_that_dies_without_a_word_is_answered_for(runner, books, task):
    books.wanted.append(task)

    look_until(runner("import os; os.kill(os.getpid(), 9)"), lambda: books.stopped)

    assert books.given_up == ["one"]
    assert books.stopped == [("one", "the container ended with -9")]


def test_with_the_server_the_tasks_end(runner, books, task):
    books.wanted.append(task)
    looking = runner(WAITS)
    looking.start()
    deadline = time.monotonic() + 30
    while not Path(task.variables["MARK"]).exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)

    looking.stop()

    assert looking._processes == {}


def test_books_that_cannot_be_read_once_do_not_end_the_care(books, task, tmp_path, caplog):
    books.wanted.append(task)
    broken = [RuntimeError("dictionary changed size during iteration")]
    running = books.running
    books.running = lambda: running() if not broken else (_ for _ in ()).throw(broken.pop())
    looking = TaskRunner(books, variables={}, command=[sys.executable, "-c", "pass"])

    looking.start()
    deadline = time.monotonic() + 30
    while not books.stopped:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    looking.stop()

    assert "the tasks were not looked after" in caplog.text


def test_the_entry_point_is_the_image_s():
    dockerfile = (CODE_DIR / "docker" / "sync-worker" / "Dockerfile").read_text()

    assert Path(ENTRY_POINT[1]).is_file()
    assert "COPY docker/sync-worker/entrypoint.py /app/entrypoint.py" in dockerfile
    assert 'ENTRYPOINT ["python3", "/app/entrypoint.py"]' in dockerfile
