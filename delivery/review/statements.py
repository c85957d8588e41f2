"""IAM policy documents: who is let in, to do what, on what.

Source: IAM user guide, "IAM JSON policy elements reference"; Amazon S3 user guide, "The meaning
of public" (which conditions narrow an open principal).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Statement = Mapping[str, Any]

# AWS takes only "*" as their resource. Source: Service Authorization Reference, per service.
WITHOUT_RESOURCE = {
    "cloudwatch:PutMetricData": "metrics are no resources; the namespace is a condition",
    "ec2:DescribeNetworkInterfaces": "EC2's Describe actions cannot be limited",
    "ec2:DescribeSecurityGroups": "EC2's Describe actions cannot be limited",
    "ec2:DescribeSubnets": "EC2's Describe actions cannot be limited",
    "ec2:DescribeVpcs": "EC2's Describe actions cannot be limited",
    "ecr:GetAuthorizationToken": "a token is for a whole registry",
    "logs:CreateLogDelivery": "log delivery knows no resources",
    "logs:DeleteLogDelivery": "log delivery knows no resources",
    "logs:DescribeLogGroups": "it lists; it cannot be limited to a group",
    "logs:DescribeResourcePolicies": "an account's resource policies are no resource",
    "logs:GetLogDelivery": "log delivery knows no resources",
    "logs:ListLogDeliveries": "log delivery knows no resources",
    "logs:PutResourcePolicy": "an account's resource policies are no resource",
    "logs:UpdateLogDelivery": "log delivery knows no resources",
    "sts:GetCallerIdentity": "it needs no permission at all",
    "xray:PutTelemetryRecords": "X-Ray's records are no resources",
    "xray:PutTraceSegments": "X-Ray's records are no resources",
}
# A condition on one of these, with a value that is fixed, makes an open principal a closed one.
NARROWING = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceip",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "kms:calleraccount",
        "s3:dataaccesspointaccount",
    }
)
EVERYWHERE = frozenset({"*", "0.0.0.0/0", "::/0"})
READING = ("Describe", "Get", "List")
WHOLE_SERVICE = re.compile(r"arn:[^:]*:[^:]*:[^:]*:[^:]*:\*")


def statements(policy: Any) -> list[Statement]:
    """The statements of a policy's JSON text; none where there is no policy."""
    if not isinstance(policy, str) or not policy:
        return []
    found = json.loads(policy).get("Statement", [])
    return [found] if isinstance(found, Mapping) else list(found)


def named(statement: Statement) -> str:
    """How a message names it: its Sid, else what it allows."""
    return str(statement.get("Sid") or ", ".join(_listed(statement.get("Action", "?"))))


def is_open(statement: Statement) -> bool:
    """Whether it lets everybody in, with no condition that narrows it."""
    if statement.get("Effect") != "Allow":
        return False
    everybody = "NotPrincipal" in statement or "*" in _principals(statement)
    return everybody and not any(_narrows(*each) for each in _conditions(statement))


def wide_actions(statement: Statement) -> list[str]:
    """The actions it allows that are more than can be named: all, a service, a wildcard."""
    if statement.get("Effect") != "Allow":
        return []
    if "NotAction" in statement:
        return [f"everything but {', '.join(_listed(statement['NotAction']))}"]
    return [each for each in _listed(statement.get("Action", ())) if _is_wide(each)]


def wide_resources(statement: Statement) -> list[str]:
    """The actions it allows on everything, of those that AWS can limit."""
    if statement.get("Effect") != "Allow":
        return []
    resources = _listed(statement.get("Resource", ()))
    is_wide = "NotResource" in statement or any(_is_everything(each) for each in resources)
    allowed = _listed(statement.get("Action", ()))
    return [each for each in allowed if is_wide and each not in WITHOUT_RESOURCE]


def _principals(statement: Statement) -> list[str]:
    principal = statement.get("Principal", ())
    groups = principal.values() if isinstance(principal, Mapping) else [principal]
    return [each for group in groups for each in _listed(group)]


def _conditions(statement: Statement) -> Iterator[tuple[str, str, list[str]]]:
    for operator, pairs in statement.get("Condition", {}).items():
        for key, values in pairs.items():
            yield operator.lower(), key.lower(), _listed(values)


def _narrows(operator: str, key: str, values: Sequence[str]) -> bool:
    # "…IfExists" lets in whoever does not send the key, "…Not…" everybody else.
    is_loose = "not" in operator.rpartition(":")[2] or operator.endswith("ifexists")
    return key in NARROWING and not is_loose and not EVERYWHERE.intersection(values)


def _is_wide(action: str) -> bool:
    verb = action.partition(":")[2]
    return "*" in action and not (verb.startswith(READING) and verb not in {"*"})


def _is_everything(resource: str) -> bool:
    return resource == "*" or WHOLE_SERVICE.fullmatch(resource) is not None


def _listed(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list | tuple) else [str(value)]
