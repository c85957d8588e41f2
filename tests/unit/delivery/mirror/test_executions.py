"""executions: a sync is followed state by state, and its failure is told in its own words."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import boto3
import pytest
from botocore.stub import Stubber

from delivery.cloud import Cloud
from delivery.errors import SyncFailed
from delivery.mirror import executions

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:airbrew-dev-sync"
ARN = "arn:aws:states:us-east-1:123456789012:execution:airbrew-dev-sync:one"
STARTED = datetime(2026, 11, 24, 3, tzinfo=UTC)


class OneClient(Cloud):
    """A cloud whose only client is the stubbed one."""

    def client(self, service):
        assert service == "stepfunctions"
        return self.variables["client"]


@pytest.fixture
def states():
    """Step Functions, answering what the test lines up; botocore checks every shape."""
    client = boto3.client("stepfunctions", region_name="us-east-1")
    with Stubber(client) as stubber:
        stubber.cloud = OneClient("AWS", "123456789012", "us-east-1", {"client": client})
        yield stubber
        stubber.assert_no_pending_responses()


def described(status, **more):
    return {
        "executionArn": ARN,
        "stateMachineArn": MACHINE,
        "status": status,
        "startDate": STARTED,
        **more,
    }


def entered(state):
    return {
        "events": [
            {
                "timestamp": STARTED,
                "type": "TaskStateEntered",
                "id": 2,
                "stateEnteredEventDetails": {"name": state},
            }
        ]
    }


def follow(states):
    told = []
    execution = executions.follow(states.cloud, ARN, told.append, sleep=lambda _: None)
    return execution, told


def test_a_sync_is_followed_from_state_to_state(states):
    for state in ("Plan", "Plan", "Publish"):
        states.add_response("describe_execution", described("RUNNING"))
        states.add_response("get_execution_history", entered(state))
        states.add_response("list_map_runs", {"mapRuns": []})
    states.add_response("describe_execution", described("SUCCEEDED", output='{"bottles": 3}'))

    execution, told = follow(states)

    assert told == ["Plan", "Publish"]
    assert execution.output == {"bottles": 3}


def test_the_batches_done_are_counted(states):
    counts = dict.fromkeys(
        ("pending", "running", "failed", "timedOut", "aborted", "resultsWritten"), 0
    )
    run_arn = f"{ARN}:run"
    states.add_response("describe_execution", described("RUNNING"))
    states.add_response("get_execution_history", entered("Copy"))
    map_run = {
        "executionArn": ARN,
        "mapRunArn": run_arn,
        "stateMachineArn": MACHINE,
        "startDate": STARTED,
    }
    states.add_response("list_map_runs", {"mapRuns": [map_run]})
    described_run = {
        "mapRunArn": run_arn,
        "executionArn": ARN,
        "status": "RUNNING",
        "startDate": STARTED,
        "maxConcurrency": 4,
        "toleratedFailurePercentage": 0.0,
        "toleratedFailureCount": 0,
        "itemCounts": {**counts, "succeeded": 2, "total": 5},
        "executionCounts": {**counts, "succeeded": 2, "total": 5},
    }
    states.add_response("describe_map_run", described_run)
    states.add_response("describe_execution", described("SUCCEEDED", output="{}"))

    _, told = follow(states)

    assert told == ["Copy (2 of 5 batches)"]


@pytest.mark.parametrize(
    ("cause", "shown"),
    [
        (json.dumps({"errorMessage": "jq 1.8: digest differs"}), "jq 1.8: digest differs"),
        ("plain words", "plain words"),
        ('"a string"', '"a string"'),
    ],
)
def test_a_failed_sync_says_why_and_what_to_do(states, cause, shown):
    failed = described("FAILED", error="IncompleteSync", cause=cause)
    states.add_response("describe_execution", failed)

    with pytest.raises(SyncFailed) as failure:
        follow(states)

    assert f"ended FAILED: IncompleteSync: {shown}" in failure.value.problem
    assert "inv mirror.sync" in failure.value.remedy


def test_the_mirror_s_own_place_and_remedy_are_passed_on(states):
    told = "3 bottles are missing: jq\n  where: s3://mirror/syncs/1/plan\n  next:  sync again"
    cause = json.dumps({"errorMessage": told, "errorType": "IncompleteSync"})
    states.add_response("describe_execution", described("FAILED", error="E", cause=cause))

    with pytest.raises(SyncFailed) as failure:
        follow(states)

    assert failure.value.problem == "the sync ended FAILED: E: 3 bottles are missing: jq"
    assert failure.value.where == f"s3://mirror/syncs/1/plan ({ARN})"
    assert failure.value.remedy == "sync again"


def test_a_sync_that_never_ends_is_left_to_itself(states, monkeypatch):
    monkeypatch.setattr(executions, "FOLLOW_SECONDS", -1)
    states.add_response("describe_execution", described("RUNNING"))

    with pytest.raises(SyncFailed, match="goes on by itself"):
        follow(states)


def test_the_newest_execution_is_summed_up(states):
    listed = {
        "executionArn": ARN,
        "stateMachineArn": MACHINE,
        "name": "one",
        "status": "SUCCEEDED",
        "startDate": STARTED,
    }
    states.add_response("list_executions", {"executions": [listed]})

    summary = executions.latest(states.cloud, MACHINE)

    assert (summary.name, summary.status, summary.started) == ("one", "SUCCEEDED", STARTED)


def test_a_machine_that_never_ran_has_no_newest(states):
    states.add_response("list_executions", {"executions": []})

    assert executions.latest(states.cloud, MACHINE) is None
