"""What of a policy was used: its statements held against the calls that were made under it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

ANSWERS = ("states:SendTaskFailure", "states:SendTaskHeartbeat", "states:SendTaskSuccess")
FOR_ANY_TOKEN = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ANSWERS, "Resource": "*"}],
}

Policy = Mapping[str, Any]


@dataclass(frozen=True)
class Call:
    """One call as it was decided; a resource that the local AWS cannot name is ``*``."""

    role: str
    action: str
    resource: str
    decision: str = ""

    @property
    def asked(self) -> tuple[str, str, str]:
        """All but the decision."""
        return self.role, self.action, self.resource


def calls(file: Path, session: str = "") -> list[Call]:
    """What roles asked for, from the lines of tests.doubles.recording_aws.

    ``arn:aws:sts::000000000000:assumed-role/airbrew-dev-orchestrator/…`` is the role's.

    Args:
        session: of all of a role's sessions only the one of this name.
    """
    told = (json.loads(line) for line in file.read_text().splitlines())
    return [
        Call(principal.split("/")[1], action, resource, decision)
        for principal, action, resource, decision in told
        if ":assumed-role/" in principal and principal.endswith(session)
    ]


def with_machine(made: Iterable[Call], state_machine: str) -> list[Call]:
    """The same, with the state machine as the resource of an answer to a token.

    MiniStack 1.5.33 gives ``*`` there. On AWS the token knows its execution: the Service
    Authorization Reference lists none but ``*``, but policies that name the state machine are
    what CDK grants and what works (aws-cdk#8486).
    """
    return named(made, dict.fromkeys(ANSWERS, state_machine))


def named(made: Iterable[Call], resources: Mapping[str, str]) -> list[Call]:
    """The same, with the resource that AWS names where the local AWS gives another, or none.

    Args:
        resources: action → ARN.
    """
    return [replace(each, resource=resources.get(each.action, each.resource)) for each in made]


def denied(made: Iterable[Call]) -> list[Call]:
    """What was never allowed: a call is decided by several policies, and one of them has to."""
    calls = list(made)
    allowed = {each.asked for each in calls if each.decision == "Allow"}
    return [each for each in calls if each.asked not in allowed]


def decide(policy: Policy, call: Call, context: Mapping[str, str]) -> Call:
    """The call, with the decision of a policy whose statements all allow.

    Args:
        context: condition key → value; a condition wants exactly that, or one of several.
    """
    allowed = any(
        _any(_listed(statement["Action"]), call.action)
        and _any(_listed(statement["Resource"]), call.resource)
        and all(
            context.get(key) in _listed(value)
            for wanted in statement.get("Condition", {}).values()
            for key, value in wanted.items()
        )
        for statement in policy["Statement"]
    )
    return replace(call, decision="Allow" if allowed else "ImplicitDeny")


def excess(policy: Policy, made: Iterable[Call]) -> Iterator[str]:
    """``Sid: action or resource`` for each that none of a role's calls needed.

    Args:
        policy: a document whose statements all allow.
        made: the calls of the one role that has it.
    """
    used = list(made)
    for statement in policy["Statement"]:
        actions, resources = _listed(statement["Action"]), _listed(statement["Resource"])
        here = [
            each for each in used if _any(actions, each.action) and _any(resources, each.resource)
        ]
        for action in actions:
            if not any(_fits(action, each.action) for each in here):
                yield f"{statement['Sid']}: {action}"
        for resource in resources:
            if not any(_fits(resource, each.resource) for each in here):
                yield f"{statement['Sid']}: {resource}"


def _listed(said: str | Sequence[str]) -> Sequence[str]:
    return [said] if isinstance(said, str) else said


def _any(patterns: Iterable[str], text: str) -> bool:
    return any(_fits(pattern, text) for pattern in patterns)


def _fits(pattern: str, text: str) -> bool:
    """As IAM matches: ``*`` is any run of characters, ``?`` any one."""
    escaped = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(escaped, text, re.DOTALL) is not None
