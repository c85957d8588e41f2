"""What IAM calls a request to Lambda, by the routes in AWS's own model of the API.

MiniStack 1.5.33 goes by parts of the path (`iam_actions._lambda_action`): to it GetAlias and
UpdateAlias are ListAliases, GetLayerVersion is ListLayers, and DeleteLayerVersion is nothing.
"""

from __future__ import annotations

import re
from functools import cache

from botocore.loaders import Loader

# An operation whose action has another name. Source: Service Authorization Reference, AWS Lambda.
ACTIONS = {"Invoke": "InvokeFunction"}


def action(method: str, path: str) -> str | None:
    """``GetAlias``; None for what is no operation of Lambda."""
    for verb, route, operation in _routes():
        if verb == method and route.fullmatch(path.rstrip("/")):
            return ACTIONS.get(operation, operation)
    return None


@cache
def _routes() -> list[tuple[str, re.Pattern[str], str]]:
    operations = Loader().load_service_model("lambda", "service-2")["operations"]
    return [
        (each["http"]["method"], _pattern(each["http"]["requestUri"]), name)
        for name, each in operations.items()
    ]


def _pattern(uri: str) -> re.Pattern[str]:
    """``/2015-03-31/functions/{FunctionName}/aliases/`` as a pattern."""
    path = uri.partition("?")[0].rstrip("/")
    return re.compile("".join(_part(each) for each in re.split(r"(\{\w+\})", path)))


def _part(text: str) -> str:
    return "[^/]+" if text.startswith("{") else re.escape(text)
