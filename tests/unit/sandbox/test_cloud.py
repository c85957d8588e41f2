"""cloud, as far as nothing need be started: accounts, environments, what is down."""

from __future__ import annotations

import pytest

from sandbox import cloud
from sandbox.cloud import Sandbox
from sandbox.errors import SandboxError

SANDBOX = Sandbox("http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:3", "PEM")


@pytest.mark.parametrize(
    ("name", "account"),
    [("dev", "111111111111"), ("staging", "222222222222"), ("prod", "333333333333")],
)
def test_each_environment_has_an_account_of_its_own(name, account):
    assert SANDBOX.account_of(name) == account
    assert SANDBOX.process_environment(name, "eu-west-1")["AWS_ACCESS_KEY_ID"] == account


def test_an_environment_without_an_account_is_named():
    with pytest.raises(SandboxError, match=r"no account for the environment 'qa'(.|\n)*account_id"):
        SANDBOX.account_of("qa")


def test_a_child_process_can_reach_the_local_aws_and_no_other(monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://s3.example.org")
    monkeypatch.setenv("UNRELATED", "kept")

    environment = SANDBOX.process_environment("dev", "eu-west-1")

    assert environment["UNRELATED"] == "kept"
    assert {name: value for name, value in environment.items() if name.startswith("AWS_")} == {
        "AWS_ACCESS_KEY_ID": "111111111111",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ENDPOINT_URL_CLOUDWATCH": "http://127.0.0.1:2",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }


@pytest.mark.parametrize(
    ("before", "after"),
    [("", "127.0.0.1,localhost"), (".example.org", ".example.org,127.0.0.1,localhost")],
)
def test_a_company_s_proxy_is_not_asked_for_this_machine(monkeypatch, before, after):
    monkeypatch.setenv("NO_PROXY", before)

    assert SANDBOX.process_environment("dev", "us-east-1")["NO_PROXY"] == after


def test_the_upstream_serves_api_and_registry():
    assert (SANDBOX.api_url, SANDBOX.registry_url) == (
        "http://127.0.0.1:3/api",
        "http://127.0.0.1:3",
    )


def test_where_nothing_was_started_everything_is_down(tmp_path):
    found = cloud.status(tmp_path)

    assert [(one.name, one.is_up, one.pid) for one in found] == [
        ("ministack", False, None),
        ("cloudwatch", False, None),
        ("upstream", False, None),
    ]
    assert cloud.down(tmp_path) == []
