"""Our workflows where an environment has an account: pushes, days, Mondays and pull requests."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from sandbox.cloud import ACCOUNTS
from tests.doubles.github_api import TOKEN, Hub, serving
from tests.rehearsal import stand_ins, syntax
from tests.rehearsal.player import Player
from tests.rehearsal.repository import pull_request, push
from tests.rehearsal.scene import REPOSITORY, Circumstances, Event

ROOT = Path(__file__).parents[2]
DAILY, MONDAYS = "17 4 * * 0,2-6", "17 4 * * 1"
PLAN_ROLE, DEPLOY_ROLE = (
    f"arn:aws:iam::{ACCOUNTS['dev']}:role/github-airbrew-dev-{purpose}"
    for purpose in ("plan", "deploy")
)
WEBHOOK = "https://hooks.slack.com/services/T0000001/B0000001/abcdefghijklmnopqrstuvwx"
DECLARED = [
    {"name": "SLACK_WEBHOOK_URL", "form": "slack_webhook", "max_age_days": 90},
    {"name": "ALARM_ADDRESS", "kind": "variable", "form": "email", "aws": False, "max_age_days": 0},
    {"name": "AIRBREW_READ_TOKEN", "github": "repository", "aws": False, "max_age_days": 30},
]


def in_the_account(player: Player, service: str) -> Any:
    """A client of dev's account, as the jobs left it."""
    session = stand_ins.session(player.workspace, ACCOUNTS["dev"], "us-east-1")
    return boto3.client(
        service,
        endpoint_url=session["AWS_ENDPOINT_URL"],
        aws_access_key_id=session["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=session["AWS_SECRET_ACCESS_KEY"],
        region_name=session["AWS_REGION"],
    )


def scheduled(sha, cron):
    return Event("schedule", "refs/heads/main", sha, {"schedule": cron})


def table(run):
    """The first two columns of what stands on the run's page."""
    return [tuple(line.split()[1:3]) for line in run.lines if line.startswith("   | ")]


@pytest.fixture(scope="module")
def with_secrets(player, repository, accounts):
    """What dev declares of secrets; the one that lies in its account is there."""
    repository.git("checkout", "-q", "--detach", accounts)
    in_the_account(player, "secretsmanager").create_secret(
        Name="airbrew-dev/slack-webhook-url", SecretString=WEBHOOK
    )
    # A schedule looks at each account there is; of these it is enough to see one.
    for other in ("staging", "prod"):
        repository.configure(other, {"account_id": None})
    return repository.configure("dev", {"secrets": DECLARED})


@pytest.fixture(scope="module")
def a_push_into_the_account(play, with_secrets, accounts):
    return play("push-into-an-account", push("refs/heads/develop", with_secrets, accounts))


@pytest.fixture
def github():
    """GitHub's API: all that is declared was set just now."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with serving(Hub(repository=REPOSITORY, now=now)) as hub:
        hub.put("dev", "secrets", "SLACK_WEBHOOK_URL", WEBHOOK)
        hub.put("dev", "variables", "ALARM_ADDRESS", "ops@example.com")
        hub.put(None, "secrets", "AIRBREW_READ_TOKEN", TOKEN)
        yield hub
    assert hub.refused == []


def checking_secrets(github):
    return Circumstances(
        variables={"AIRBREW_CHECK_SECRETS": "true"},
        secrets={"AIRBREW_READ_TOKEN": TOKEN},
        api_url=github.url,
    )


def test_the_schedules_that_are_played_are_those_of_the_file():
    triggers = syntax.read(ROOT / ".github" / "workflows" / "scheduled.yml").triggers

    assert [each["cron"] for each in triggers["schedule"]] == [DAILY, MONDAYS]


def by_hand(sha):
    return Event("workflow_dispatch", "refs/heads/main", sha, {"inputs": None})


def test_without_an_account_a_schedule_looks_at_the_repository_alone(play, a_push_to_develop):
    run = play("schedule", scheduled(a_push_to_develop.event.sha, DAILY))

    assert run.result("security") == "success", run.lines
    assert run.result("environment") == "skipped"


def test_a_push_to_develop_is_deployed_into_the_account_by_the_role_for_just_that(
    a_push_into_the_account,
):
    run = a_push_into_the_account

    assert run.result("deploy") == "success", run.lines
    assert any(f"dev: AWS (amazonaws.com), account {ACCOUNTS['dev']}" in line for line in run.lines)
    assert run.obtained.identity_tokens == ["attestation", DEPLOY_ROLE]
    assert run.obtained.secrets == []


@pytest.fixture
def a_day(play, a_push_into_the_account, github):
    sha = a_push_into_the_account.event.sha
    return play("daily", scheduled(sha, DAILY), checking_secrets(github))


def test_each_day_an_account_is_looked_at_with_the_role_that_may_only_look(a_day):
    run = a_day

    assert run.result("environment") == "success", run.lines
    assert run.obtained.identity_tokens == [PLAN_ROLE]
    assert any("no drift" in line for line in run.lines)
    assert any("0 findings that nobody accepted" in line for line in run.lines)
    assert any("every client works" in line for line in run.lines)
    assert {path.name for path in run.artifacts["security-dev"].iterdir()} == {
        "security.html",
        "security.sarif",
    }
    assert "report-dev" not in run.artifacts
    # Secrets that are there and young are told without their values.
    assert run.obtained.secrets == ["AIRBREW_READ_TOKEN"]
    wanted = {each["name"] for each in DECLARED} | {"github-airbrew-dev-plan"}
    assert {(name, "ok") for name in wanted} <= set(table(run))
    assert not any(WEBHOOK in line or TOKEN in line for line in run.lines)


def test_a_secret_too_old_a_value_without_its_form_and_an_open_bucket_fail_the_day(
    play, player, a_push_into_the_account, github
):
    github.put(None, "secrets", "AIRBREW_READ_TOKEN", TOKEN, at="2026-01-01T00:00:00Z")
    github.put("dev", "variables", "ALARM_ADDRESS", "nobody-in-particular")
    bucket = f"airbrew-dev-mirror-{ACCOUNTS['dev']}"
    s3 = in_the_account(player, "s3")
    blocked = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    s3.delete_public_access_block(Bucket=bucket)
    sha = a_push_into_the_account.event.sha

    run = play("bad-day", scheduled(sha, DAILY), checking_secrets(github))

    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=blocked)
    assert run.result("environment") == "failure"
    assert ("AIRBREW_READ_TOKEN", "overdue") in table(run)
    assert ("ALARM_ADDRESS", "malformed") in table(run)
    remedy = "next: inv secrets.rotate --env dev --name AIRBREW_READ_TOKEN"
    assert any(remedy in line for line in run.lines)
    assert not any("nobody-in-particular" in line for line in run.lines)
    found = json.loads((run.artifacts["security-dev"] / "security.sarif").read_text())
    assert [each["ruleId"] for each in found["runs"][0]["results"]] == ["bucket-public-block"]
    # Whatever was found, all is looked at.
    assert [text for text, _ in run.jobs["environment"].ran if "invoke status" in text]


@pytest.mark.parametrize("when", ["monday", "by-hand"])
def test_on_mondays_and_by_hand_there_is_a_report_of_all_that_the_mirror_did_in_the_week(
    play, a_push_into_the_account, when
):
    sha = a_push_into_the_account.event.sha

    run = play(when, by_hand(sha) if when == "by-hand" else scheduled(sha, MONDAYS))

    assert run.result("environment") == "success", run.lines
    page = (run.artifacts["report-dev"] / "report.html").read_text()
    assert "What the mirror of dev did" in page
    assert "Formulae, new" in page
    assert any("0 failed" in line for line in run.lines if line.startswith("   | "))


@pytest.fixture(scope="module")
def a_change(repository, a_push_into_the_account):
    """Starts syncs by themselves, which a plan shows."""
    repository.git("checkout", "-q", "--detach", a_push_into_the_account.event.sha)
    return repository.configure("dev", {"schedule": {"enabled": True}})


@pytest.fixture(scope="module")
def a_comparison(play, a_change, with_secrets):
    return play("compare", pull_request(a_change, with_secrets, into="develop"))


def test_a_pull_request_is_held_against_the_account_that_it_is_going_to(a_comparison):
    run = a_comparison

    assert run.result("compare") == "success", run.lines
    assert any("### Plan: dev, planned" in line for line in run.lines)
    assert any("there is nothing to approve" in line for line in run.lines)
    changed = [line.split()[-1] for line in run.lines if line.startswith("   | ~")]
    assert changed == ["module.airbrew.module.schedule.aws_scheduler_schedule.sync"]


def test_a_comparison_is_made_with_the_role_that_may_only_look_and_changes_nothing(
    a_comparison, player
):
    run = a_comparison

    assert run.obtained.identity_tokens == [PLAN_ROLE]
    assert run.obtained.write_tokens == []
    assert run.obtained.secrets == []
    assert {run.result(job) for job in ("build", "plan", "deploy")} == {"skipped"}
    scheduler = in_the_account(player, "scheduler")
    schedule = scheduler.get_schedule(Name="airbrew-dev-sync", GroupName="airbrew-dev-sync")
    assert schedule["State"] == "DISABLED"


def test_a_fork_s_pull_request_is_shown_without_secret_and_token_and_held_against_no_account(
    play, a_change, with_secrets
):
    pulled = pull_request(a_change, with_secrets, head="somebody/airbrew", into="develop")

    run = play("fork", pulled)

    assert run.result("passed") == "success", run.lines
    assert run.result("preview") == "success"
    assert run.result("compare") == "skipped"
    assert run.obtained.secrets == []
    assert run.obtained.identity_tokens == []
    assert run.obtained.write_tokens == []
