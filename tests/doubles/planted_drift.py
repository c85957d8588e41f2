"""What people do by hand to an environment: one change for each kind of resource, and then some.

Each takes the clients of boto3 by the service's name, and the outputs of the environment.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

Clients = Callable[[str], Any]
Plant = Callable[[Clients, Mapping[str, Any]], object]

ANYTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}],
}
READER = "arn:aws:iam::aws:policy/ReadOnlyAccess"


class Planted(NamedTuple):
    """A change by hand, and where a drift report has to show it."""

    plant: Plant
    address: str
    attribute: str
    by_hand: bool = False


def memory(clients: Clients, outputs: Mapping[str, Any]) -> None:
    clients("lambda").update_function_configuration(
        FunctionName=outputs["sync_worker_function"], MemorySize=3008
    )


def alias(clients: Clients, outputs: Mapping[str, Any]) -> None:
    clients("lambda").update_alias(
        FunctionName=outputs["collector_function"], Name="live", FunctionVersion="$LATEST"
    )


def layer(clients: Clients, _outputs: Mapping[str, Any]) -> None:
    lambdas = clients("lambda")
    for found in lambdas.list_layers()["Layers"]:
        for version in lambdas.list_layer_versions(LayerName=found["LayerName"])["LayerVersions"]:
            lambdas.delete_layer_version(
                LayerName=found["LayerName"], VersionNumber=version["Version"]
            )


def schedule(clients: Clients, outputs: Mapping[str, Any]) -> None:
    scheduler, name = clients("scheduler"), outputs["schedule_name"]
    found = scheduler.get_schedule(Name=name, GroupName=name)
    kept = ("Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target")
    scheduler.update_schedule(**{key: found[key] for key in kept}, State="ENABLED")


def schedule_group(clients: Clients, outputs: Mapping[str, Any]) -> None:
    group = clients("scheduler").get_schedule_group(Name=outputs["schedule_name"])
    clients("scheduler").tag_resource(
        ResourceArn=group["Arn"], Tags=[{"Key": "Project", "Value": "another"}]
    )


def state_machine(clients: Clients, outputs: Mapping[str, Any]) -> None:
    states, arn = clients("stepfunctions"), outputs["state_machine_arn"]
    definition = json.loads(states.describe_state_machine(stateMachineArn=arn)["definition"])
    states.update_state_machine(
        stateMachineArn=arn, definition=json.dumps({**definition, "TimeoutSeconds": 60})
    )


def settings(clients: Clients, outputs: Mapping[str, Any]) -> None:
    found = clients("lambda").get_function_configuration(
        FunctionName=outputs["orchestrator_function"], Qualifier="live"
    )
    clients("s3").put_object(
        Bucket=outputs["mirror_bucket"],
        Key=found["Environment"]["Variables"]["AIRBREW_SETTINGS_KEY"],
        Body=b"{}",
    )


def role_policy(clients: Clients, outputs: Mapping[str, Any]) -> None:
    _put_policy(clients, outputs["sync_worker_function"], "mirror")


def role_policy_beside(clients: Clients, outputs: Mapping[str, Any]) -> None:
    _put_policy(clients, outputs["orchestrator_function"], "backdoor")


def _put_policy(clients: Clients, role: str, name: str) -> None:
    clients("iam").put_role_policy(
        RoleName=role, PolicyName=name, PolicyDocument=json.dumps(ANYTHING)
    )


def bucket_tags(clients: Clients, outputs: Mapping[str, Any]) -> None:
    tags = [{"Key": "Environment", "Value": "prod"}]
    clients("s3").put_bucket_tagging(Bucket=outputs["mirror_bucket"], Tagging={"TagSet": tags})


MODULE = "module.airbrew.module."
PLANTED: Mapping[str, Planted] = {
    "logs kept for a day": Planted(
        lambda clients, outputs: clients("logs").put_retention_policy(
            logGroupName=f"/aws/lambda/{outputs['orchestrator_function']}", retentionInDays=1
        ),
        MODULE + 'functions.aws_cloudwatch_log_group.function["orchestrator"]',
        "retention_in_days",
    ),
    "a log group deleted": Planted(
        lambda clients, outputs: clients("logs").delete_log_group(
            logGroupName=f"/aws/vendedlogs/states/{outputs['schedule_name']}"
        ),
        MODULE + "workflow.aws_cloudwatch_log_group.workflow",
        "(the resource)",
    ),
    "another trust": Planted(
        lambda clients, outputs: clients("iam").update_assume_role_policy(
            RoleName=outputs["collector_function"],
            PolicyDocument=json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"AWS": "arn:aws:iam::999999999999:root"},
                            "Action": "sts:AssumeRole",
                        }
                    ],
                }
            ),
        ),
        MODULE + 'functions.aws_iam_role.function["collector"]',
        "assume_role_policy",
    ),
    "more rights in the policy": Planted(
        role_policy, MODULE + 'functions.aws_iam_role_policy.function["sync_worker"]', "policy"
    ),
    "a policy beside it": Planted(
        role_policy_beside,
        MODULE + 'functions.aws_iam_role.function["orchestrator"]',
        "inline_policy",
        by_hand=True,
    ),
    "a right to read everything": Planted(
        lambda clients, outputs: clients("iam").attach_role_policy(
            RoleName=outputs["orchestrator_function"], PolicyArn=READER
        ),
        MODULE + 'functions.aws_iam_role.function["orchestrator"]',
        "managed_policy_arns",
        by_hand=True,
    ),
    "a policy deleted": Planted(
        lambda clients, outputs: clients("iam").delete_role_policy(
            RoleName=f"{outputs['schedule_name']}-schedule", PolicyName="start"
        ),
        MODULE + "schedule.aws_iam_role_policy.schedule",
        "(the resource)",
    ),
    "more memory": Planted(
        memory, MODULE + 'functions.aws_lambda_function.function["sync_worker"]', "memory_size"
    ),
    "another version in service": Planted(alias, "alias {collector_function}:live", "version"),
    "layers deleted": Planted(
        layer, MODULE + "functions.aws_lambda_layer_version.mirror", "(the resource)"
    ),
    "the schedule on": Planted(schedule, MODULE + "schedule.aws_scheduler_schedule.sync", "state"),
    "the group's tags": Planted(
        schedule_group, MODULE + "schedule.aws_scheduler_schedule_group.sync", "tags_all.Project"
    ),
    "a shorter workflow": Planted(
        state_machine, MODULE + "workflow.aws_sfn_state_machine.sync", "definition.TimeoutSeconds"
    ),
    "settings overwritten": Planted(settings, "s3://{mirror_bucket}/settings/", "sha256"),
    "the bucket's tags": Planted(
        bucket_tags, MODULE + "storage.aws_s3_bucket.mirror", "tags_all.Environment"
    ),
    "no lifecycle": Planted(
        lambda clients, outputs: clients("s3").delete_bucket_lifecycle(
            Bucket=outputs["mirror_bucket"]
        ),
        MODULE + "storage.aws_s3_bucket.mirror",
        "lifecycle_rule",
    ),
    "no bucket policy": Planted(
        lambda clients, outputs: clients("s3").delete_bucket_policy(
            Bucket=outputs["mirror_bucket"]
        ),
        MODULE + "storage.aws_s3_bucket_policy.mirror",
        "(the resource)",
    ),
    "no block of public access": Planted(
        lambda clients, outputs: clients("s3").delete_public_access_block(
            Bucket=outputs["mirror_bucket"]
        ),
        MODULE + "storage.aws_s3_bucket_public_access_block.mirror",
        "(the resource)",
    ),
    "versions suspended": Planted(
        lambda clients, outputs: clients("s3").put_bucket_versioning(
            Bucket=outputs["mirror_bucket"], VersioningConfiguration={"Status": "Suspended"}
        ),
        MODULE + "storage.aws_s3_bucket_versioning.mirror",
        "versioning_configuration.0.status",
    ),
    "another encryption": Planted(
        lambda clients, outputs: clients("s3").put_bucket_encryption(
            Bucket=outputs["mirror_bucket"],
            ServerSideEncryptionConfiguration={
                "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]
            },
        ),
        MODULE + "storage.aws_s3_bucket_server_side_encryption_configuration.mirror",
        "rule",
    ),
}
