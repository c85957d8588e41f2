"""inv security.report in the sandbox: nothing on a fresh deploy, and each control seen broken."""

from __future__ import annotations

import json
import re

import pytest

from delivery.cloud import Cloud
from delivery.config import effective, loading
from delivery.security import report
from sandbox.cloud import ACCOUNTS

ACCOUNT = ACCOUNTS["dev"]
MIRROR = f"airbrew-dev-mirror-{ACCOUNT}"
STATE = f"airbrew-dev-state-{ACCOUNT}"
TRAIL_BUCKET = f"airbrew-dev-trail-{ACCOUNT}"
ROLE, FUNCTION, TRAIL = "airbrew-dev-orchestrator", "airbrew-dev-collector", "airbrew-dev-trail"
WAY_IN = "github-airbrew-dev-deploy"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/airbrew-dev-boundary"
SECRET = "airbrew-dev/signing-passphrase"
EVERYTHING = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}],
    }
)
EVERYBODY = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}


@pytest.fixture(scope="module")
def deployed(checkout):
    """dev with a repository that is let in, one secret, and a first deploy."""
    checkout.configure(
        {
            "github": {"repository": "acme/mirror"},
            "secrets": [{"name": "SIGNING_PASSPHRASE", "github": "none"}],
        }
    )
    for words in (("oidc.bootstrap",), ("deploy",)):
        ended = checkout.inv(*words, "--env", "dev")
        assert ended.returncode == 0, ended.stdout + ended.stderr
    return checkout


@pytest.fixture(scope="module")
def cloud(deployed):
    """The account of dev in the checkout's sandbox."""
    servers = json.loads((deployed.root / ".airbrew/sandbox/servers.json").read_text())["servers"]
    found = Cloud(
        "sandbox",
        ACCOUNT,
        "us-east-1",
        {
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "sandbox",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{servers['ministack']['port']}",
        },
    )
    found.client("secretsmanager").create_secret(Name=SECRET, SecretString="correct horse")
    return found


@pytest.fixture
def found(deployed, cloud):
    """Looks anew: (control, resource) → finding."""
    file = deployed.root / "config" / "airbrew.yaml"

    def look():
        document = loading.load(file)
        made = report.make(effective.effective(document, "dev"), cloud)
        return {(each.id, each.resource): each for each in made.findings}

    return look


def test_a_fresh_deploy_has_no_finding(deployed, cloud):
    ended = deployed.inv("security.report", "--env", "dev")

    assert (ended.returncode, ended.stdout.splitlines()[-1]) == (
        0,
        f"{len(report.CONTROLS)} controls, 0 findings that nobody accepted",
    )


def test_a_bucket_that_everybody_may_read_over_http_is_found(cloud, found):
    s3 = cloud.client("s3")
    before = s3.get_bucket_policy(Bucket=MIRROR)["Policy"]
    s3.delete_public_access_block(Bucket=MIRROR)
    opened = json.dumps({"Version": "2012-10-17", "Statement": [EVERYBODY]})
    s3.put_bucket_policy(Bucket=MIRROR, Policy=opened)

    seen = found()
    s3.put_bucket_policy(Bucket=MIRROR, Policy=before)
    closed(cloud, MIRROR)

    controls = ("bucket-open-policy", "bucket-public-block", "bucket-tls")
    assert set(seen) == {(control, MIRROR) for control in controls}
    assert seen["bucket-open-policy", MIRROR].severity == "critical"


def closed(cloud, bucket):
    settings = dict.fromkeys(
        ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
    )
    cloud.client("s3").put_public_access_block(
        Bucket=bucket, PublicAccessBlockConfiguration=settings
    )


def encrypted(cloud, algorithm):
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": algorithm}}
    cloud.client("s3").put_bucket_encryption(
        Bucket=TRAIL_BUCKET, ServerSideEncryptionConfiguration={"Rules": [rule]}
    )


def versioned(cloud, status):
    cloud.client("s3").put_bucket_versioning(
        Bucket=MIRROR, VersioningConfiguration={"Status": status}
    )


def trusting(cloud, service):
    statement = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": service},
    }
    cloud.client("iam").update_assume_role_policy(
        RoleName=ROLE,
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )


def bounded(cloud, name):
    cloud.client("iam").put_role_permissions_boundary(
        RoleName=ROLE, PermissionsBoundary=f"arn:aws:iam::{ACCOUNT}:policy/{name}"
    )


def narrowed_again(cloud):
    iam = cloud.client("iam")
    # MiniStack 1.5.33 cannot bring an older version back.
    first = iam.get_policy_version(PolicyArn=BOUNDARY, VersionId="v1")["PolicyVersion"]
    iam.create_policy_version(
        PolicyArn=BOUNDARY, PolicyDocument=json.dumps(first["Document"]), SetAsDefault=True
    )


