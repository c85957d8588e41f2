"""A sync above the threshold: one task carries it, and another goes on when it is interrupted.

The tests are one story in the order they stand: each starts from what the one before left.
"""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request

import boto3
import pytest

from tests.integration.conftest import REPOSITORY

SOME = {"platforms": ["arm64_tahoe"], "formulae": ["jq"]}
MUCH = {
    "platforms": ["arm64_tahoe", "arm64_sequoia", "arm64_sonoma"],
    "formulae": ["jq", "wget", "git", "python@3.13"],
}
# In GiB: a handful of kilobytes, so that each sync with anything to copy is a large one.
THRESHOLD = 0.000001
PATIENCE_SECONDS = 300


def configure(checkout, selection):
    checkout.configure(
        {
            "selection": selection,
            "workflow": {"fargate_threshold_gib": THRESHOLD, "batch_max_bottles": 6},
            "task": {"transfers": 1},
        }
    )


@pytest.fixture(scope="module")
def first(checkout):
    """The deploy that made the task, and synced with it."""
    configure(checkout, SOME)
    return checkout.answer("deploy", "--env", "dev")


@pytest.fixture(scope="module")
def urls(checkout, first):
    return {each["name"]: each["url"] for each in checkout.answer("sandbox.status")}


@pytest.fixture(scope="module")
def aws(urls):
    """A client of the sandbox's AWS, by the service's name."""

    def client(service):
        return boto3.client(
            service,
            endpoint_url=urls["ministack"],
            region_name="us-east-1",
            aws_access_key_id="111111111111",
            aws_secret_access_key="sandbox",
        )

    return client


def ended_tasks(ecs):
    arns = ecs.list_tasks(cluster="airbrew-dev-sync", desiredStatus="STOPPED")["taskArns"]
    return ecs.describe_tasks(cluster="airbrew-dev-sync", tasks=arns)["tasks"] if arns else []


def states_entered(aws, execution):
    history = aws("stepfunctions").get_execution_history(executionArn=execution, maxResults=1000)
    return [
        event["stateEnteredEventDetails"]["name"]
        for event in history["events"]
        if "stateEnteredEventDetails" in event
    ]


def blob_requests(urls):
    """The bytes of a bottle → how often they were asked for."""
    with urllib.request.urlopen(f"{urls['upstream']}/_sandbox/requests", timeout=30) as answer:
        asked = json.loads(answer.read())
    return {path: times for path, times in asked.items() if path.startswith("/storage/")}


def forget_requests(urls):
    request = urllib.request.Request(f"{urls['upstream']}/_sandbox/requests", method="DELETE")
    urllib.request.urlopen(request, timeout=30).close()


def awaited(what):
    """The first answer that is not empty."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if found := what():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


def test_a_large_sync_is_carried_by_one_task(first, aws, urls):
    (task,) = ended_tasks(aws("ecs"))

    assert first["sync"]["copied"] == first["sync"]["bottles"] > 1
    assert states_entered(aws, first["sync"]["execution"]) == [
        "Plan",
        "Route",
        "CopyWithTask",
        "Publish",
    ]
    assert task["stoppedReason"] == "the container ended with 0"
    assert set(blob_requests(urls).values()) == {1}


def test_a_sync_with_nothing_to_copy_starts_no_task(checkout, first, aws):
    ended = checkout.answer("mirror.sync", "--env", "dev")

    assert states_entered(aws, ended["arn"]) == ["Plan", "Route", "Publish"]
    assert len(ended_tasks(aws("ecs"))) == 1


@pytest.fixture(scope="module")
def interrupted(checkout, first, aws, urls):
    """A deploy whose sync's first task was stopped after a few bottles."""
    configure(checkout, MUCH)
    forget_requests(urls)
    ecs = aws("ecs")
    with subprocess.Popen(
        checkout.command("deploy", "--env", "dev", "--json"),
        cwd=checkout.root,
        env=checkout.environment({}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as deploy:
        awaited(lambda: len(blob_requests(urls)) >= 2)
        (task,) = ecs.list_tasks(cluster="airbrew-dev-sync", desiredStatus="RUNNING")["taskArns"]
        ecs.stop_task(cluster="airbrew-dev-sync", task=task, reason="Spot")
        told, complaint = deploy.communicate(timeout=PATIENCE_SECONDS)
    assert deploy.returncode == 0, complaint
    return json.loads(told)


def test_an_interrupted_task_is_followed_by_another_and_the_sync_is_whole(interrupted, aws):
    second, third = sorted(ended_tasks(aws("ecs")), key=lambda task: task["createdAt"])[1:]

    assert interrupted["action"] == "deployed"
    assert interrupted["sync"]["bottles"] > 20
    assert (second["stoppedReason"], third["stoppedReason"]) == (
        "Spot",
        "the container ended with 0",
    )


def test_no_bottle_was_fetched_twice(interrupted, urls):
    asked = blob_requests(urls)

    assert len(asked) > 10
    assert set(asked.values()) == {1}


def test_the_image_is_pulled_by_its_digest_and_does_what_the_checkout_did(
    checkout, interrupted, registry, pushed, aws
):
    image = f"{registry}/{REPOSITORY}@{pushed.digest}"
    task = {"image": image, "transfers": 1}
    checkout.configure({"selection": MUCH | {"platforms": ["x86_64_linux"]}, "task": task})

    deployed = checkout.answer("deploy", "--env", "dev")

    newest = max(ended_tasks(aws("ecs")), key=lambda each: each["createdAt"])
    definition = aws("ecs").describe_task_definition(taskDefinition=newest["taskDefinitionArn"])
    log = (checkout.root / ".airbrew" / "sandbox" / "logs" / "ministack.log").read_text()
    assert deployed["sync"]["copied"] > 5
    assert newest["stoppedReason"] == "the container ended with 0"
    assert definition["taskDefinition"]["containerDefinitions"][0]["image"] == image
    assert f"running {image}" in log


def test_what_a_task_needs_is_destroyed_with_the_rest(checkout, interrupted, aws):
    checkout.answer("destroy", "--env", "dev", "--yes", "--delete-data")

    assert aws("ecs").list_clusters()["clusterArns"] == []
    names = [vpc.get("CidrBlock") for vpc in aws("ec2").describe_vpcs()["Vpcs"]]
    assert "10.98.0.0/20" not in names
