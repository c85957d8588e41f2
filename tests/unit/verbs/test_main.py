"""deploy, status, destroy: what is printed, to which stream, and how the command ends."""

from __future__ import annotations

import json
import os
import re

import pytest

from delivery.deploy import deployment, destruction, lease
from delivery.deploy.lease import Asked
from delivery.progress import Steps
from delivery.releases import under_way
from tests.doubles.stand import BUCKET, Stand

ACCOUNT_LINE = "dev: AWS (amazonaws.com), account 123456789012, us-east-1\n"


@pytest.fixture
def stand(tmp_path, mirror, public_key_pem, monkeypatch):
    """What the verbs work on instead of this checkout and an account."""
    stand = Stand(tmp_path, public_key_pem)
    monkeypatch.setattr("verbs.target.CONFIG_FILE", tmp_path / "airbrew.yaml")
    monkeypatch.setattr("delivery.cloud.aws", lambda *_: stand.cloud)
    for module in (deployment, destruction):
        monkeypatch.setattr(module, "Checkout", lambda: stand.checkout)
    return stand


def test_the_first_line_says_where_and_the_last_what_to_do_next(inv, stand):
    ended = inv("deploy", "--env", "dev")

    assert ended.code == 0
    assert ended.out.startswith(ACCOUNT_LINE)
    assert "deploy 1: 4 created, 0 changed, 0 destroyed\n" in ended.out
    assert "fetched    lib+a@1 1.2_3 arm64_tahoe, " in ended.out
    assert "probe      brew 4, 5, 6 work (" in ended.out
    assert ended.out.splitlines()[-1] == "  inv destroy --env dev"
    assert "apply done in" in ended.err


def test_a_second_deploy_says_that_nothing_changed(inv, stand):
    inv("deploy", "--env", "dev")

    ended = inv("deploy", "--env", "dev")

    assert ended.code == 0
    assert "nothing changed since deploy 1: nothing was done" in ended.out


def test_a_dry_run_shows_the_plan(inv, stand, s3):
    ended = inv("deploy", "--env", "dev", "--dry-run")

    assert ended.code == 0
    assert "+   module.airbrew.module.storage.aws_s3_bucket.mirror\n" in ended.out
    assert "plan: 4 to create, 0 to change, 0 to destroy\n" in ended.out
    assert "policies: nothing forbidden\n" in ended.out
    assert "nothing was done\n" in ended.out
    assert BUCKET not in [each["Name"] for each in s3.list_buckets()["Buckets"]]


def test_deploy_as_json_is_one_document_and_nothing_else(inv, stand):
    ended = inv("deploy", "--env", "dev", "--json")

    document = json.loads(ended.out)
    assert document["action"] == "deployed"
    assert document["bottle"]["formula"] == "lib+a@1"
    assert ended.err.startswith(ACCOUNT_LINE)


def test_a_deploy_that_fails_ends_with_one_message_and_exit_code_1(inv, stand):
    stand.variables["DOUBLE_FAILS"] = "apply"

    ended = inv("deploy", "--env", "dev")

    assert ended.code == 1
    assert "apply FAILED after" in ended.err
    assert "error: terraform apply: no: denied\n  where: " in ended.err
    assert "Traceback" not in ended.err


def test_status_shows_what_stands_even_after_a_deploy_that_failed(inv, stand, monkeypatch):
    inv("deploy", "--env", "dev")
    stand.variables["DOUBLE_FAILS"] = "plan"
    inv("deploy", "--env", "dev", "--force")
    monkeypatch.setattr(
        stand.states, "list_executions", lambda **_: {"executions": []}, raising=False
    )

    ended = inv("status", "--env", "dev")

    assert ended.code == 0
    assert "page       inv mirror.serve --env dev, then open its URL\n" in ended.out
    assert "deploy     2, failed, " in ended.out
    assert "error      plan: terraform plan: no: denied\n" in ended.out
    assert "serving    deploy 1, " in ended.out
    assert "bucket     s3://mirror\n" in ended.out


def test_status_says_what_a_killed_deploy_has_left_and_what_goes_on_from_there(
    inv, stand, monkeypatch
):
    inv("deploy", "--env", "dev")
    monkeypatch.setattr(
        stand.states, "list_executions", lambda **_: {"executions": []}, raising=False
    )
    under_way.mark(stand.cloud, BUCKET, "dev", kind="deploy", lease=2)

    ended = inv("status", "--env", "dev")

    assert "half done  a change began and has not ended, and nobody is at it" in ended.out
    assert "`inv deploy --env dev` goes on, `inv rollback --env dev` goes back" in ended.out


