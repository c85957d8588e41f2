"""What AWS's own services ask for with the roles that they are given, as what is deployed says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from delivery.cloud import Cloud
from tests.doubles.iam_use import Call, Policy, decide

Context = Mapping[str, str]


def calls(cloud: Cloud, machine: str, policies: Mapping[str, Policy]) -> list[Call]:
    """Those of Step Functions and of the scheduler, decided by the roles' policies."""
    asked = [*_of_machine(cloud, machine), *_of_schedule(cloud, machine)]
    return [decide(policies[call.role], call, context) for call, context in asked]


def handed(cloud: Cloud, deploy_role: str, prefix: str, policy: Policy) -> list[Call]:
    """The deploy role's leave to hand each role to the service that it trusts, as policy has it.

    MiniStack 1.5.33 asks nobody whether a role may be passed.

    Args:
        prefix: what the names of the roles begin with.
    """
    passed = (each for each in _roles(cloud) if each["RoleName"].startswith(prefix))
    return [
        decide(
            policy,
            Call(deploy_role, "iam:PassRole", each["Arn"]),
            {"iam:PassedToService": _trusted(each["AssumeRolePolicyDocument"])},
        )
        for each in passed
    ]


def of_rules(cloud: Cloud, role_arn: str, prefix: str, policy: Policy) -> list[Call]:
    """What EventBridge asks for with a role that its rules' targets name, as the policy has it.

    Source: EventBridge, "Sending and receiving events between Regions": PutEvents on the bus.
    """
    events = cloud.client("events")
    targets = [
        target
        for rule in events.list_rules(NamePrefix=prefix)["Rules"]
        for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    ]
    return [
        decide(policy, Call(_name(role_arn), "events:PutEvents", each["Arn"]), {})
        for each in targets
        if each.get("RoleArn") == role_arn
    ]


def _roles(cloud: Cloud) -> Iterator[Mapping[str, Any]]:
    for page in cloud.client("iam").get_paginator("list_roles").paginate():
        yield from page["Roles"]


def _trusted(document: Mapping[str, Any]) -> str:
    (statement,) = document["Statement"]
    return str(statement["Principal"]["Service"])


def _of_machine(cloud: Cloud, machine: str) -> Iterator[tuple[Call, Context]]:
    found = cloud.client("stepfunctions").describe_state_machine(stateMachineArn=machine)
    role = _name(found["roleArn"])
    for state in _states(json.loads(found["definition"])):
        yield from _of_state(cloud, machine, role, state)


def _states(definition: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for state in definition["States"].values():
        yield state
        yield from _states(state.get("ItemProcessor", {"States": {}}))


def _of_state(
    cloud: Cloud, machine: str, role: str, state: Mapping[str, Any]
) -> Iterator[tuple[Call, Context]]:
    given, resource = state.get("Parameters", {}), state.get("Resource", "")
    if resource.endswith("lambda:invoke"):
        yield Call(role, "lambda:InvokeFunction", given["FunctionName"]), {}
    if "ecs:runTask" in resource:
        yield from _of_task(cloud, role, given)
    if "ItemReader" in state:
        bucket = state["ItemReader"]["Parameters"]["Bucket"]
        key = "syncs/2026-11-22T030000Z/plan/batches.json"
        yield Call(role, "s3:GetObject", f"arn:aws:s3:::{bucket}/{key}"), {}
    if "Label" in state:
        yield Call(role, "states:StartExecution", machine), {}
        # Source: Step Functions, "Distributed Map": the ARN of a child workflow execution.
        child = f"{machine.replace(':stateMachine:', ':execution:')}/{state['Label']}:0f1c"
        for action in ("states:DescribeExecution", "states:StopExecution"):
            yield Call(role, action, child), {}


def _of_task(cloud: Cloud, role: str, given: Mapping[str, Any]) -> Iterator[tuple[Call, Context]]:
    definition = given["TaskDefinition"]
    yield Call(role, "ecs:RunTask", definition), {"ecs:cluster": given["Cluster"]}
    told = cloud.client("ecs").describe_task_definition(taskDefinition=definition)
    for name in ("taskRoleArn", "executionRoleArn"):
        context = {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
        yield Call(role, "iam:PassRole", told["taskDefinition"][name]), context


def _of_schedule(cloud: Cloud, machine: str) -> Iterator[tuple[Call, Context]]:
    scheduler = cloud.client("scheduler")
    for each in scheduler.list_schedules()["Schedules"]:
        found = scheduler.get_schedule(Name=each["Name"], GroupName=each["GroupName"])
        target, role = found["Target"]["Arn"], _name(found["Target"]["RoleArn"])
        if target == machine:
            yield Call(role, "states:StartExecution", machine), {}
        elif f":function:{machine.rpartition(':')[2].removesuffix('-sync')}-" in target:
            yield Call(role, "lambda:InvokeFunction", target), {}


def _name(role_arn: str) -> str:
    return role_arn.rpartition("/")[2]
