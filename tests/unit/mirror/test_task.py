"""A task: every batch in turn, an answer in every case, and nothing done twice by the next one."""

from __future__ import annotations

import json
import threading
from dataclasses import replace

import boto3
import pytest
from botocore.stub import ANY, Stubber

from mirror import lease, task
from mirror.answers import Answers
from mirror.errors import (
    BadEvent,
    BadSettings,
    Interrupted,
    NobodyWaits,
    SyncUnderWay,
)
from mirror.heart import Heart
from mirror.interruption import GRACE_SECONDS, Interruption
from mirror.settings import TaskOrder

TOKEN = "a-token"
SYNC = "2026-11-22T030000Z"
FIRST, SECOND = f"syncs/{SYNC}/results/00000.json", f"syncs/{SYNC}/results/00001.json"


@pytest.fixture
def state_machine():
    """Step Functions that expects answers in the order in which a test adds them."""
    client = boto3.client("stepfunctions", region_name="us-east-1")
    with Stubber(client) as stubber:
        stubber.client = client
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def answers(state_machine):
    """The answers of a task that the state machine waits for."""
    return Answers(state_machine.client, TOKEN)


@pytest.fixture
def order(upstream, sync):
    """A planned sync of three bottles in two batches."""
    for name in ("fzf", "jq", "wget"):
        upstream.add(name, {"arm64_tahoe": name.encode()})
    return TaskOrder(sync.plan()["batches_key"], TOKEN)


def expect(state_machine, *calls):
    """``("heartbeat",)``, ``("success", output or nothing)``, ``("failure", error's name)``."""
    for kind, *told in calls:
        given = {"taskToken": TOKEN}
        if kind == "success":
            given["output"] = json.dumps(told[0]) if told else ANY
        if kind == "failure":
            given |= {"error": told[0], "cause": ANY}
        state_machine.add_response(f"send_task_{kind}", {}, given)


def counts(batches, copied, size_bytes, failed=0):
    return {"batches": batches, "copied": copied, "bytes": size_bytes, "failed": failed}


class Watched:
    """The registry, with something that happens before each bottle is asked for."""

    def __init__(self, registry, happen):
        self._registry, self._happen = registry, happen

    def blob(self, image, *given, **named):
        self._happen(image)
        return self._registry.blob(image, *given, **named)


def gone(state_machine, call="heartbeat"):
    state_machine.add_client_error(f"send_task_{call}", "TaskTimedOut")


def run(order, answers, connections, interruption=None):
    return task.run(order, answers, lambda: connections, interruption or Interruption())


def test_all_batches_are_carried_and_told(order, answers, connections, state_machine, stored):
    expect(state_machine, ("heartbeat",), ("success", counts(2, 3, len("fzfjqwget"))))

    assert run(order, answers, connections) == 0

    assert len(stored("v2/")) == 3


def test_a_bottle_that_upstream_spoils_is_counted_and_stops_no_other(
    order, answers, connections, state_machine, upstream, stored
):
    next(iter(upstream.blobs.values())).body = b"???"
    expect(state_machine, ("heartbeat",), ("success", counts(2, 2, len("jqwget"), failed=1)))

    assert run(order, answers, connections) == 0

    assert len(stored("v2/")) == 2


def test_a_task_carries_as_many_at_a_time_as_its_own_setting_says(
    order, answers, connections, state_machine, upstream
):
    connections = connections.with_settings(
        replace(connections.settings, transfers=1, task_transfers=2)
    )
    together = threading.Barrier(2, timeout=20)
    watched = Watched(
        connections.registry, lambda image: together.wait() if image != "wget" else None
    )
    connections = replace(connections, registry=watched)
    expect(state_machine, ("heartbeat",), ("success",))

    assert run(order, answers, connections) == 0


class TestInterrupted:
    """SIGTERM while the first bottle is under way."""

    @pytest.fixture
    def interrupted(self, order, answers, connections, state_machine):
        """How a task ended that was told to stop as soon as it asked for its first bottle."""
        interruption = Interruption()
        watched = Watched(connections.registry, lambda _: interruption.happen())
        settings = replace(connections.settings, task_transfers=1)
        expect(state_machine, ("heartbeat",), ("failure", "Interrupted"))
        return run(
            order, answers, replace(connections, registry=watched, settings=settings), interruption
        )

    def test_what_is_under_way_ends_and_the_rest_is_handed_back(self, interrupted, stored):
        assert interrupted == 1
        assert len(stored("v2/")) == 1
        assert json.loads(stored("syncs/")[FIRST])["left"] == 1
        assert json.loads(stored("syncs/")[FIRST])["failed"] == []
        assert SECOND not in stored("syncs/")

    def test_the_next_task_fetches_only_what_was_left(
        self, interrupted, order, answers, connections, state_machine, upstream, stored
    ):
        upstream.requests.clear()
        expect(state_machine, ("heartbeat",), ("success", counts(2, 2, len("jqwget"))))

        assert run(order, answers, connections) == 0

        assert len(upstream.paths("/storage/")) == 2
        assert len(stored("v2/")) == 3


def test_batches_that_an_earlier_task_finished_are_not_looked_at_again(
    order, answers, connections, state_machine, upstream
):
    expect(state_machine, ("heartbeat",), ("success",))
    run(order, answers, connections)
    upstream.requests.clear()
    expect(state_machine, ("heartbeat",), ("success", counts(0, 0, 0)))

    assert run(order, answers, connections) == 0

    assert upstream.requests == []


def test_where_nobody_waits_nothing_is_done(order, answers, connections, state_machine, stored):
    gone(state_machine)

    assert run(order, answers, connections) == 1

    assert stored("v2/") == {}


