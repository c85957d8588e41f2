"""What is done to an environment that its people are to hear of, and what only looks like it."""

from __future__ import annotations

from tests.integration.enforcement import ACCOUNT
from tests.integration.recorded import (
    API_CALL,
    ISSUER,
    SIGN_IN,
    Event,
    call,
    federation,
    person,
    root,
    session,
    sign_in,
)

SUBJECT = "repo:acme/mirror:"
SUBSCRIPTION = "8a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"


Misdeeds = dict[str, tuple[str, Event]]


def bad(region: str, prefix: str) -> dict[str, tuple[str, str, Event]]:
    """Who did what to an environment → the kind of event, the notice of it, the event."""
    bodies = {
        **_calls_of_the_wrong_people(prefix),
        **_changes_of_who_may(prefix),
        **_changes_of_buckets(prefix),
        **_silencing_what_records(region, prefix),
        **_silencing_what_tells(region, prefix),
    }
    return {
        name: (SIGN_IN if event["eventType"] == "AwsConsoleSignIn" else API_CALL, notice, event)
        for name, (notice, event) in bodies.items()
    }


def _calls_of_the_wrong_people(prefix: str) -> Misdeeds:
    here = {"userIdentity": session(ACCOUNT, f"{prefix}-collector")}
    denied = {**here, "errorCode": "AccessDenied", "errorMessage": "User is not authorized"}
    secret = {"secretId": "airbrew-other/token"}
    way_in, branch = f"github-{prefix}-deploy", "repo:mallory/mirror:ref:refs/heads/main"
    return {
        "a function reads a secret that is not its own": (
            "denied",
            call(ACCOUNT, "secretsmanager", "GetSecretValue", secret, readOnly=True, **denied),
        ),
        "root makes a key": (
            "root",
            call(ACCOUNT, "iam", "CreateAccessKey", None, userIdentity=root(ACCOUNT)),
        ),
        "root signs in": ("console", sign_in(ACCOUNT, root(ACCOUNT))),
        "somebody signs in": ("console", sign_in(ACCOUNT, person(ACCOUNT))),
        "another repository tries a role": (
            "subject",
            federation(ACCOUNT, way_in, branch, errorCode="AccessDenied"),
        ),
        "another repository gets in": (
            "subject",
            federation(ACCOUNT, way_in, "repo:acme/other:environment:dev"),
        ),
    }


