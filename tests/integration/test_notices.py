"""Whoever does a bad thing is told of: from what CloudTrail records to the notice that arrives.

The module is applied twice with the real provider, in us-east-1 and elsewhere. MiniStack records
calls but hands none on to EventBridge; each is put there in the shape that AWS documents. From
there the rules, their targets, the topic and the alarm are real.
"""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from delivery.cloud import Cloud
from delivery.config import effective, loading
from delivery.paths import TERRAFORM_DIR
from delivery.security import watching
from delivery.security.findings import Place
from delivery.terraform.running import Workspace
from tests.doubles import iam_use, service_calls
from tests.integration.enforcement import ACCOUNT, enforcing
from tests.integration.misdeeds import bad, harmless
from tests.integration.recorded import API_CALL, Event

HOME, ABROAD = "us-east-1", "eu-central-1"
PREFIX = {HOME: "airbrew-dev", ABROAD: "airbrew-prod"}
WITH_READS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
PATIENCE_SECONDS = 10
CONFIGURATION = """
project: {name: airbrew}
defaults:
  region: eu-central-1
  selection: {platforms: [arm64_tahoe], formulae: [jq]}
environments: {dev: {type: development}, staging: {type: staging}, prod: {type: production}}
"""
ROOT = """
terraform {{
  required_providers {{
    aws = {{
      source  = "hashicorp/aws"
      version = "= 5.100.0"
    }}
  }}
}}
provider "aws" {{
  region = "us-east-1"
}}
provider "aws" {{
  alias  = "abroad"
  region = "eu-central-1"
}}
module "home" {{
  source    = "{module}"
  providers = {{ aws = aws, aws.global = aws }}
  account   = {{ id = "{account}", region = "us-east-1" }}
  name_prefix = "airbrew-dev"
  buckets     = {{ state = "airbrew-dev-state", mirror = "airbrew-dev-mirror" }}
  data_events = false
  subjects    = ["repo:acme/mirror:"]
  addresses   = ["ops@example.com"]
  keep_days   = 30
}}
module "abroad" {{
  source    = "{module}"
  providers = {{ aws = aws.abroad, aws.global = aws }}
  account   = {{ id = "{account}", region = "eu-central-1" }}
  name_prefix = "airbrew-prod"
  buckets     = {{ state = "airbrew-prod-state", mirror = "airbrew-prod-mirror" }}
  data_events = false
  subjects    = ["repo:acme/mirror:"]
  addresses   = []
  keep_days   = 30
}}
"""


@pytest.fixture(scope="module")
def clouds(tmp_path_factory, terraform):
    """The account in both regions, with the module applied in each."""
    folder = tmp_path_factory.mktemp("ministack")
    with enforcing(folder) as cloud:
        root = tmp_path_factory.mktemp("root")
        text = ROOT.format(module=TERRAFORM_DIR / "modules" / "monitoring", account=ACCOUNT)
        (root / "main.tf").write_text(text)
        state = tmp_path_factory.mktemp("state")
        found = Workspace.at(
            root, data_dir=state / "data", variables=cloud.variables, state_dir=state
        )
        found.init({})
        found.plan().apply(lambda _line: None)
        yield {HOME: cloud, ABROAD: replace(cloud, region=ABROAD)}


class Post:
    """Where the notices of one environment arrive, and where its account's calls are told."""

    def __init__(self, cloud: Cloud, prefix: str) -> None:
        self.cloud, self.prefix = cloud, prefix
        self.topic = f"arn:aws:sns:{cloud.region}:{ACCOUNT}:{prefix}-security"
        sqs = cloud.client("sqs")
        self.queue = sqs.create_queue(QueueName=f"{prefix}-post")["QueueUrl"]
        arn = f"arn:aws:sqs:{cloud.region}:{ACCOUNT}:{prefix}-post"
        takes = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": self.topic}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [takes]})
        sqs.set_queue_attributes(QueueUrl=self.queue, Attributes={"Policy": policy})
        cloud.client("sns").subscribe(
            TopicArn=self.topic,
            Protocol="sqs",
            Endpoint=arn,
            Attributes={"RawMessageDelivery": "true"},
        )

    def put(self, kind: str, detail: Event) -> None:
        """Tell EventBridge of a call; a source of AWS's own is refused from anybody else."""
        entry = {"Source": "recorded", "DetailType": kind, "Detail": json.dumps(detail)}
        events = self.cloud.client("events")
        assert events.put_events(Entries=[entry])["FailedEntryCount"] == 0

    def arrived(self, count: int = 1) -> list[str]:
        """The next notices."""
        found: list[str] = []
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(found) < count and time.monotonic() < deadline:
            for each in (
                self.cloud.client("sqs")
                .receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
                .get("Messages", ())
            ):
                found.append(each["Body"])
                self.cloud.client("sqs").delete_message(
                    QueueUrl=self.queue, ReceiptHandle=each["ReceiptHandle"]
                )
        return found


