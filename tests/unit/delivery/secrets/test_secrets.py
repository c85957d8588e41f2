"""Secrets: found where they are wanted, told without their values, replaced without a gap."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from delivery.cloud import Cloud
from delivery.config import effective, loading
from delivery.errors import BadInput, DeliveryError
from delivery.oidc import access
from delivery.progress import Silence, Steps
from delivery.secrets import checking, forms
from delivery.secrets.at_aws import CURRENT, PENDING, PREVIOUS, AtAws
from delivery.secrets.at_github import AtGitHub
from delivery.secrets.rotation import Rotation
from tests.doubles.github_api import TOKEN, Hub, serving

OLD = "https://hooks.slack.com/services/T0000001/B0000001/oldoldoldoldoldoldoldold"
NEW = "https://hooks.slack.com/services/T0000001/B0000002/newnewnewnewnewnewnewnew"
WEBHOOK = "SLACK_WEBHOOK_URL"
IN_AWS = "acme-dev/slack-webhook-url"
DEPLOY_ROLE = "arn:aws:iam::123456789012:role/github-acme-dev-deploy"
CONFIGURATION = """
project: {name: acme}
environments:
  dev:
    type: development
    github: {repository: acme/mirror}
    secrets:
      - {name: SLACK_WEBHOOK_URL, form: slack_webhook, max_age_days: 90}
      - {name: ALARM_ADDRESS, kind: variable, form: email, aws: false, max_age_days: 0}
      - {name: SIGNING_PASSPHRASE, github: none}
  staging: {type: staging}
  prod: {type: production}