def _changes_of_who_may(prefix: str) -> Misdeeds:
    role, way_in = {"roleName": f"{prefix}-collector"}, f"github-{prefix}-deploy"
    policy = f"arn:aws:iam::{ACCOUNT}:policy"
    boundary = {"policyArn": f"{policy}/{prefix}-boundary"}
    ceiling = {"policyArn": f"{policy}/github-{prefix}-ceiling"}
    provider = {"openIDConnectProviderArn": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"}
    more = {"roleName": way_in, "policyName": "more"}
    calls = {
        "somebody trusts himself with a role": ("trust", "UpdateAssumeRolePolicy", role),
        "somebody takes a role's boundary away": ("trust", "DeleteRolePermissionsBoundary", role),
        "somebody gives a workflow's role more": ("access", "PutRolePolicy", more),
        "somebody widens the boundary of all roles": ("access", "CreatePolicyVersion", boundary),
        "somebody brings an older ceiling back": ("access", "SetDefaultPolicyVersion", ceiling),
        "somebody drops GitHub's provider": ("access", "DeleteOpenIDConnectProvider", provider),
    }
    return {
        name: (notice, call(ACCOUNT, "iam", done, parameters))
        for name, (notice, done, parameters) in calls.items()
    }


def _changes_of_buckets(prefix: str) -> Misdeeds:
    mirror, trail = f"{prefix}-mirror", f"{prefix}-trail-{ACCOUNT}"
    calls = {
        "somebody opens the mirror": ("PutBucketPolicy", mirror),
        "somebody lifts the public access block": ("DeleteBucketPublicAccessBlock", mirror),
        "somebody opens what is recorded": ("DeleteBucketPolicy", trail),
    }
    return {
        name: ("bucket", call(ACCOUNT, "s3", done, {"bucketName": bucket}))
        for name, (done, bucket) in calls.items()
    }


def _silencing_what_records(region: str, prefix: str) -> Misdeeds:
    arn = f"arn:aws:cloudtrail:{region}:{ACCOUNT}:trail/{prefix}-trail"
    calls = {
        "somebody stops the trail by its ARN": ("StopLogging", {"name": arn}),
        "somebody blinds the trail": ("PutEventSelectors", {"trailName": f"{prefix}-trail"}),
    }
    return {
        name: ("trail", call(ACCOUNT, "cloudtrail", done, parameters))
        for name, (done, parameters) in calls.items()
    }


def _silencing_what_tells(region: str, prefix: str) -> Misdeeds:
    topic = f"arn:aws:sns:{region}:{ACCOUNT}:{prefix}-security"
    off = {"name": f"{prefix}-denied"}
    untold = {"rule": f"{prefix}-root", "ids": ["people"]}
    nobody = {"subscriptionArn": f"{topic}:{SUBSCRIPTION}"}
    closed = {"topicArn": topic, "attributeName": "Policy", "attributeValue": "{}"}
    calls = {
        "somebody switches a rule off": ("events", "DisableRule", off),
        "somebody takes a rule's target away": ("events", "RemoveTargets", untold),
        "somebody takes a person off the topic": ("sns", "Unsubscribe", nobody),
        "somebody has the topic refuse the rules": ("sns", "SetTopicAttributes", closed),
    }
    return {
        name: ("rules", call(ACCOUNT, service, done, parameters))
        for name, (service, done, parameters) in calls.items()
    }


def harmless(prefix: str) -> list[Event]:
    """What looks like one of them, and is as it should be, or somebody else's."""
    role, other = f"{prefix}-collector", "somebody-s-own"
    here = session(ACCOUNT, role)
    other_policy = f"arn:aws:iam::{ACCOUNT}:policy"
    denied = {"userIdentity": session(ACCOUNT, other), "errorCode": "AccessDenied"}
    # Its name begins as the topic's does.
    other_topic = f"arn:aws:sns:us-east-1:{ACCOUNT}:{prefix}-security-drills"
    by_service = root(ACCOUNT, invokedBy="autoscaling.amazonaws.com")
    return [
        call(ACCOUNT, "s3", "GetObject", {"bucketName": f"{prefix}-mirror"}, userIdentity=here),
        call(ACCOUNT, "sqs", "SendMessage", None, **denied),
        call(ACCOUNT, "ec2", "RunInstances", None, userIdentity=by_service),
        call(ACCOUNT, "s3", "PutBucketPolicy", {"bucketName": "somebody-s-own"}),
        call(ACCOUNT, "iam", "UpdateAssumeRolePolicy", {"roleName": other}),
        call(ACCOUNT, "iam", "CreatePolicyVersion", {"policyArn": f"{other_policy}/{other}"}),
        call(ACCOUNT, "cloudtrail", "StopLogging", {"name": "another-trail"}),
        call(ACCOUNT, "events", "DisableRule", {"name": "another-rule"}),
        call(ACCOUNT, "events", "RemoveTargets", {"rule": "another-rule", "ids": ["people"]}),
        call(ACCOUNT, "sns", "Unsubscribe", {"subscriptionArn": f"{other_topic}:{SUBSCRIPTION}"}),
        call(ACCOUNT, "sns", "SetTopicAttributes", {"topicArn": other_topic}),
        federation(ACCOUNT, f"github-{prefix}-deploy", f"{SUBJECT}environment:dev"),
        federation(ACCOUNT, other, "repo:mallory/mirror:ref:refs/heads/main"),
    ]
