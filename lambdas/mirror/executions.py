"""Whether an execution of the state machine is still running."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from mirror import telemetry

if TYPE_CHECKING:
    from types_boto3_stepfunctions.client import SFNClient


def is_running(states: SFNClient, execution: str) -> bool:
    """Ask Step Functions; when it cannot tell, the execution counts as running.

    A lease that is wrongly taken over does harm, one that is wrongly kept expires. What holds
    it without being an execution (`lease.held`) gives it back, or lets it expire.
    """
    if not execution.startswith("arn:"):
        return True
    try:
        return states.describe_execution(executionArn=execution)["status"] == "RUNNING"
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code == "ExecutionDoesNotExist":
            return False
        telemetry.tell("execution_unknown", level="WARN", execution=execution, problem=str(error))
        return True
