"""Controls of roles, functions and keys: bounded, as declared, tagged, nothing long-lived."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from delivery.config import rendering
from delivery.security.findings import Control, Place

Told = Iterator[tuple[str, str, str]]
TAGS = ("Project", "Environment", "ManagedBy")


def _roles(place: Place) -> Iterator[dict[str, Any]]:
    """The environment's own, as IAM tells of each when asked for it alone."""
    iam = place.cloud.client("iam")
    for page in iam.get_paginator("list_roles").paginate():
        for each in page["Roles"]:
            if each["RoleName"].startswith(f"{place.prefix}-"):
                yield iam.get_role(RoleName=each["RoleName"])["Role"]


def _bounded(place: Place) -> Told:
    wanted = rendering.boundary_arn(place.environment, place.cloud.account_id)
    for role in _roles(place) if wanted else ():
        found = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", "none")
        if found != wanted:
            yield role["RoleName"], f"its boundary is {found}, not {wanted}", place.redeploy


def _trusting(place: Place) -> Told:
    declared = {str(each["name"]): each for each in place.declared.get("aws_iam_role", ())}
    for role in _roles(place):
        known = declared.get(role["RoleName"])
        if known is None:
            yield role["RoleName"], "nothing of ours declares this role", "delete it, or rename it"
        elif differ(known["assume_role_policy"], role["AssumeRolePolicyDocument"]):
            yield role["RoleName"], "its trust policy is not the declared one", place.redeploy


def _policies(place: Place) -> Told:
    iam = place.cloud.client("iam")
    declared = {
        (str(each["role"]), str(each["name"])): each["policy"]
        for each in place.declared.get("aws_iam_role_policy", ())
    }
    for role in _roles(place):
        name = role["RoleName"]
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            known = declared.get((name, policy))
            found = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            if known is None or differ(known, found):
                yield f"{name}/{policy}", "its policy is not the declared one", place.redeploy
        for each in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            yield name, f"{each['PolicyArn']} was attached to it", place.redeploy


def differ(declared: Any, found: Any) -> bool:
    """Whether a policy as Terraform's state has it, as text, is another than IAM's."""
    return bool(json.loads(str(declared)) != found)


def _tagged(place: Place) -> Told:
    for role in _roles(place):
        lacking = _lacking(place, {each["Key"]: each["Value"] for each in role.get("Tags", ())})
        if lacking:
            yield role["RoleName"], f"it lacks the tags {', '.join(lacking)}", place.redeploy


def _lacking(place: Place, tags: Mapping[str, str]) -> list[str]:
    wanted = dict(
        zip(TAGS, (place.environment.project, place.environment.name, "terraform"), strict=True)
    )
    return [name for name, value in wanted.items() if tags.get(name) != value]


def _functions(place: Place) -> Told:
    client = place.cloud.client("lambda")
    for page in client.get_paginator("list_functions").paginate():
        for each in page["Functions"]:
            name = each["FunctionName"]
            if name.startswith(f"{place.prefix}-") and _is_open(client, name):
                yield name, "its policy lets everybody call it", place.redeploy


def _is_open(client: Any, name: str) -> bool:
    try:
        policy = json.loads(client.get_policy(FunctionName=name)["Policy"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return False
    return any(
        each["Effect"] == "Allow"
        and each.get("Principal") in ("*", {"AWS": "*"})
        and not each.get("Condition")
        for each in policy["Statement"]
    )


def _keys(place: Place) -> Told:
    iam = place.cloud.client("iam")
    for page in iam.get_paginator("list_users").paginate():
        for user in page["Users"]:
            name = user["UserName"]
            for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
                if key["Status"] == "Active":
                    told = f"its key …{key['AccessKeyId'][-4:]} never ends"
                    yield (
                        name,
                        told,
                        "let it assume a role (inv oidc.bootstrap), and delete the key",
                    )


def _root_key(place: Place) -> Told:
    found = place.cloud.client("iam").get_account_summary()["SummaryMap"]
    if found.get("AccountAccessKeysPresent"):
        told = "the account's root has a key: what it does in other regions is told to nobody"
        yield f"root of {place.cloud.account_id}", told, "sign in as root, and delete the key"


CONTROLS = (
    Control("role-boundary", "high", "every role has the boundary", _bounded),
    Control("role-trust", "critical", "roles trust whom they are declared to trust", _trusting),
    Control("role-policy", "critical", "roles may do what they are declared to do", _policies),
    Control("role-tags", "low", "every role says whose it is", _tagged),
    Control("function-open-policy", "critical", "no function is everybody's", _functions),
    Control("user-key", "high", "no credential is long-lived", _keys),
    Control("root-key", "critical", "root has no key", _root_key),
)
