"""What a task says to the state machine that waits for it, by the token it was given."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from mirror.errors import NobodyWaits

if TYPE_CHECKING:
    from types_boto3_stepfunctions.client import SFNClient

# Source: AWS Step Functions, API reference, SendTaskFailure: 256 and 32,768 characters.
ERROR_CHARACTERS, CAUSE_CHARACTERS = 256, 32_768
_GONE = {"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"}


class Answers:
    """Success, failure and heartbeats of one task; a client is shared by threads."""

    def __init__(self, client: SFNClient, token: str) -> None:
        self._client, self._token = client, token

    @classmethod
    def connect(cls, token: str) -> Self:
        """With patience: an answer that gets lost costs a whole heartbeat's waiting."""
        config = Config(retries={"mode": "standard", "total_max_attempts": 8})
        return cls(boto3.client("stepfunctions", config=config), token)

    def beat(self) -> None:
        """Say that the task is at work.

        Raises:
            NobodyWaits: the execution has ended, or has given this task up.
        """
        with self._answering():
            self._client.send_task_heartbeat(taskToken=self._token)

    def succeed(self, output: Mapping[str, Any]) -> None:
        """End the state with this output; see `beat`."""
        with self._answering():
            self._client.send_task_success(taskToken=self._token, output=json.dumps(dict(output)))

    def fail(self, error: Exception) -> None:
        """End the state with the exception's class name, and a cause of the form of a Lambda's.

        That nobody waits any more is no further failure.
        """
        name = type(error).__name__
        # Room for the quotes and escapes that JSON adds.
        message = str(error)[: CAUSE_CHARACTERS // 2]
        cause = json.dumps({"errorType": name, "errorMessage": message}, ensure_ascii=False)
        try:
            with self._answering():
                self._client.send_task_failure(
                    taskToken=self._token,
                    error=name[:ERROR_CHARACTERS],
                    cause=cause[:CAUSE_CHARACTERS],
                )
        except NobodyWaits:
            return

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            if error.response["Error"]["Code"] not in _GONE:
                raise
            raise NobodyWaits(
                f"nobody waits for this task: {error}",
                where="AIRBREW_TASK_TOKEN",
                remedy="nothing to do: the execution has ended or runs another task",
            ) from error
