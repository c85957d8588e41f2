"""The table of all environments: each as it stands, and one that is out of reach hides no other."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from threading import Barrier, Event

import pytest

from delivery import overview
from delivery.config import effective, loading
from delivery.deploy import lease
from delivery.errors import WrongAccount
from delivery.progress import Steps
from delivery.releases import history, last_drift, under_way
from delivery.releases.history import Record
from tests.doubles.stand import DoubleCloud

CONFIGURATION = """
project: {name: acme}
environments:
  dev: {type: development}
  staging: {type: staging}
  prod: {type: production}
"""
STATE = "acme-dev-state-123456789012"
OUTPUTS = {"mirror_bucket": "mirror", "state_machine_arn": "arn:aws:states:x:1:stateMachine:s"}


@pytest.fixture
def environments(tmp_path):
    file = tmp_path / "airbrew.yaml"
    file.write_text(CONFIGURATION)
    return list(effective.validated(loading.load(file)).values())


@pytest.fixture
def cloud(s3, mirror):
    """An account with a mirror, whose syncs ended as `executions` says."""
    s3.create_bucket(Bucket=STATE)
    cloud = DoubleCloud("AWS", "123456789012", "us-east-1", {})
    cloud.states.executions = []
    cloud.states.list_executions = lambda **_: {"executions": cloud.states.executions}
    return cloud


def deployed(cloud, number=1, outcome="succeeded", **more):
    at = (datetime.now(UTC) - timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    given = {"outputs": OUTPUTS, "release": {"id": f"{number}" * 64, "commit": "c" * 40}} | more
    history.append(cloud, STATE, Record(number, "dev", outcome, "f" * 64, at, **given))


def columns(environments, cloud, **unreachable):
    def reach(environment):
        if environment.name in unreachable:
            raise unreachable[environment.name]
        return cloud

    found = overview.of(environments, reach, unreachable=(OSError,))
    return {column.environment: column for column in found}


def test_what_is_deployed_undeployed_and_out_of_reach_stand_side_by_side(environments, cloud):
    deployed(cloud)
    denied = WrongAccount("no usable AWS credentials", where="here", remedy="log in")

    found = columns(environments, cloud, prod=denied)

    assert [column.state for column in found.values()] == ["deployed", "undeployed", "unreachable"]
    assert found["staging"].note == "nothing was ever deployed"
    assert found["prod"].note == "no usable AWS credentials"
    assert found["dev"].release["id"] == 64 * "1"
    assert 7200 <= found["dev"].age_seconds < 7300
    assert found["dev"].health == "ok"
    assert found["dev"].freshness_seconds > 0


def test_a_cloud_that_does_not_answer_is_out_of_reach_too(environments, cloud):
    found = columns(environments, cloud, dev=OSError("no route"))

    assert (found["dev"].state, found["dev"].note) == ("unreachable", "no route")


def test_an_environment_that_never_answers_holds_up_no_other(environments, cloud):
    deployed(cloud)
    answered, since = Event(), time.monotonic()

    def reach(environment):
        if environment.name == "dev":
            answered.wait(30)
        return cloud

    found = overview.of(environments, reach, unreachable=(), patience_seconds=0.5)
    answered.set()

    assert time.monotonic() - since < 5
    assert [(each.environment, each.state) for each in found] == [
        ("dev", "unreachable"),
        ("staging", "undeployed"),
        ("prod", "undeployed"),
    ]
    assert found[0].note.startswith("no answer in ")


def test_all_are_looked_at_at_the_same_time(environments, cloud):
    together = Barrier(len(environments))

    def reach(_environment):
        together.wait(timeout=10)
        return cloud

    found = overview.of(environments, reach, unreachable=())

    assert [each.environment for each in found] == ["dev", "staging", "prod"]


def test_an_error_that_nobody_foresaw_shows_itself(environments, cloud):
    with pytest.raises(ZeroDivisionError):
        columns(environments, cloud, dev=ZeroDivisionError())


def test_after_a_failure_the_release_before_it_is_in_service_and_the_failure_is_told(
    environments, cloud
):
    deployed(cloud, 1)
    deployed(cloud, 2, "failed", rollback={"to": "1", "outcome": "succeeded"})

    dev = columns(environments, cloud)["dev"]

    assert dev.release["id"] == 64 * "1"
    assert dev.health == "deploy 2 failed, rolled back"


def test_a_deploy_that_never_ended_is_told(environments, cloud):
    deployed(cloud)
    under_way.mark(cloud, STATE, "dev", kind="deploy", lease=1)

    health = columns(environments, cloud)["dev"].health

    assert health == "half done, something began after deploy 1 and has not ended"


def test_a_first_deploy_is_seen_while_it_runs_and_after_it_was_killed(environments, cloud):
    under_way.mark(cloud, STATE, "dev", kind="deploy", lease=1)
    killed = columns(environments, cloud)["dev"]
    asked = lease.Asked("dev", "deploy", "token")
    with lease.held(cloud, STATE, asked, Steps()):
        running = columns(environments, cloud)["dev"]

    assert (killed.state, killed.note) == ("undeployed", "nothing was ever deployed")
    assert killed.health == "half done, it began and has not ended"
    assert running.health.startswith("deploy under way, by ")


def test_a_sync_that_failed_is_told_with_its_age(environments, cloud):
    deployed(cloud)
    started = datetime.now(UTC) - timedelta(minutes=5)
    cloud.states.executions = [{"name": "n", "status": "FAILED", "startDate": started}]

    dev = columns(environments, cloud)["dev"]

    assert dev.health == "last sync FAILED"
    assert dev.last_sync["age_seconds"] == pytest.approx(300, abs=60)


def test_the_last_look_for_drift_is_told(environments, cloud):
    deployed(cloud)
    assert columns(environments, cloud)["dev"].drift is None

    last_drift.note(cloud, STATE, "dev", 3)

    assert columns(environments, cloud)["dev"].drift["drifted"] == 3


def test_what_was_destroyed_is_undeployed(environments, cloud):
    deployed(cloud, 1)
    deployed(cloud, 2, "destroyed", kind="destroy", outputs={})

    dev = columns(environments, cloud)["dev"]

    assert dev.state == "undeployed"
    assert dev.note.startswith("it was destroyed (2, ")