@pytest.fixture(scope="module")
def declared(clouds):
    """Region → rule → its state, as Terraform made them."""
    return {
        region: {
            each["Name"]: each["State"]
            for each in cloud.client("events").list_rules(NamePrefix=PREFIX[region])["Rules"]
        }
        for region, cloud in clouds.items()
    }


@pytest.fixture(scope="module")
def posts(clouds, declared):
    """A post in each region. MiniStack 1.5.33 dispatches to rules in the state ENABLED only."""
    for cloud in clouds.values():
        events = cloud.client("events")
        for rule in events.list_rules()["Rules"]:
            if rule["State"] == WITH_READS:
                events.enable_rule(Name=rule["Name"])
    return {region: Post(cloud, PREFIX[region]) for region, cloud in clouds.items()}


SYNC_ENDED = "Step Functions Execution Status Change"
SAYS = {
    "denied": ("was denied a call", "take its sessions back"),
    "root": ("the account's root was used", "change its password"),
    "console": ("signed in to the console", "end the session"),
    "trust": ("who may assume a role was changed", "inv deploy --force"),
    "access": ("what lets workflows in", "inv oidc.bootstrap"),
    "bucket": ("who may reach a bucket was changed", "inv deploy --force"),
    "trail": ("what records was stopped or changed", "start it again"),
    "rules": ("what tells people was stopped", "put it back"),
    "subject": ("somebody else than the repository", "inv oidc.explain"),
}


@pytest.mark.parametrize("name", bad(HOME, PREFIX[HOME]))
def test_a_bad_thing_is_told_once_with_who_did_it_and_what_to_do(posts, name):
    post = posts[HOME]
    kind, notice, event = bad(post.cloud.region, post.prefix)[name]

    post.put(kind, event)
    (told,) = post.arrived()

    means, remedy = SAYS[notice]
    assert means in told
    assert remedy in told.split("next:")[1]
    assert event["eventName"] in told
    assert "192.0.2.7" in told


def test_every_notice_was_seen_to_arrive():
    assert {notice for _, notice, _ in bad(HOME, PREFIX[HOME]).values()} == set(SAYS)


def test_what_is_as_it_should_be_or_somebody_else_s_is_told_to_nobody(posts):
    post = posts[HOME]
    for event in harmless(post.prefix):
        post.put(API_CALL, event)

    kind, _, event = bad(post.cloud.region, post.prefix)["root signs in"]
    post.put(kind, event)

    (told,) = post.arrived()
    assert "signed in to the console" in told


@pytest.mark.parametrize(
    ("namespace", "metric", "dimension", "value", "remedy"),
    [
        (
            *("AWS/SNS", "NumberOfNotificationsFailed", "TopicName", "airbrew-dev-security"),
            "look at the subscriptions",
        ),
        (
            *("AWS/Scheduler", "InvocationDroppedCount", "ScheduleGroup", "airbrew-dev-sync"),
            "`inv mirror.sync`",
        ),
    ],
)
def test_what_reaches_nobody_or_never_began_raises_an_alarm_which_is_told(
    posts, namespace, metric, dimension, value, remedy
):
    post = posts[HOME]
    dimensions = [{"Name": dimension, "Value": value}]
    failed = {"MetricName": metric, "Dimensions": dimensions, "Value": 1}

    post.cloud.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=[failed])

    (told,) = post.arrived()
    assert json.loads(told)["NewStateValue"] == "ALARM"
    assert remedy in json.loads(told)["AlarmDescription"]


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
def test_a_sync_that_ended_badly_is_told_with_what_to_do(posts, status):
    post = posts[HOME]

    post.put(SYNC_ENDED, ended(post.prefix, status))

    (told,) = post.arrived()
    assert f"weekly-7 {status} IncompleteSync" in told
    assert "inv mirror.report" in told.split("next:")[1]


def test_a_sync_that_ended_well_and_somebody_else_s_are_told_to_nobody(posts):
    post = posts[HOME]
    post.put(SYNC_ENDED, ended(post.prefix, "SUCCEEDED"))
    post.put(SYNC_ENDED, ended("another", "FAILED"))

    post.put(SYNC_ENDED, ended(post.prefix, "FAILED", name="the-last"))

    (told,) = post.arrived()
    assert "the-last" in told


def ended(prefix, status, name="weekly-7"):
    """Source: Step Functions, "Automating Step Functions event delivery with EventBridge"."""
    machine = f"arn:aws:states:{HOME}:{ACCOUNT}:stateMachine:{prefix}-sync"
    return {
        "executionArn": f"{machine.replace('stateMachine', 'execution')}:{name}",
        "stateMachineArn": machine,
        "name": name,
        "status": status,
        "startDate": 1764054000000,
        "stopDate": 1764054600000,
        "error": "IncompleteSync",
        "cause": "…",
    }


