"""image.build and image.push: what they say, what they do not do again, what they refuse."""

from __future__ import annotations

import json

import boto3
import pytest
from moto import mock_aws

from delivery.artifacts import builders, image
from delivery.cloud import Cloud
from tests.unit.delivery.artifacts.test_image import DIGEST, ID, Machine

CONFIGURATION = """
project: {name: acme}
environments:
  dev: {type: development}
  staging: {type: staging, account_id: "123456789012"}
  prod: {type: production}
"""
REPOSITORY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/acme-staging-sync-worker"


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with Docker, on which nothing was built yet."""
    (tmp_path / "airbrew.yaml").write_text(CONFIGURATION)
    monkeypatch.setattr("verbs.target.CONFIG_FILE", tmp_path / "airbrew.yaml")
    monkeypatch.setattr("verbs.image.STATE_DIR", tmp_path)
    found = Machine("docker version")
    monkeypatch.setattr(builders, "on_this_machine", found)
    with mock_aws():
        monkeypatch.setattr(
            "delivery.cloud.aws", lambda account, region, _: Cloud("AWS", account, region, {})
        )
        yield found


def test_a_second_build_says_that_nothing_was_built(inv, machine):
    first, second = inv("image.build"), inv("image.build")

    assert first.out.startswith(f"airbrew/sync-worker {ID[:12]}, built by docker\n")
    assert "its inputs have not changed, nothing was built\n" in second.out


def test_a_push_makes_the_repository_and_says_the_name_by_digest(inv, machine):
    ended = inv("image.push", "--env", "staging")

    (made,) = boto3.client("ecr").describe_repositories()["repositories"]
    assert ended.code == 0
    assert ended.out.endswith(f"pushed: {REPOSITORY}@{DIGEST}\n")
    assert made["repositoryUri"] == REPOSITORY


def test_what_the_registry_has_is_not_pushed_again_but_known_from_then_on(
    inv, machine, monkeypatch, tmp_path
):
    monkeypatch.setattr("delivery.image_repository.digest_of", lambda *_, tag: f"sha256:{tag[-3:]}")

    found = json.loads(inv("image.push", "--env", "staging", "--json").out)

    assert not found["sent"]
    assert not any("push" in command for command in machine.commands)
    architecture = "arm64"
    noted = json.loads((tmp_path / "artifacts" / f"image-{architecture}.json").read_text())
    assert noted["digest"] == found["digest"] == f"sha256:{noted['inputs'][-3:]}"


def test_a_dry_run_builds_creates_and_pushes_nothing(inv, machine):
    ended = inv("image.push", "--env", "staging", "--dry-run")

    assert ended.out.endswith(f"it would go to {REPOSITORY}; nothing was done\n")
    assert machine.commands == []
    assert boto3.client("ecr").describe_repositories()["repositories"] == []


def test_the_sandbox_has_no_registry_but_takes_one_that_is_named(inv, machine):
    refused = inv("image.push", "--env", "dev")
    taken = inv("image.push", "--env", "dev", "--registry", "127.0.0.1:5000")

    assert refused.code == 2
    assert "--registry HOST:PORT" in refused.err
    assert taken.out == f"pushed: 127.0.0.1:5000/acme-dev-sync-worker@{DIGEST}\n"


def test_the_tag_is_the_digest_of_the_inputs(inv, machine):
    inv("image.push", "--env", "staging")

    pushed = next(command[-1] for command in machine.commands if "push" in command)
    assert pushed.startswith(f"{REPOSITORY}:{image.tag('')}")
    assert len(pushed.rpartition("-")[2]) == 64
