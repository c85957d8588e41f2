"""Control of what lets GitHub in: roles and policies are as `inv oidc.bootstrap` made them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from delivery.security.findings import Control, Place
from delivery.security.roles import differ

Told = Iterator[tuple[str, str, str]]
Attributes = Mapping[str, Any]


def _as_declared(place: Place) -> Told:
    if place.environment.settings["github"]["repository"] is None:
        return
    remedy = f"inv oidc.bootstrap --env {place.environment.name}, and find out who changed it"
    if not place.access:
        yield place.prefix, "nothing is declared of what lets GitHub in", remedy
    iam = place.cloud.client("iam")
    looks = {
        "aws_iam_role": partial(_of_role, iam, place.access),
        "aws_iam_policy": partial(_of_policy, iam),
    }
    for kind, look in looks.items():
        for declared in place.access.get(kind, ()):
            try:
                found = list(look(declared))
            except ClientError as error:
                if error.response["Error"]["Code"] != "NoSuchEntity":
                    raise
                found = [(str(declared["name"]), "it is gone")]
            yield from ((resource, problem, remedy) for resource, problem in found)


def _of_role(
    iam: Any, access: Mapping[str, list[Attributes]], declared: Attributes
) -> Iterator[tuple[str, str]]:
    name = str(declared["name"])
    role = iam.get_role(RoleName=name)["Role"]
    if differ(declared["assume_role_policy"], role["AssumeRolePolicyDocument"]):
        yield name, "its trust policy is not the declared one"
    boundary = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", "none")
    if boundary != declared["permissions_boundary"]:
        yield name, f"its boundary is {boundary}, not {declared['permissions_boundary']}"
    yield from _more_of_role(iam, access, name)


def _more_of_role(
    iam: Any, access: Mapping[str, list[Attributes]], name: str
) -> Iterator[tuple[str, str]]:
    """What it may do that is not declared."""
    policies = {
        each["name"]: each["policy"]
        for each in access.get("aws_iam_role_policy", ())
        if each["role"] == name
    }
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        found = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        if policy not in policies or differ(policies[policy], found):
            yield f"{name}/{policy}", "its policy is not the declared one"
    attachments = access.get("aws_iam_role_policy_attachment", ())
    attached = {each["policy_arn"] for each in attachments if each["role"] == name}
    for each in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        if each["PolicyArn"] not in attached:
            yield name, f"{each['PolicyArn']} was attached to it"


def _of_policy(iam: Any, declared: Attributes) -> Iterator[tuple[str, str]]:
    arn = declared["arn"]
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    found = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    if differ(declared["policy"], found):
        yield str(declared["name"]), f"its version {version} is not the declared one"


CONTROLS = (
    Control("access-declared", "critical", "what lets GitHub in is as declared", _as_declared),
)