def test_status_says_who_is_at_it_while_an_environment_is_being_changed(inv, stand, monkeypatch):
    inv("deploy", "--env", "dev")
    monkeypatch.setattr(
        stand.states, "list_executions", lambda **_: {"executions": []}, raising=False
    )
    under_way.mark(stand.cloud, BUCKET, "dev", kind="rollback", lease=2)

    with lease.held(stand.cloud, BUCKET, Asked("dev", "rollback", "one"), Steps()):
        ended = inv("status", "--env", "dev")

    who = rf"under way  rollback by \S+, process {os.getpid()} \(arn:\S+\), since 20\S+; lease 2,"
    assert re.search(who, ended.out)
    assert "half done" not in ended.out


def test_status_tells_of_a_first_deploy_while_it_runs_and_when_it_was_killed(inv, stand, s3):
    s3.create_bucket(Bucket=BUCKET)
    under_way.mark(stand.cloud, BUCKET, "dev", kind="deploy", lease=1)

    killed = inv("status", "--env", "dev").out
    with lease.held(stand.cloud, BUCKET, Asked("dev", "deploy", "one"), Steps()):
        running = inv("status", "--env", "dev").out

    assert "nobody is at it; `inv deploy --env dev` goes on\nnext:" in killed
    assert "under way  deploy by " in running
    assert "next:" not in running


def test_status_as_json_is_one_document_and_nothing_else(inv, stand):
    ended = inv("status", "--env", "dev", "--json")

    assert json.loads(ended.out)["record"] is None
    assert ended.err == ACCOUNT_LINE


def test_destroy_asks_and_without_a_terminal_does_nothing(inv, stand, monkeypatch):
    inv("deploy", "--env", "dev")
    before = stand.resources()

    ended = inv("destroy", "--env", "dev")

    assert ended.code == 1
    assert "Destroy dev: all but its bucket?" in ended.err
    assert "use --yes" in ended.err
    assert stand.resources() == before


def test_destroy_says_what_went_and_what_was_kept(inv, stand):
    inv("deploy", "--env", "dev")

    ended = inv("destroy", "--env", "dev", "--yes")

    assert ended.code == 0
    assert "destroyed 3 resources of dev\n" in ended.out
    assert "kept s3://mirror (the mirror: bottles, snapshots)\n" in ended.out
    assert (
        f"kept s3://{BUCKET} (Terraform's state, the history, every release and its settings)\n"
        in ended.out
    )


def test_a_dry_run_asks_nothing_and_destroys_nothing(inv, stand):
    inv("deploy", "--env", "dev")
    stand.keep_state()
    before = stand.resources()

    ended = inv("destroy", "--env", "dev", "--dry-run")

    assert ended.code == 0
    assert "would destroy 3 resources of dev:\n" in ended.out
    assert "would keep s3://mirror (the mirror: bottles, snapshots)\n" in ended.out
    assert ended.out.endswith("nothing was destroyed\n")
    assert stand.resources() == before


def test_destroying_what_is_not_there_is_bad_input(inv, stand):
    ended = inv("destroy", "--env", "dev", "--yes")

    assert ended.code == 2
    assert 'error: nothing was ever deployed in "dev"' in ended.err


def test_an_environment_must_be_named(inv, stand):
    ended = inv("deploy")

    assert ended.code == 2
    assert "next:  --env with one of dev, staging, prod" in ended.err


def test_render_writes_what_terraform_gets_without_asking_aws(inv, stand, monkeypatch):
    monkeypatch.setattr("delivery.cloud.aws", lambda *_: pytest.fail("AWS was asked"))
    monkeypatch.setattr("verbs.config.Checkout", lambda: stand.checkout)
    file = stand.checkout.settings_file(stand.environment)

    first, second = inv("config.render", "--env", "dev"), inv("config.render", "--env", "dev")

    assert (first.code, first.out) == (0, f"{file}: written\n")
    assert (second.code, second.out) == (0, f"{file}: was current\n")
    assert json.loads(file.read_text())["settings"]["account_id"] == "123456789012"