def tagged(cloud, project):
    tags = [{"Key": "Project", "Value": project}]
    cloud.client("iam").tag_role(RoleName=ROLE, Tags=tags)


def widened(cloud, role=ROLE):
    cloud.client("iam").put_role_policy(RoleName=role, PolicyName="more", PolicyDocument=EVERYTHING)


def narrowed(cloud, role=ROLE):
    cloud.client("iam").delete_role_policy(RoleName=role, PolicyName="more")


def let_in(cloud, repository):
    iam = cloud.client("iam")
    policy = json.dumps(iam.get_role(RoleName=WAY_IN)["Role"]["AssumeRolePolicyDocument"])
    changed = re.sub(r"repo:\w+/mirror:", f"repo:{repository}:", policy)
    iam.update_assume_role_policy(RoleName=WAY_IN, PolicyDocument=changed)


ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
PERMISSION = {
    "FunctionName": FUNCTION,
    "StatementId": "everybody",
    "Action": "lambda:InvokeFunction",
    "Principal": "*",
}
DEAF = "airbrew-dev-subject"


def hearing_reads(cloud):
    events = cloud.client("events")
    pattern = events.describe_rule(Name=DEAF)["EventPattern"]
    state = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
    events.put_rule(Name=DEAF, EventPattern=pattern, State=state)


GROUP = f"/aws/lambda/{ROLE}"
NOTICE = "airbrew-dev-bucket"

BROKEN = {
    "encryption": (
        ("bucket-encryption", TRAIL_BUCKET),
        lambda cloud: encrypted(cloud, "aws:kms"),
        lambda cloud: encrypted(cloud, "AES256"),
    ),
    "public access": (
        ("bucket-public-block", STATE),
        lambda cloud: cloud.client("s3").delete_public_access_block(Bucket=STATE),
        lambda cloud: closed(cloud, STATE),
    ),
    "versions": (
        ("bucket-versions", MIRROR),
        lambda cloud: versioned(cloud, "Suspended"),
        lambda cloud: versioned(cloud, "Enabled"),
    ),
    "boundary": (
        ("role-boundary", ROLE),
        lambda cloud: cloud.client("iam").delete_role_permissions_boundary(RoleName=ROLE),
        lambda cloud: bounded(cloud, "airbrew-dev-boundary"),
    ),
    "trust": (
        ("role-trust", ROLE),
        lambda cloud: trusting(cloud, "ec2.amazonaws.com"),
        lambda cloud: trusting(cloud, "lambda.amazonaws.com"),
    ),
    "policy": (("role-policy", f"{ROLE}/more"), widened, narrowed),
    "attached policy": (
        ("role-policy", ROLE),
        lambda cloud: cloud.client("iam").attach_role_policy(
            RoleName=ROLE, PolicyArn=ADMINISTRATOR
        ),
        lambda cloud: cloud.client("iam").detach_role_policy(
            RoleName=ROLE, PolicyArn=ADMINISTRATOR
        ),
    ),
    "trust of GitHub's role": (
        ("access-declared", WAY_IN),
        lambda cloud: let_in(cloud, "mallory/mirror"),
        lambda cloud: let_in(cloud, "acme/mirror"),
    ),
    "policy of GitHub's role": (
        ("access-declared", f"{WAY_IN}/more"),
        lambda cloud: widened(cloud, WAY_IN),
        lambda cloud: narrowed(cloud, WAY_IN),
    ),
    "boundary's own policy": (
        ("access-declared", "airbrew-dev-boundary"),
        lambda cloud: cloud.client("iam").create_policy_version(
            PolicyArn=BOUNDARY, PolicyDocument=EVERYTHING, SetAsDefault=True
        ),
        narrowed_again,
    ),
    "tags": (
        ("role-tags", ROLE),
        lambda cloud: tagged(cloud, "somebody"),
        lambda cloud: tagged(cloud, "airbrew"),
    ),
    "function": (
        ("function-open-policy", FUNCTION),
        lambda cloud: cloud.client("lambda").add_permission(**PERMISSION),
        lambda cloud: cloud.client("lambda").remove_permission(
            FunctionName=FUNCTION, StatementId="everybody"
        ),
    ),
    "trail": (
        ("watch-trail", TRAIL),
        lambda cloud: cloud.client("cloudtrail").stop_logging(Name=TRAIL),
        lambda cloud: cloud.client("cloudtrail").start_logging(Name=TRAIL),
    ),
    "rule": (
        ("watch-rules", NOTICE),
        lambda cloud: cloud.client("events").disable_rule(Name=NOTICE),
        lambda cloud: cloud.client("events").enable_rule(Name=NOTICE),
    ),
    "rule that no longer hears of what reads": (
        ("watch-rules", DEAF),
        lambda cloud: cloud.client("events").enable_rule(Name=DEAF),
        hearing_reads,
    ),
    "log": (
        ("log-retention", GROUP),
        lambda cloud: cloud.client("logs").delete_retention_policy(logGroupName=GROUP),
        lambda cloud: cloud.client("logs").put_retention_policy(
            logGroupName=GROUP, retentionInDays=7
        ),
    ),
    "secret": (
        ("secret-rotation", SECRET),
        lambda cloud: cloud.client("secretsmanager").delete_secret(
            SecretId=SECRET, ForceDeleteWithoutRecovery=True
        ),
        lambda cloud: cloud.client("secretsmanager").create_secret(
            Name=SECRET, SecretString="battery staple"
        ),
    ),
}


