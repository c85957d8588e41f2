"""Whose account it is comes first: with credentials of another, nothing else is asked of AWS."""

from __future__ import annotations

import socket

import pytest
from botocore.client import BaseClient
from moto import mock_aws

CONFIGURATION = """
project: {name: acme}
environments:
  dev: {type: development, account_id: "999999999999"}
  staging: {type: staging, account_id: "888888888888"}
  prod: {type: production}
"""
# moto's STS says that everybody is of this account.
FOUND = "123456789012"


@pytest.fixture
def calls(tmp_path, monkeypatch):
    """Every call to any API, in order."""
    (tmp_path / "airbrew.yaml").write_text(CONFIGURATION)
    monkeypatch.setattr("verbs.target.CONFIG_FILE", tmp_path / "airbrew.yaml")
    made, really = [], BaseClient._make_api_call

    def noted(client, operation, parameters):
        made.append(f"{client.meta.service_model.service_name}:{operation}")
        return really(client, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", noted)
    with mock_aws():
        yield made


@pytest.mark.parametrize(
    "words",
    [
        ("deploy",),
        ("deploy", "--dry-run"),
        ("deploy", "--force"),
        ("destroy", "--yes", "--delete-data"),
        ("plan",),
        ("rollback",),
        ("status",),
        ("history",),
        ("image.push",),
        ("mirror.sync",),
        ("mirror.gc", "--apply"),
    ],
    ids=" ".join,
)
def test_credentials_of_another_account_are_refused_before_any_other_call(inv, calls, words):
    ended = inv(*words, "--env", "dev")

    assert ended.code == 1
    assert f"the credentials belong to account {FOUND}, not to 999999999999" in ended.err
    assert calls == ["sts:GetCallerIdentity"]


def test_a_diff_proves_both_accounts_before_it_reads_in_either(inv, calls):
    ended = inv("diff", "--env", "dev", "--env", "staging")

    assert ended.code == 1
    assert calls == ["sts:GetCallerIdentity"]


def test_where_aws_cannot_be_reached_the_credentials_are_not_blamed(inv, calls, monkeypatch):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"http://127.0.0.1:{port}")

    ended = inv("deploy", "--env", "dev")

    assert ended.code == 1
    assert "are those of account 999999999999: Could not connect to the endpoint URL" in ended.err
    assert "next:  let this machine reach AWS" in ended.err


def test_without_credentials_nothing_is_asked_at_all(inv, calls, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)

    ended = inv("deploy", "--env", "dev")

    assert ended.code == 1
    assert "no usable AWS credentials for account 999999999999" in ended.err
    assert set(calls) <= {"sts:GetCallerIdentity"}
