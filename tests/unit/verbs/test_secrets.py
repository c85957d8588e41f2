"""inv secrets.*: what a person sees of secrets, and never the secrets."""

from __future__ import annotations

import io
import json
import re

import pytest

from delivery.cloud import Cloud
from delivery.config import effective, loading
from tests.doubles.github_api import TOKEN, Hub, serving
from verbs import secrets

CONFIGURATION = """
project: {name: acme}
environments:
  dev:
    type: development
    github: {repository: acme/mirror}
    secrets: [{name: PASSPHRASE, max_age_days: 30}]
  staging: {type: staging}
  prod: {type: production}
"""


@pytest.fixture
def hub(monkeypatch, tmp_path, s3):
    """dev in an account that moto plays, and its repository."""
    file = tmp_path / "airbrew.yaml"
    file.write_text(CONFIGURATION)
    document = loading.load(file)
    cloud = Cloud("AWS", "123456789012", "us-east-1", variables={})
    monkeypatch.setattr(
        secrets, "environment_named", lambda name: effective.effective(document, name)
    )
    monkeypatch.setattr(secrets, "reach", lambda _: cloud)
    with serving(Hub()) as found:
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        monkeypatch.setenv("GITHUB_API_URL", found.url)
        yield found
    assert found.refused == []


def test_a_check_fails_with_what_is_missing_and_the_command_that_mends_it(inv, hub):
    ended = inv("secrets.check", "--env", "dev")

    assert ended.code == 1
    assert re.search(r"^PASSPHRASE +missing +- +AWS, GitHub environment$", ended.out, re.M)
    assert "next: inv secrets.rotate --env dev --name PASSPHRASE" in ended.out


def test_a_new_value_comes_from_standard_input_and_is_never_shown(inv, hub, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse\n"))

    ended = inv("secrets.rotate", "--env", "dev", "--name", "PASSPHRASE")

    assert (ended.code, hub.at("dev", "secrets").values) == (0, {"PASSPHRASE": "correct horse"})
    assert "dev: PASSPHRASE has its new value" in ended.out
    assert "horse" not in ended.out + ended.err


def test_the_check_as_json_says_the_same(inv, hub):
    ended = inv("secrets.check", "--env", "dev", "--json")

    told = {each["name"]: each for each in json.loads(ended.out)}
    assert ended.code == 1
    assert told["PASSPHRASE"]["state"] == "missing"
    assert told["github-acme-dev-deploy"]["remedy"] == "inv oidc.bootstrap --env dev"


def test_a_dry_run_asks_for_nothing(inv, hub):
    ended = inv("secrets.rotate", "--env", "dev", "--name", "PASSPHRASE", "--dry-run")

    assert (ended.code, hub.kept.get(("dev", "secrets"))) == (0, None)
    assert "dev: nothing was done" in ended.out