"""


@pytest.fixture
def environment(tmp_path):
    """dev, with a webhook in both places, an address at GitHub and a passphrase in AWS."""
    file = tmp_path / "airbrew.yaml"
    file.write_text(CONFIGURATION)
    return effective.effective(loading.load(file), "dev")


@pytest.fixture
def hub():
    """GitHub, and at the end nothing that it would have refused."""
    with serving(Hub()) as found:
        yield found
    assert found.refused == []


@pytest.fixture
def github(hub):
    return AtGitHub("acme/mirror", "dev", token=TOKEN, api=hub.url)


@pytest.fixture
def cloud(s3) -> Cloud:
    """An account that moto plays."""
    return Cloud("AWS", "123456789012", "us-east-1", variables={})


class Slack:
    """Its webhooks: the living ones want a text, the others are gone."""

    def __init__(self, *alive):
        self.alive, self.asked, self.is_up = set(alive), [], True

    def __call__(self, url, body):
        self.asked.append(json.loads(body))
        if not self.is_up:
            return 503, "unavailable"
        return (400, "no_text") if url in self.alive else (404, "no_service")


def let_in(cloud, repository="acme/mirror", purposes=("deploy", "plan")):
    """The roles that `inv oidc.bootstrap` makes, as far as it is told whom they let in."""
    for purpose in purposes:
        allow = {
            "Effect": "Allow",
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": {"Federated": access.provider_arn("123456789012")},
            "Condition": {"StringLike": {f"{access.ISSUER}:sub": f"repo:{repository}:*"}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        cloud.client("iam").create_role(
            RoleName=f"github-acme-dev-{purpose}", AssumeRolePolicyDocument=policy
        )


def rotation(environment, cloud, github, slack, value=NEW):
    return Rotation(environment, cloud, github, ask=lambda: f"{value}\n", send=slack)


@pytest.fixture
def complete(cloud, hub, github, environment):
    """Everything is there, set just now."""
    hub.now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    let_in(cloud)
    hub.put("dev", "secrets", WEBHOOK, OLD)
    hub.put("dev", "variables", "ALARM_ADDRESS", "ops@example.com")
    manager = cloud.client("secretsmanager")
    manager.create_secret(Name=IN_AWS, SecretString=OLD)
    manager.create_secret(Name="acme-dev/signing-passphrase", SecretString="correct horse")


def states(environment, cloud, github, **later):
    now = datetime.now(UTC) + timedelta(**later)
    found = checking.check(environment, cloud, github, now=now)
    return {each.name: each.state for each in found}


def test_what_is_there_and_young_is_fine(environment, cloud, github, complete):
    assert set(states(environment, cloud, github).values()) == {"ok"}


def test_without_anything_everything_is_missing_from_where_it_should_be(environment, cloud, github):
    found = {each.name: each for each in checking.check(environment, cloud, github)}

    assert {each.state for each in found.values()} == {"missing"}
    assert found[WEBHOOK].problem == "it is not in GitHub environment and AWS"
    assert found["github-acme-dev-plan"].places == ("IAM",)
    assert found["github-acme-dev-plan"].remedy == "inv oidc.bootstrap --env dev"
    assert found[WEBHOOK].remedy == f"inv secrets.rotate --env dev --name {WEBHOOK}"


@pytest.mark.parametrize(("days", "state"), [(75, "ok"), (76, "due"), (90, "due"), (91, "overdue")])
def test_age_is_told_in_time(environment, cloud, github, complete, days, state):
    assert states(environment, cloud, github, days=days, minutes=1)[WEBHOOK] == state


def test_what_may_grow_old_for_ever_is_never_due(environment, cloud, github, complete):
    found = states(environment, cloud, github, days=9999)

    assert (found["ALARM_ADDRESS"], found["github-acme-dev-deploy"]) == ("ok", "ok")


def test_a_value_of_another_form_is_malformed_in_either_place(
    environment, cloud, hub, github, complete
):
    hub.put("dev", "variables", "ALARM_ADDRESS", "nobody")
    cloud.client("secretsmanager").put_secret_value(SecretId=IN_AWS, SecretString="http://x")

    found = states(environment, cloud, github)

    assert (found["ALARM_ADDRESS"], found[WEBHOOK]) == ("malformed", "malformed")


@pytest.mark.parametrize("other", ["acme/mirrors", "somebody/mirror", "acme"])
def test_a_role_that_lets_another_repository_in_is_malformed(environment, cloud, github, other):
    let_in(cloud, repository=other, purposes=["deploy"])

    found = {each.name: each for each in checking.check(environment, cloud, github)}

    assert found["github-acme-dev-deploy"].state == "malformed"
    assert found["github-acme-dev-deploy"].problem == "it lets nothing of acme/mirror in"
    assert found["github-acme-dev-plan"].state == "missing"


def test_where_no_repository_is_let_in_no_role_is_wanted(tmp_path, cloud):
    file = tmp_path / "airbrew.yaml"
    file.write_text(CONFIGURATION.replace("    github: {repository: acme/mirror}\n", ""))
    alone = effective.effective(loading.load(file), "dev")

    found = checking.check(alone, cloud, None)

    assert not any("github" in each.name for each in found)


def test_a_value_that_was_set_in_one_place_only_is_apart(environment, cloud, hub, github, complete):
    hub.put("dev", "secrets", WEBHOOK, OLD, at="2026-01-01T00:00:00Z")
    found = {each.name: each for each in checking.check(environment, cloud, github)}

    assert found[WEBHOOK].state in {"apart", "overdue"}
    assert "GitHub environment has an older one" in found[WEBHOOK].problem


def test_no_value_is_in_what_is_told(environment, cloud, hub, github, complete):
    hub.put("dev", "variables", "ALARM_ADDRESS", "nobody-in-particular")

    told = repr(checking.check(environment, cloud, github))

    assert not any(value in told for value in (OLD, "nobody-in-particular", "correct horse"))


def test_a_token_that_github_refuses_is_told_as_such(environment, cloud, hub):
    refused = AtGitHub("acme/mirror", "dev", token="stale", api=hub.url)

    with pytest.raises(DeliveryError, match="GitHub answers 401") as error:
        checking.check(environment, cloud, refused)

    assert "GITHUB_TOKEN" in error.value.remedy
    assert "stale" not in str(error.value)


def test_an_environment_that_github_does_not_have_is_told_as_such(environment, cloud, hub):
    elsewhere = AtGitHub("acme/mirror", "production", token=TOKEN, api=hub.url)

    with pytest.raises(DeliveryError, match="answers 404 for acme/mirror, environment production"):
        checking.check(environment, cloud, elsewhere)


def test_without_a_token_nothing_is_asked():
    with pytest.raises(BadInput, match="there is no token for GitHub"):
        AtGitHub("acme/mirror", "dev", token="")


def test_a_rotation_puts_the_new_value_into_both_places_and_drops_the_old_one(
    environment, cloud, hub, github, complete
):
    slack = Slack(NEW)

    done = rotation(environment, cloud, github, slack).carry_out(WEBHOOK, Steps())

    assert hub.at("dev", "secrets").values[WEBHOOK] == NEW
    assert AtAws(cloud, IN_AWS).value() == NEW
    assert set(AtAws(cloud, IN_AWS).stored().version_by_label) == {CURRENT}
    assert done.steps[-1] == "see the old one dead"
    assert {each["text"] for each in slack.asked} == {""}, "a message was posted"


def test_an_old_value_that_still_works_is_not_forgotten_until_it_is_dead(
    environment, cloud, hub, github, complete
):
    slack = Slack(OLD, NEW)
    with pytest.raises(DeliveryError, match="its issuer still takes the old one"):
        rotation(environment, cloud, github, slack).carry_out(WEBHOOK, Steps())
    assert PREVIOUS in AtAws(cloud, IN_AWS).stored().version_by_label
    assert states(environment, cloud, github)[WEBHOOK] == "unfinished"

    slack.alive.remove(OLD)
    done = rotation(environment, cloud, github, slack, value="not asked").carry_out(
        WEBHOOK, Steps()
    )

    assert done.steps == ("see the old one dead",)
    assert states(environment, cloud, github)[WEBHOOK] == "ok"


def test_a_new_value_that_its_issuer_refuses_changes_nothing(
    environment, cloud, hub, github, complete
):
    with pytest.raises(DeliveryError, match="its issuer refuses the new value"):
        rotation(environment, cloud, github, Slack(OLD)).carry_out(WEBHOOK, Steps())

    assert hub.at("dev", "secrets").values[WEBHOOK] == OLD
    assert AtAws(cloud, IN_AWS).value() == OLD
    assert PENDING not in AtAws(cloud, IN_AWS).stored().version_by_label


def test_a_value_without_its_form_is_refused_and_not_repeated(environment, cloud, github, complete):
    with pytest.raises(BadInput, match="it is not a Slack webhook") as refused:
        rotation(environment, cloud, github, Slack(), value="xoxb-1-secret").carry_out(
            WEBHOOK, Steps()
        )

    assert "xoxb" not in str(refused.value)


class Killed(BaseException):
    """As a kill would: nothing is tidied up."""


class Killer(Silence):
    """Kills when a step begins or has ended."""

    def __init__(self, moment, step):
        self.at = (moment, step)

    def started(self, step):
        if self.at == ("started", step):
            raise Killed

    def finished(self, step, seconds):
        if self.at == ("finished", step):
            raise Killed


STEPS = ("take the new one", "try it", "give it to GitHub", "make it current")


@pytest.mark.parametrize("moment", ["started", "finished"])
@pytest.mark.parametrize("at", STEPS)
def test_a_rotation_that_was_killed_goes_on_with_the_value_it_had(
    environment, cloud, hub, github, complete, at, moment
):
    slack = Slack(NEW)
    with pytest.raises(Killed):
        rotation(environment, cloud, github, slack).carry_out(WEBHOOK, Steps(Killer(moment, at)))
    was_taken = (at, moment) != (STEPS[0], "started")
    again = rotation(environment, cloud, github, slack, value="refused" if was_taken else NEW)

    again.carry_out(WEBHOOK, Steps())

    assert hub.at("dev", "secrets").values[WEBHOOK] == NEW
    assert AtAws(cloud, IN_AWS).value() == NEW
    assert set(AtAws(cloud, IN_AWS).stored().version_by_label) == {CURRENT}


def test_an_issuer_that_is_down_stops_a_rotation_which_then_goes_on(
    environment, cloud, hub, github, complete
):
    slack = Slack(NEW)
    slack.is_up = False
    with pytest.raises(DeliveryError, match="it cannot be told whether the value works"):
        rotation(environment, cloud, github, slack).carry_out(WEBHOOK, Steps())
    assert states(environment, cloud, github)[WEBHOOK] == "unfinished"

    slack.is_up = True
    rotation(environment, cloud, github, slack, value="not asked").carry_out(WEBHOOK, Steps())

    assert hub.at("dev", "secrets").values[WEBHOOK] == NEW


def test_the_first_value_of_a_secret_has_no_old_one_to_see_off(environment, cloud, hub, github):
    hub.now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    done = rotation(environment, cloud, github, Slack(NEW)).carry_out(WEBHOOK, Steps())

    assert "see the old one dead" not in done.steps
    assert states(environment, cloud, github)[WEBHOOK] == "ok"


def test_a_variable_is_made_and_then_changed(environment, cloud, hub, github):
    name = "ALARM_ADDRESS"
    for value in ("old@example.com", "ops@example.com"):
        rotation(environment, cloud, github, Slack(), value=value).carry_out(name, Steps())

    assert hub.at("dev", "variables").values == {name: "ops@example.com"}


def test_a_secret_that_github_need_not_know_stays_in_aws(environment, cloud, hub, github, complete):
    name = "SIGNING_PASSPHRASE"

    rotation(environment, cloud, github, Slack(), value="battery staple").carry_out(name, Steps())

    assert AtAws(cloud, "acme-dev/signing-passphrase").value() == "battery staple"
    assert name not in hub.at("dev", "secrets").values


def test_a_dry_run_tells_the_steps_and_changes_nothing(environment, cloud, hub, github, complete):
    planned = rotation(environment, cloud, github, Slack()).plan(WEBHOOK)

    assert planned.steps == (*STEPS, "see the old one dead")
    assert hub.at("dev", "secrets").values[WEBHOOK] == OLD


def test_a_secret_that_nobody_declared_is_not_rotated(environment, cloud, github):
    with pytest.raises(BadInput, match='"SLACK_WEBHOOK" is no secret of "dev"') as refused:
        rotation(environment, cloud, github, Slack()).plan("SLACK_WEBHOOK")

    assert refused.value.remedy == f"--name {WEBHOOK}, if that is what you mean"


@pytest.mark.parametrize(
    ("form", "value", "is_right"),
    [
        ("role_arn", DEPLOY_ROLE, True),
        ("role_arn", "github-acme-dev-deploy", False),
        ("slack_webhook", NEW, True),
        ("slack_webhook", "https://example.com/services/T1/B1/abcdefghijklmnop", False),
        ("url", "https://example.com/x", True),
        ("url", "https://user:pass@example.com/x", False),
        ("url", "http://example.com", False),
        ("email", "ops@example.com", True),
        ("email", "ops@example", False),
        ("text", "a b", True),
        ("text", " a", False),
        ("text", "", False),
    ],
)
def test_each_form_knows_its_own(form, value, is_right):
    found = forms.flaw(form, value)

    assert (found is None) is is_right


def test_a_url_that_cannot_be_reached_is_not_in_what_is_told():
    status, told = forms.post("https://127.0.0.1:9/services/secret", b"{}")

    assert (status, "secret" in told) == (0, False)
