"""The two Lambdas: their events, their answers, and what they load."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from mirror import lease
from mirror.errors import BadEvent, SyncUnderWay
from orchestrator import handler as orchestrator
from sync_worker import handler as sync_worker

EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:sync:one"


class Context:
    """What Lambda passes beside the event."""

    aws_request_id = "1f0c"

    def get_remaining_time_in_millis(self):
        return 900_000


@pytest.fixture
def deployed(bucket, s3, upstream, signer, monkeypatch):
    """The functions' surroundings: variables, settings in the bucket, a state machine's name."""
    document = {
        "upstream": {
            "api_url": f"{upstream.url}/api",
            "registry_url": upstream.url,
            "signing_key_pem": signer.public_pem,
        },
        "selection": {
            "platforms": ["arm64_tahoe"],
            "formulae": ["jq"],
            "include_dependencies": True,
        },
        "publish": {"policy": "complete"},
        "workflow": {"batch_max_bottles": 20, "batch_max_mib": 64},
        "sync_worker": {"transfers": 4},
    }
    s3.put_object(Bucket="mirror", Key="settings/mirror.json", Body=json.dumps(document).encode())
    monkeypatch.setenv("AIRBREW_BUCKET", "mirror")
    monkeypatch.setenv("AIRBREW_SETTINGS_KEY", "settings/mirror.json")
    yield
    for cached in (orchestrator.connections, sync_worker.connections):
        if cached.cache_info().currsize:
            cached().fetcher.close()
        cached.cache_clear()
    orchestrator.states.cache_clear()


def plan(execution=EXECUTION):
    return orchestrator.handle({"action": "plan", "execution": execution}, Context())


def test_plan_copy_and_publish_as_the_state_machine_calls_them(deployed, upstream, stored):
    upstream.add("jq", {"arm64_tahoe": b"jq"})

    planned = plan()
    (pointer,) = json.loads(stored("syncs/")[planned["batches_key"]])
    copied = sync_worker.handle(pointer, Context())
    event = {"action": "publish", "sync": planned["sync"], "execution": EXECUTION}
    answer = orchestrator.handle(event, Context())

    assert copied["copied"] == 1
    assert answer["bottles"] == 1
    assert "api/internal/packages.arm64_tahoe.jws.json" in stored("api/")


def test_a_second_execution_is_refused_while_the_first_may_be_running(
    deployed, upstream, monkeypatch
):
    upstream.add("jq", {"arm64_tahoe": b"jq"})
    monkeypatch.setattr(orchestrator.executions, "is_running", lambda *_: True)
    plan()

    with pytest.raises(SyncUnderWay):
        plan(EXECUTION.replace("one", "two"))


def test_an_execution_that_step_functions_does_not_know_holds_nobody_up(deployed, upstream):
    upstream.add("jq", {"arm64_tahoe": b"jq"})
    first = plan()

    second = plan(EXECUTION.replace("one", "two"))

    assert second["sync"] > first["sync"]


def test_a_dry_run_takes_what_the_event_asks_for(deployed, upstream, stored):
    upstream.add("fzf", {"arm64_tahoe": b"fzf"})

    answer = orchestrator.handle(
        {"action": "plan", "dry_run": True, "formulae": ["f*"], "platforms": ["arm64_tahoe"]},
        Context(),
    )

    assert answer["examples"] == ["fzf 1.0 arm64_tahoe"]
    assert list(stored()) == ["settings/mirror.json"]


def test_a_failure_is_recorded(deployed, upstream, stored):
    upstream.add("jq", {"arm64_tahoe": b"jq"})
    planned = plan()

    answer = orchestrator.handle(
        {
            "action": "report_failure",
            "execution": EXECUTION,
            "error": "States.Timeout",
            "cause": "the Lambda was too slow",
        },
        Context(),
    )

    assert answer["sync"] == planned["sync"]
    assert f"syncs/{planned['sync']}/report.json" in stored("syncs/")


@pytest.fixture
def soaking(deployed, upstream, s3, stored):
    """Two channels without a soak; canary is a snapshot ahead of stable."""
    settings = json.loads(stored("settings/")["settings/mirror.json"])
    settings["publish"] |= {"channels": ["canary", "stable"], "soak_hours": 1}
    s3.put_object(Bucket="mirror", Key="settings/mirror.json", Body=json.dumps(settings).encode())
    for version in ("1.0", "1.1"):
        upstream.add("jq", {"arm64_tahoe": version.encode()}, version=version)
        execution = f"{EXECUTION}-{version}"
        planned = plan(execution)
        sync_worker.handle({"batch": f"syncs/{planned['sync']}/plan/00000.json"}, Context())
        finish = {"action": "publish", "sync": planned["sync"], "execution": execution}
        orchestrator.handle(finish, Context())
    key = "channels/canary/pointer.json"
    pointer = json.loads(stored("channels/")[key]) | {"since": "2026-11-22T00:00:00Z"}
    s3.put_object(Bucket="mirror", Key=key, Body=json.dumps(pointer).encode())
    return planned["sync"]


def test_what_has_soaked_goes_on_by_the_clock_without_any_sync(soaking, stored):
    answer = orchestrator.handle({"action": "soak"}, Context())
    again = orchestrator.handle({"action": "soak"}, Context())

    assert [(each["channel"], each["snapshot"]) for each in answer["moved"]] == [
        ("stable", soaking)
    ]
    assert again == {"moved": [], "waits": False}
    assert f'"stable": "{soaking}"' in stored("status/")["status/status.json"].decode()


def test_while_a_sync_runs_a_soaked_snapshot_waits_and_nothing_fails(soaking, monkeypatch, stored):
    monkeypatch.setattr(orchestrator, "_is_running", lambda _: True)
    plan("arn:aws:states:us-east-1:123456789012:execution:sync:third")
    before = stored("channels/")

    answer = orchestrator.handle({"action": "soak"}, Context())

    assert answer == {"moved": [], "waits": True}
    assert stored("channels/") == before


def test_a_sync_waits_while_a_soaked_snapshot_moves(deployed, upstream, bucket, monkeypatch):
    upstream.add("jq", {"arm64_tahoe": b"jq"})
    now, holder = datetime.now(UTC), f"{lease.SOAK} 1f0c"
    lease.acquire(bucket, holder, lambda _: True, now)
    waited = []

    def moved_at_last(seconds):
        waited.append(seconds)
        if len(waited) == 2:
            lease.release(bucket, holder, datetime.now(UTC))

    monkeypatch.setattr(orchestrator.time, "sleep", moved_at_last)

    assert plan()["batches"] == 1
    assert len(waited) == 2


def test_a_move_that_never_ends_is_not_waited_for_for_ever(deployed, bucket, monkeypatch):
    lease.acquire(bucket, f"{lease.SOAK} 1f0c", lambda _: True, datetime.now(UTC))
    waited = []
    monkeypatch.setattr(orchestrator.time, "sleep", waited.append)

    with pytest.raises(SyncUnderWay, match="soak 1f0c"):
        plan()

    assert sum(waited) == 60


def test_manifests_are_mended_while_no_sync_runs(deployed, upstream, s3, stored, monkeypatch):
    upstream.add("jq", {"arm64_tahoe": b"jq"})
    planned = plan()
    sync_worker.handle({"batch": f"syncs/{planned['sync']}/plan/00000.json"}, Context())
    finish = {"action": "publish", "sync": planned["sync"], "execution": EXECUTION}
    orchestrator.handle(finish, Context())
    key = "v2/homebrew/core/jq/manifests/1.0"
    s3.delete_object(Bucket="mirror", Key=key)
    asked = {"action": "verify", "repair": True}
    run = sync_worker.handle(asked, Context())["run"]
    monkeypatch.setattr(orchestrator, "_is_running", lambda _: True)
    plan("arn:aws:states:us-east-1:123456789012:execution:sync:two")

    with pytest.raises(SyncUnderWay):
        orchestrator.handle({"action": "mend", "run": run}, Context())
    s3.delete_object(Bucket="mirror", Key="syncs/lease.json")
    answer = orchestrator.handle({"action": "mend", "run": run}, Context())

    assert answer["repaired"] == 1
    assert stored(key)[key] == upstream.manifests["jq", "1.0"]


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ({}, '"None" is not one of plan, publish, import_publish, want, report_failure, snap'),
        ({"action": "rollback"}, '"None" is not the name of a channel'),
        ({"action": "destroy"}, '"destroy" is not one of plan'),
        ({"action": "import_publish", "snapshot": "../x"}, '"../x" is not the id'),
        ({"action": "mend", "run": "../x"}, '"../x" is not the id of a verification'),
        ({"action": "plan"}, '"None" is not the ARN of the execution'),
        ({"action": "publish", "execution": "x", "sync": "../x"}, '"../x" is not the id'),
    ],
)
def test_an_event_that_is_not_in_the_contract_is_refused(deployed, event, told):
    with pytest.raises(BadEvent, match=told):
        orchestrator.handle(event, Context())


def test_a_batch_event_without_batch_is_refused(deployed):
    with pytest.raises(BadEvent, match="the event names no batch"):
        sync_worker.handle({}, Context())


def test_a_sample_that_cannot_be_drawn_is_refused(deployed):
    with pytest.raises(BadEvent, match="a sample of -3 cannot be drawn"):
        sync_worker.handle({"action": "verify", "deep": True, "sample": -3}, Context())


def test_the_worker_s_cold_start_does_not_load_cryptography():
    code = "import sys, sync_worker.handler; sys.exit('cryptography' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
