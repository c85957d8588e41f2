"""The sandbox's local AWS, writing down what each principal asked for and what its policies said.

MiniStack 1.5.33 decides in `iam_evaluator.evaluate`, once per call; calls of its own services among
themselves (a state machine's, a schedule's) are not decided there.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ministack.core import iam_evaluator

from sandbox import local_aws
from tests.integration.enforcement import DECISIONS_VARIABLE


def record(file: Path) -> None:
    """Append a line of JSON for each decision: principal, action, resource, decision."""
    decide = iam_evaluator.evaluate

    def decided(ctx: Any, *policies: Any) -> Any:
        found = decide(ctx, *policies)
        told = (ctx.principal_arn, ctx.action, ctx.resource_arn, found.decision)
        with file.open("a") as log:
            log.write(json.dumps(told) + "\n")
        return found

    iam_evaluator.evaluate = decided


if __name__ == "__main__":
    record(Path(os.environ[DECISIONS_VARIABLE]))
    local_aws.main()
