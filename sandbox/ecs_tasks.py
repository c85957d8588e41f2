"""The tasks in MiniStack's ECS, which keeps books and runs none; read in its own process.

Source: MiniStack 1.5.33, `services/ecs.py` (`_run_task`, `_stop_task`), `services/stepfunctions.py`
(`_invoke_with_callback`: HeartbeatSeconds is not kept) and `core/lambda_runtime.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ministack.core import lambda_runtime
from ministack.core.responses import request_scope
from ministack.services import ecs, stepfunctions

TOKEN = "AIRBREW_TASK_TOKEN"  # noqa: S105 - the name of a variable
NO_IMAGE = "none"


@dataclass(frozen=True)
class EcsTask:
    """A task that ought to run, and the environment its container would have.

    `image` is ``registry/name@sha256:…``, or ``none``: the checkout's own entry point.
    """

    arn: str
    account: str
    region: str
    cluster_arn: str
    variables: Mapping[str, str]
    image: str = NO_IMAGE


class EcsTasks:
    """What MiniStack believes to run, and how to tell it otherwise."""

    def running(self) -> list[EcsTask]:
        """The tasks of every account and region that were started with a token to answer by."""
        found = [
            self._task(account, region, task)
            for (account, region, _), task in ecs._tasks.all_items()
            if task["lastStatus"] == task["desiredStatus"] == "RUNNING"
        ]
        return [task for task in found if TOKEN in task.variables]

    def stop(self, task: EcsTask, reason: str) -> None:
        """Enter that the task has ended."""
        with request_scope(task.account, task.region):
            ecs._stop_task({"cluster": task.cluster_arn, "task": task.arn, "reason": reason})

    def give_up(self, task: EcsTask) -> None:
        """Say to the state machine what it would find out by a heartbeat that stays away."""
        told = {"error": "States.HeartbeatTimeout", "cause": f"{task.arn} ended without an answer"}
        with request_scope(task.account, task.region):
            stepfunctions._send_task_failure({"taskToken": task.variables[TOKEN], **told})

    def _task(self, account: str, region: str, task: Mapping[str, Any]) -> EcsTask:
        with request_scope(account, region):
            definition = ecs._task_defs[ecs._resolve_td_key(task["taskDefinitionArn"])]
        (container,) = definition["containerDefinitions"]
        name = definition["family"]
        overridden = [
            variable
            for each in task["overrides"].get("containerOverrides", [])
            for variable in each.get("environment", [])
        ]
        # The key of the account; with AUTH switched on, a session of the task's role.
        credentials = lambda_runtime.execution_credentials(
            {
                "FunctionArn": f"arn:aws:lambda:{region}:{account}:function:{name}",
                "FunctionName": name,
                "Role": definition["taskRoleArn"],
            }
        )
        variables = _as_mapping([*container.get("environment", []), *overridden]) | credentials
        regions = {"AWS_REGION": region, "AWS_DEFAULT_REGION": region}
        return EcsTask(
            *(task["taskArn"], account, region, task["clusterArn"], variables | regions),
            image=container["image"],
        )


def _as_mapping(variables: Iterable[Mapping[str, str]]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in variables}