def test_the_configured_address_is_subscribed(clouds):
    topic = f"arn:aws:sns:{HOME}:{ACCOUNT}:airbrew-dev-security"

    found = clouds[HOME].client("sns").list_subscriptions_by_topic(TopicArn=topic)

    told = {(each["Protocol"], each["Endpoint"]) for each in found["Subscriptions"]}
    assert ("email", "ops@example.com") in told


def test_calls_that_only_read_are_heard_of_where_to_try_is_bad_enough(declared):
    heard = {name for name, state in declared[HOME].items() if state == WITH_READS}

    assert heard == {f"airbrew-dev-{notice}" for notice in ("denied", "root", "subject")}
    assert set(declared[HOME]) - heard == {
        f"airbrew-dev-{notice}" for notice in {*SAYS, "sync-failed"} - {"denied", "root", "subject"}
    }


# What IAM, STS's global endpoint and sign-in record is in us-east-1, wherever the environment is.
GLOBAL = {"access", "console", "denied", "root", "rules", "subject", "trust"}


@pytest.fixture(scope="module")
def handed_on(clouds):
    """Plays what MiniStack does not: EventBridge's way from a rule to a bus of another region."""
    events = clouds[HOME].client("events")

    def hand(kind, event):
        envelope = {"detail-type": kind, "detail": event, "source": "aws.any", "account": ACCOUNT}
        envelope |= {"id": "1", "time": event["eventTime"], "region": HOME, "resources": []}
        found = set()
        for rule in events.list_rules(NamePrefix=PREFIX[ABROAD])["Rules"]:
            asked = {"EventPattern": rule["EventPattern"], "Event": json.dumps(envelope)}
            if events.test_event_pattern(**asked)["Result"]:
                (target,) = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
                found.add((target["Arn"], target["RoleArn"]))
        return found

    return hand


@pytest.mark.parametrize(
    "name",
    [name for name, (_, notice, _) in bad(ABROAD, PREFIX[ABROAD]).items() if notice in GLOBAL],
)
def test_abroad_what_is_recorded_in_us_east_1_is_handed_on_and_told(posts, handed_on, name):
    post = posts[ABROAD]
    kind, notice, event = bad(post.cloud.region, post.prefix)[name]

    ((bus, role),) = handed_on(kind, event)
    post.put(kind, event)

    assert bus == f"arn:aws:events:{ABROAD}:{ACCOUNT}:event-bus/default"
    assert role == f"arn:aws:iam::{ACCOUNT}:role/airbrew-prod-notices"
    (told,) = post.arrived()
    assert SAYS[notice][0] in told


def test_abroad_what_is_harmless_is_not_handed_on(handed_on):
    assert [each for each in harmless(PREFIX[ABROAD]) if handed_on(API_CALL, each)] == []


def test_the_role_that_hands_on_may_do_that_and_has_no_permission_besides(clouds):
    role = clouds[ABROAD].client("iam").get_role(RoleName="airbrew-prod-notices")["Role"]
    policy = (
        clouds[ABROAD]
        .client("iam")
        .get_role_policy(RoleName=role["RoleName"], PolicyName="hand-on")["PolicyDocument"]
    )

    calls = service_calls.of_rules(clouds[HOME], role["Arn"], PREFIX[ABROAD], policy)

    assert len(calls) == len(GLOBAL)
    assert iam_use.denied(calls) == []
    assert list(iam_use.excess(policy, calls)) == []
    trusted = role["AssumeRolePolicyDocument"]["Statement"][0]
    assert trusted["Principal"] == {"Service": "events.amazonaws.com"}


def test_in_us_east_1_there_is_nothing_to_hand_on(declared):
    assert len(declared[HOME]) == len({*SAYS, "sync-failed"})


def test_a_rule_that_is_missing_in_us_east_1_is_reported_for_an_environment_abroad(
    clouds, declared, tmp_path
):
    file = tmp_path / "airbrew.yaml"
    file.write_text(CONFIGURATION)
    environment = effective.effective(loading.load(file), "prod")
    (control,) = (each for each in watching.CONTROLS if each.id == "watch-rules")
    place = Place(environment, clouds[ABROAD], {})
    events = clouds[HOME].client("events")
    events.remove_targets(Rule="airbrew-prod-access", Ids=["here"])
    events.delete_rule(Name="airbrew-prod-access")

    found = {each.resource: each.evidence for each in control.findings(place)}

    assert found["airbrew-prod-access"] == "there is no such rule in us-east-1"
