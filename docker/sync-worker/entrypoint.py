"""Entry point of the image: one whole sync's batches, then the answer to the state machine.

In:   AIRBREW_BATCHES_KEY=syncs/2026-11-22T030000Z/plan/batches.json, AIRBREW_TASK_TOKEN=…
      from the state `CopyWithTask`; AIRBREW_BUCKET and AIRBREW_SETTINGS_KEY as in the Lambdas.
Out:  SendTaskSuccess with {"batches": 40, "copied": 1871, "bytes": 98230113442, "failed": 0}, or
      SendTaskFailure with an error's class name; `Interrupted` after SIGTERM.
"""

from __future__ import annotations

import os
import signal
import sys

from mirror import task
from mirror.answers import Answers
from mirror.connections import Connections
from mirror.interruption import Interruption
from mirror.settings import TaskOrder


def main() -> int:
    """Carry the sync; the exit code says whether all of it was carried."""
    interruption = Interruption()
    for told in (signal.SIGTERM, signal.SIGINT):
        signal.signal(told, lambda *_: interruption.happen())
    order = TaskOrder.read(os.environ)
    return task.run(
        order, Answers.connect(order.token), lambda: Connections.connect(os.environ), interruption
    )


if __name__ == "__main__":
    sys.exit(main())
