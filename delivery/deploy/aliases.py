"""Which version of each function serves, and moving that from one to another."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from delivery.cloud import Cloud
from delivery.errors import CannotRollBack, DeliveryError, LeaseLost, SmokeTestFailed
from delivery.mirror.orchestrator import ALIAS

# Whoever reads a format is moved before whoever writes it; back again, the other way round: at
# every instant the functions in service understand each other.
FORWARD = ("sync_worker_function", "collector_function", "orchestrator_function")
ROLES = {role: role.removesuffix("_function") for role in FORWARD}
BACK = tuple(reversed(FORWARD))
PURPOSE = "The version in service; the workflow calls nothing else."


@dataclass(frozen=True)
class Alias:
    """An alias as it stands: the version that serves, under which lease it was put there."""

    function: str
    version: str
    lease: int
    revision: str


def find(cloud: Cloud, function: str) -> Alias | None:
    """The function's alias; None where there is no such function or alias."""
    try:
        found = cloud.client("lambda").get_alias(FunctionName=function, Name=ALIAS)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return None
        raise
    said = re.search(r"[Ll]ease (\d+)", found.get("Description", ""))
    return Alias(
        function, str(found["FunctionVersion"]), int(said[1]) if said else 0, found["RevisionId"]
    )


def in_service(cloud: Cloud, functions: Sequence[str]) -> Mapping[str, str]:
    """Function → the version that serves; those that are not there are left out."""
    found = {function: find(cloud, function) for function in functions}
    return {function: alias.version for function, alias in found.items() if alias}


def move(cloud: Cloud, function: str, version: str, *, lease: int) -> bool:
    """Let `version` serve; False when it does already.

    Raises:
        LeaseLost: a later lease has moved it, or moves it at this moment.
        DeliveryError: there is no such function, or no such version.
    """
    alias = find(cloud, function)
    if alias is None:
        raise _absent(f'the function "{function}" has no alias "{ALIAS}"', function)
    if alias.lease > lease:
        raise _overtaken(alias, lease)
    if alias.version == version:
        return False
    try:
        cloud.client("lambda").update_alias(
            FunctionName=function,
            Name=ALIAS,
            FunctionVersion=version,
            Description=f"{PURPOSE} Lease {lease}.",
            RevisionId=alias.revision,
        )
    except ClientError as error:
        # A call whose answer was lost is made again, and then meets itself.
        after = find(cloud, function)
        if after is None or (after.version, after.lease) != (version, lease):
            raise _refused(error, alias, version, lease) from error
    return True


def require(cloud: Cloud, versions: Mapping[str, str]) -> None:
    """Return when each version is still there.

    Raises:
        CannotRollBack: one was deleted.
    """
    for function, version in versions.items():
        try:
            cloud.client("lambda").get_function_configuration(
                FunctionName=function, Qualifier=version
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            raise CannotRollBack(
                f'version {version} of "{function}" was deleted',
                where=f"Lambda function {function}",
                remedy="deploy that release anew: inv deploy --release ID",
            ) from error


def prove(cloud: Cloud, function: str, version: str) -> None:
    """Return when a call through the alias is answered by `version`.

    Raises:
        SmokeTestFailed: another version answers, or the function fails.
    """
    answer = cloud.client("lambda").invoke(
        FunctionName=function, Qualifier=ALIAS, Payload=json.dumps({"action": "check"}).encode()
    )
    body = answer["Payload"].read().decode()
    if answer.get("FunctionError"):
        raise _not_serving(function, f"it fails: {body[:300]}")
    served = str(answer.get("ExecutedVersion", version))
    if served != version:
        raise _not_serving(function, f"version {served} answers, not {version}")


def _refused(error: ClientError, alias: Alias, version: str, lease: int) -> Exception:
    code = error.response["Error"]["Code"]
    if code == "PreconditionFailedException":
        return _overtaken(alias, lease)
    if code == "ResourceNotFoundException":
        return _absent(f'"{alias.function}" has no version {version}', alias.function)
    return error


def _overtaken(alias: Alias, lease: int) -> LeaseLost:
    return LeaseLost(
        f'lease {lease} is overtaken: "{alias.function}" was moved under another one',
        where=f"Lambda function {alias.function}, alias {ALIAS}",
        remedy="leave the environment to its present holder: `inv status` says who that is",
    )


def _absent(problem: str, function: str) -> DeliveryError:
    return DeliveryError(
        problem, where=f"Lambda function {function}", remedy="deploy again: inv deploy --force"
    )


def _not_serving(function: str, problem: str) -> SmokeTestFailed:
    return SmokeTestFailed(
        f'"{function}" does not serve as it should: {problem}',
        where=f"Lambda function {function}, alias {ALIAS}",
        remedy="read its log in CloudWatch, /aws/lambda/" + function,
    )


def functions(outputs: Mapping[str, Any], order: Sequence[str] = FORWARD) -> list[str]:
    """The functions' names in the order in which they are moved."""
    return [str(outputs[name]) for name in order if name in outputs]
