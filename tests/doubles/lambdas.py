"""Lambda as a deploy meets it: versions that Terraform published, aliases, calls that are answered.

Source of the errors: AWS Lambda API, GetAlias, UpdateAlias, GetFunctionConfiguration, Invoke.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from tests.doubles.published import Functions

PLANNED = {"bottles": 1, "missing": 0}
ANSWERED = {"project": "acme", "environment": "dev"}


class LambdaClient:
    """The calls that a deploy makes, with `fails` to let code that is named fail."""

    def __init__(self, functions: Functions) -> None:
        self.functions = functions
        self.fails: Callable[[str, str], bool] = lambda _function, _code: False
        self.calls: list[tuple[str, str]] = []

    def get_alias(self, FunctionName: str, Name: str) -> dict[str, Any]:  # noqa: N803 - AWS's
        assert Name == "live"
        return dict(self._found(FunctionName, "GetAlias")["alias"])

    def update_alias(self, FunctionName: str, Name: str, **wanted: str) -> dict[str, Any]:  # noqa: N803 - AWS's
        assert Name == "live"
        functions = self.functions.read()
        held = self._found(FunctionName, "UpdateAlias", functions)
        if wanted.pop("RevisionId") != held["alias"]["RevisionId"]:
            raise _error("PreconditionFailedException", "UpdateAlias")
        if wanted["FunctionVersion"] not in held["versions"]:
            raise _error("ResourceNotFoundException", "UpdateAlias")
        revision = str(int(held["alias"]["RevisionId"]) + 1)
        held["alias"] = {**held["alias"], **wanted, "RevisionId": revision}
        self.functions.write(functions)
        return dict(held["alias"])

    def get_function_configuration(self, FunctionName: str, Qualifier: str) -> dict[str, Any]:  # noqa: N803 - AWS's
        held = self._found(FunctionName, "GetFunctionConfiguration")
        if Qualifier not in held["versions"]:
            raise _error("ResourceNotFoundException", "GetFunctionConfiguration")
        # Its "code" is the artifact, the key of its settings, and the layer, as Terraform's double.
        variables = {"AIRBREW_SETTINGS_KEY": held["versions"][Qualifier].split()[1]}
        return {"Version": Qualifier, "Environment": {"Variables": variables}}

    def invoke(self, FunctionName: str, Qualifier: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - AWS's
        held = self._found(FunctionName, "Invoke")
        version = held["alias"]["FunctionVersion"] if Qualifier == "live" else Qualifier
        self.calls.append((FunctionName, Qualifier))
        if self.fails(FunctionName, held["versions"][version]):
            told = {"errorType": "BadSettings", "errorMessage": "it is broken"}
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps(told).encode())}
        answer = PLANNED if json.loads(Payload)["action"] == "plan" else {"snapshots": 1}
        body = io.BytesIO(json.dumps({**ANSWERED, **answer}).encode())
        return {"Payload": body, "ExecutedVersion": version}

    def _found(
        self, function: str, call: str, functions: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        held = (functions if functions is not None else self.functions.read()).get(function)
        if held is None:
            raise _error("ResourceNotFoundException", call)
        return held


def _error(code: str, call: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, call)
