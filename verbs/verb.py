"""The decorator of every task: a deliberate failure becomes one clear message and an exit code."""

from __future__ import annotations

from functools import partial
from typing import Any

from invoke.exceptions import Exit
from invoke.tasks import Task, task

from delivery.errors import DeliveryError
from sandbox.errors import SandboxError


class Verb(Task[Any]):
    """A task that ends with the error's own text and exit code instead of a traceback."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task; known failures leave as `Exit`, anything else is a bug and shows itself."""
        try:
            return super().__call__(*args, **kwargs)
        except (DeliveryError, SandboxError) as error:
            raise Exit(f"error: {error}", code=error.exit_code) from error


verb = partial(task, klass=Verb)
