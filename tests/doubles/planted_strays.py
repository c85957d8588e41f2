"""What people do by hand to an environment that only calls of their own put back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

Clients = Callable[[str], Any]
TAGS = {"Project": "another", "Stray": "by-hand"}
# Resource Groups Tagging API, TagResources: as many at most.
AT_ONCE = 20


def plant(clients: Clients, prefix: str) -> None:
    """Other tags on everything, and a change of a role, the trail and each part of the network.

    Args:
        prefix: ``airbrew-dev``.
    """
    _tag(clients, prefix)
    _change_role(clients("iam"), f"{prefix}-collector")
    _change_network(clients("ec2"), f"{prefix}-sync")
    clients("cloudtrail").update_trail(Name=f"{prefix}-trail", EnableLogFileValidation=False)


def _tag(clients: Clients, prefix: str) -> None:
    listed = [{"Key": key, "Value": value} for key, value in TAGS.items()]
    _tag_at_once(clients)
    _tag_what_is_not_listed(clients, prefix, listed)
    clients("iam").tag_role(RoleName=f"{prefix}-collector", Tags=listed)


def _tag_at_once(clients: Clients) -> None:
    tagging = clients("resourcegroupstaggingapi")
    pages = tagging.get_paginator("get_resources").paginate(
        TagFilters=[{"Key": "ManagedBy", "Values": ["terraform"]}]
    )
    arns = [each["ResourceARN"] for page in pages for each in page["ResourceTagMappingList"]]
    for at in range(0, len(arns), AT_ONCE):
        tagging.tag_resources(ResourceARNList=arns[at : at + AT_ONCE], Tags=TAGS)


def _tag_what_is_not_listed(clients: Clients, prefix: str, listed: Sequence[Any]) -> None:
    """MiniStack 1.5.33 lists no more than some kinds of resources there."""
    machines = clients("stepfunctions").list_state_machines()["stateMachines"]
    for each in machines:
        lowered = [{"key": tag["Key"], "value": tag["Value"]} for tag in listed]
        clients("stepfunctions").tag_resource(resourceArn=each["stateMachineArn"], tags=lowered)
    groups = clients("logs").describe_log_groups(logGroupNamePrefix=f"/ecs/{prefix}-")
    for each in groups["logGroups"]:
        clients("logs").tag_resource(resourceArn=each["arn"].removesuffix(":*"), tags=TAGS)
    for each in clients("cloudwatch").describe_alarms(AlarmNamePrefix=prefix)["MetricAlarms"]:
        clients("cloudwatch").tag_resource(ResourceARN=each["AlarmArn"], Tags=listed)
    trail = clients("cloudtrail").get_trail(Name=f"{prefix}-trail")["Trail"]
    clients("cloudtrail").add_tags(ResourceId=trail["TrailARN"], TagsList=listed)
    for each in clients("ec2").describe_vpcs(Filters=_named(f"{prefix}-sync"))["Vpcs"]:
        clients("ec2").create_tags(Resources=[each["VpcId"]], Tags=listed)


def _named(*names: str) -> Sequence[Any]:
    return [{"Name": "tag:Name", "Values": list(names)}]


def _change_role(iam: Any, role: str) -> None:
    iam.update_role(RoleName=role, Description="Mine.", MaxSessionDuration=7200)
    iam.delete_role_permissions_boundary(RoleName=role)


def _change_network(ec2: Any, name: str) -> None:
    named = _named(name, f"{name}-0")
    group = [{"Name": "group-name", "Values": [name]}]
    for found in ec2.describe_security_groups(Filters=group)["SecurityGroups"]:
        ec2.authorize_security_group_ingress(
            GroupId=found["GroupId"], IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0"
        )
    for found in ec2.describe_subnets(Filters=named)["Subnets"]:
        ec2.modify_subnet_attribute(SubnetId=found["SubnetId"], MapPublicIpOnLaunch={"Value": True})
    (gateway,) = ec2.describe_internet_gateways(Filters=named)["InternetGateways"]
    (table,) = ec2.describe_route_tables(Filters=named)["RouteTables"]
    ec2.create_route(
        RouteTableId=table["RouteTableId"],
        DestinationCidrBlock="198.51.100.0/24",
        GatewayId=gateway["InternetGatewayId"],
    )