def test_a_failure_is_answered_with_its_class_and_its_words(
    order, answers, connections, state_machine, s3_refuses
):
    expect(state_machine, ("heartbeat",))
    state_machine.add_response(
        "send_task_failure", {}, {"taskToken": TOKEN, "error": "BucketRefused", "cause": ANY}
    )
    s3_refuses("GetObject")

    assert run(order, answers, connections) == 1


def test_a_failure_to_connect_is_answered_too(order, answers, state_machine):
    expect(state_machine, ("heartbeat",), ("failure", "BadSettings"))

    def connect():
        raise BadSettings("no settings", where="here", remedy="deploy")

    assert task.run(order, answers, connect, Interruption()) == 1


def test_a_bug_is_answered_and_keeps_its_traceback(order, answers, state_machine):
    expect(state_machine, ("heartbeat",), ("failure", "ZeroDivisionError"))

    with pytest.raises(ZeroDivisionError):
        task.run(order, answers, lambda: 1 / 0, Interruption())


def test_batches_outside_the_plan_are_refused(answers, connections, state_machine):
    expect(state_machine, ("heartbeat",), ("failure", "BadEvent"))

    assert run(TaskOrder("settings/mirror.json", TOKEN), answers, connections) == 1


@pytest.mark.parametrize("missing", ["AIRBREW_BATCHES_KEY", "AIRBREW_TASK_TOKEN"])
def test_an_order_without_a_part_names_it(missing):
    given = {"AIRBREW_BATCHES_KEY": "syncs/…", "AIRBREW_TASK_TOKEN": TOKEN}

    with pytest.raises(BadSettings, match=f"{missing} not set"):
        TaskOrder.read(given | {missing: ""})


def test_a_long_cause_is_cut_to_what_step_functions_takes(answers, state_machine):
    told = []
    state_machine.client.meta.events.register(
        "provide-client-params.sfn.SendTaskFailure", lambda params, **_: told.append(params)
    )
    expect(state_machine, ("failure", "BadEvent"))

    answers.fail(BadEvent('"' * 60_000, where="here", remedy="there"))

    assert len(told[0]["cause"]) <= 32_768
    assert told[0]["cause"].startswith('{"errorType": "BadEvent", "errorMessage": "')


def test_that_a_failure_comes_too_late_is_no_further_failure(answers, state_machine):
    gone(state_machine, "failure")

    answers.fail(ValueError("late"))


def test_an_answer_that_is_refused_is_raised(answers, state_machine):
    state_machine.add_client_error("send_task_heartbeat", "AccessDeniedException")

    with pytest.raises(state_machine.client.exceptions.ClientError, match="AccessDenied"):
        answers.beat()


class TestHeart:
    """The thread beside the work."""

    @pytest.fixture
    def beating(self, answers, bucket):
        """A heart that beats fast, and the interruption that it may cause."""
        interruption = Interruption()
        heart = Heart(answers, bucket, SYNC, interruption, beat_seconds=0.01)
        return heart, interruption

    def test_a_lease_that_someone_took_over_ends_the_work(
        self, beating, order, bucket, state_machine
    ):
        heart, interruption = beating
        expect(state_machine, ("heartbeat",))
        stolen = {"sync": "2026-11-22T040000Z", "execution": "x", "expires_at": "2099-01-01T00:00Z"}
        bucket.write_json("syncs/lease.json", stolen)

        with heart:
            assert interruption._happened.wait(10)

        with pytest.raises(SyncUnderWay):
            interruption.check()

    def test_nobody_waiting_ends_the_work(self, beating, order, state_machine):
        heart, interruption = beating
        gone(state_machine)

        with heart:
            assert interruption._happened.wait(10)

        with pytest.raises(NobodyWaits):
            interruption.check()

    def test_a_beat_that_does_not_get_through_is_made_up_for_by_the_next(
        self, beating, order, state_machine, capsys
    ):
        heart, interruption = beating
        state_machine.add_client_error("send_task_heartbeat", "ThrottlingException")
        gone(state_machine)

        with heart:
            assert interruption._happened.wait(10)

        assert "heartbeat_missed" in capsys.readouterr().out


class TestInterruption:
    """How long what is under way may still take."""

    def test_without_one_there_is_no_end(self):
        interruption = Interruption()

        interruption.check()

        assert interruption.seconds_left() == float("inf")

    def test_the_time_runs_from_the_first_signal_on(self):
        now = [0.0]
        interruption = Interruption(clock=lambda: now[0])
        interruption.happen()
        now[0] = 30.0
        interruption.happen()

        assert interruption.seconds_left() == GRACE_SECONDS - 30
        now[0] = 1000.0
        assert interruption.seconds_left() == 0

    def test_its_reason_is_told(self):
        interruption = Interruption()
        interruption.happen()

        with pytest.raises(Interrupted, match=r"hands back(.|\n)*SIGTERM"):
            interruption.check()


def test_the_lease_is_held_for_as_long_as_batches_are_carried(
    order, answers, connections, state_machine, monkeypatch
):
    renewed = []
    monkeypatch.setattr(lease, "renew", lambda _bucket, sync, _now: renewed.append(sync))
    expect(state_machine, ("heartbeat",), ("success",))

    run(order, answers, connections)

    assert renewed == [SYNC, SYNC]


def test_a_bucket_that_refuses_a_bottle_ends_the_task(
    order, answers, connections, state_machine, s3_refuses
):
    expect(state_machine, ("heartbeat",), ("failure", "BucketRefused"))
    s3_refuses("PutObject")

    assert run(order, answers, connections) == 1
