"""Runs the sync worker's tasks for real: each in its image, or as a process of its entry point.

MiniStack's ECS keeps books only. What Fargate does about a task, this does: it starts it, sends
SIGTERM when it is to stop, and enters its end; and for one that ended without an answer it says
what the heartbeat's absence would say on AWS.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from sandbox import container
from sandbox.ecs_tasks import NO_IMAGE, EcsTask

LOOK_SECONDS = 0.2
CODE_DIR = Path(__file__).resolve().parents[1]
ENTRY_POINT = (sys.executable, str(CODE_DIR / "docker" / "sync-worker" / "entrypoint.py"))

log = logging.getLogger("sandbox.task_runner")


class Tasks(Protocol):
    """Where the tasks stand; `sandbox.ecs_tasks.EcsTasks`."""

    def running(self) -> Sequence[EcsTask]:
        """Those that ought to run."""

    def stop(self, task: EcsTask, reason: str) -> None:
        """Enter that it has ended."""

    def give_up(self, task: EcsTask) -> None:
        """Answer for one that ended without an answer."""


class TaskRunner:
    """A process for each task that ought to run; none for any other.

    Args:
        variables: what a process has besides its container's own variables.
        command: what stands in for the image where the task names none.
        folder: where the images are kept that tasks name.
        changed: called after the books were changed, so that they are saved.
    """

    def __init__(
        self,
        tasks: Tasks,
        *,
        variables: Mapping[str, str],
        command: Sequence[str] = ENTRY_POINT,
        folder: Path = CODE_DIR / ".airbrew" / "sandbox" / "containers",
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._tasks, self._changed = tasks, changed
        self._command, self._folder = command, folder
        # The mirror's library as the image has it: beside the entry point, not installed.
        self._variables = {**variables, "PYTHONPATH": str(CODE_DIR / "lambdas")}
        self._processes: dict[str, tuple[EcsTask, subprocess.Popen[bytes]]] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="task-runner", daemon=True)

    def start(self) -> None:
        """Look after the tasks from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Look no further, and end what runs."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        for _, process in self._processes.values():
            process.kill()
            process.wait()
        self._processes.clear()

    def look(self) -> None:
        """Start what ought to run and does not, end what ought not to, enter what has ended."""
        wanted = {task.arn: task for task in self._tasks.running()}
        for arn, (task, process) in list(self._processes.items()):
            code = process.poll()
            if code is not None:
                del self._processes[arn]
                self._enter_end(task, code, is_wanted=wanted.pop(arn, None) is not None)
            elif arn not in wanted:
                process.terminate()
        for arn in wanted.keys() - self._processes.keys():
            self._processes[arn] = (wanted[arn], self._launch(wanted[arn]))

    def _launch(self, task: EcsTask) -> subprocess.Popen[bytes]:
        log.info("starting %s", task.arn)
        # Its lines go where MiniStack's go, and it stays in MiniStack's group: whoever ends
        # that for good ends this, too.
        return subprocess.Popen(
            self._command_of(task),
            env={**self._variables, **task.variables},
            cwd=CODE_DIR,
            stdin=subprocess.DEVNULL,
        )

    def _command_of(self, task: EcsTask) -> Sequence[str]:
        if task.image == NO_IMAGE:
            return self._command
        of_aws = [name for name in self._variables if name.startswith("AWS_")]
        return container.command(task.image, sorted({*of_aws, *task.variables}), self._folder)

    def _enter_end(self, task: EcsTask, code: int, *, is_wanted: bool) -> None:
        log.info("%s ended with %d", task.arn, code)
        if code != 0:  # Where it has answered already, nobody waits for this.
            self._tasks.give_up(task)
        if is_wanted:
            self._tasks.stop(task, f"the container ended with {code}")
        self._changed()

    def _run(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            try:
                self.look()
            except Exception:
                # What one task holds must not end the care for the others; the log has it.
                log.exception("the tasks were not looked after")
