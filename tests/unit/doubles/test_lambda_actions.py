"""lambda_actions: the action that AWS checks for a request, where MiniStack takes another."""

from __future__ import annotations

import pytest

from tests.doubles import lambda_actions

FUNCTION = "/2015-03-31/functions/airbrew-dev-collector"
LAYER = "/2018-10-31/layers/airbrew-dev-mirror/versions"


@pytest.mark.parametrize(
    ("method", "path", "action"),
    [
        ("POST", "/2015-03-31/functions", "CreateFunction"),
        ("POST", f"{FUNCTION}/invocations", "InvokeFunction"),
        ("GET", FUNCTION, "GetFunction"),
        ("PUT", f"{FUNCTION}/code", "UpdateFunctionCode"),
        ("GET", f"{FUNCTION}/versions", "ListVersionsByFunction"),
        ("GET", f"{FUNCTION}/aliases", "ListAliases"),
        ("GET", f"{FUNCTION}/aliases/live", "GetAlias"),
        ("PUT", f"{FUNCTION}/aliases/live", "UpdateAlias"),
        ("DELETE", f"{FUNCTION}/aliases/live", "DeleteAlias"),
        ("GET", f"{LAYER}/3", "GetLayerVersion"),
        ("POST", LAYER, "PublishLayerVersion"),
        ("DELETE", f"{LAYER}/3", "DeleteLayerVersion"),
        ("GET", "/elsewhere", None),
    ],
)
def test_a_request_is_what_the_model_of_the_api_says(method, path, action):
    assert lambda_actions.action(method, path) == action