@pytest.mark.parametrize(("expected", "break_it", "mend_it"), BROKEN.values(), ids=BROKEN)
def test_a_broken_control_is_found_alone_and_gone_when_mended(
    cloud, found, expected, break_it, mend_it
):
    break_it(cloud)
    seen = found()
    mend_it(cloud)

    assert set(seen) == {expected}
    assert seen[expected].remedy
    assert found() == {}


def test_a_key_that_never_ends_is_found_and_told_by_its_end_only(cloud, found):
    iam = cloud.client("iam")
    iam.create_user(UserName="robot")
    key = iam.create_access_key(UserName="robot")["AccessKey"]["AccessKeyId"]

    seen = found()
    iam.delete_access_key(UserName="robot", AccessKeyId=key)

    assert set(seen) == {("user-key", "robot")}
    assert key not in seen["user-key", "robot"].evidence


def test_a_key_of_root_is_found(cloud, found):
    def with_a_key(parsed, **_):
        parsed["SummaryMap"]["AccountAccessKeysPresent"] = 1

    # MiniStack's root can be given none, so that IAM's answer is made to say that it has one.
    answers = cloud.client("iam").meta.events
    answers.register("after-call.iam.GetAccountSummary", with_a_key)

    seen = found()
    answers.unregister("after-call.iam.GetAccountSummary", with_a_key)

    assert set(seen) == {("root-key", f"root of {ACCOUNT}")}
    assert "delete the key" in seen["root-key", f"root of {ACCOUNT}"].remedy


def test_a_role_that_nothing_declares_is_found(cloud, found):
    iam = cloud.client("iam")
    iam.create_role(RoleName="airbrew-dev-door", AssumeRolePolicyDocument='{"Statement": []}')

    seen = found()
    iam.delete_role(RoleName="airbrew-dev-door")

    assert ("role-trust", "airbrew-dev-door") in seen


def test_the_report_goes_into_a_page_and_into_sarif_and_fails_the_verb(deployed, cloud):
    cloud.client("cloudtrail").stop_logging(Name=TRAIL)
    ended = deployed.inv(
        *("security.report", "--env", "dev", "--html", "build-report.html"),
        *("--sarif", "build-report.sarif"),
    )
    cloud.client("cloudtrail").start_logging(Name=TRAIL)

    assert ended.returncode == 1
    assert "critical  watch-trail  airbrew-dev-trail" in ended.stdout
    sarif = json.loads((deployed.root / "build-report.sarif").read_text())
    assert [each["ruleId"] for each in sarif["runs"][0]["results"]] == ["watch-trail"]
    assert "records nothing" in (deployed.root / "build-report.html").read_text()


def test_an_environment_that_nobody_watches_is_found(deployed, found):
    deployed.configure({"security": {"monitoring": False}})

    seen = found()
    deployed.configure({"security": {"monitoring": True}})

    assert set(seen) == {("watch-off", "airbrew-dev")}
    assert "security.monitoring: true" in seen["watch-off", "airbrew-dev"].remedy


def test_what_is_accepted_does_not_fail_until_the_day_it_ends(deployed, cloud):
    mute = {
        "id": "watch-trail",
        "owner": "ops",
        "reason": "the trail moves to another account",
        "until": "2999-12-31",
    }
    cloud.client("cloudtrail").stop_logging(Name=TRAIL)
    deployed.configure({"security": {"mutes": [mute]}})
    accepted = deployed.inv("security.report", "--env", "dev")
    deployed.configure({"security": {"mutes": [mute | {"until": "2026-01-01"}]}})
    ended = deployed.inv("security.report", "--env", "dev")
    cloud.client("cloudtrail").start_logging(Name=TRAIL)
    deployed.configure({"security": {"mutes": [mute]}})
    unused = deployed.inv("security.report", "--env", "dev")

    assert (accepted.returncode, "muted by ops  watch-trail" in accepted.stdout) == (0, True)
    assert (ended.returncode, "medium  mute-expired  watch-trail" in ended.stdout) == (1, True)
    assert (unused.returncode, "low  mute-unused  watch-trail" in unused.stdout) == (1, True)
