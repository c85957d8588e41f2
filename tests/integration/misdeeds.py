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


def bad(region: str, prefix: str) -> dict[str, tuple[str, str, Event]]:
    """Who did what to an environment → the kind of event, the notice of it, the event."""
    role, way_in = f"{prefix}-collector", f"github-{prefix}-deploy"
    here = {"userIdentity": session(ACCOUNT, role)}
    denied = {**here, "errorCode": "AccessDenied", "errorMessage": "User is not authorized"}
    secret = {"secretId": "airbrew-other/token"}
    mirror = {"bucketName": f"{prefix}-mirror"}
    policy = f"arn:aws:iam::{ACCOUNT}:policy/{prefix}"
    topic = f"arn:aws:sns:{region}:{ACCOUNT}:{prefix}-security"
    trail = f"arn:aws:cloudtrail:{region}:{ACCOUNT}:trail/{prefix}-trail"
    bodies = {
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
        "somebody trusts himself with a role": (
            "trust",
            call(ACCOUNT, "iam", "UpdateAssumeRolePolicy", {"roleName": role}),
        ),
        "somebody takes a role's boundary away": (
            "trust",
            call(ACCOUNT, "iam", "DeleteRolePermissionsBoundary", {"roleName": role}),
        ),
        "somebody gives a workflow's role more": (
            "access",
            call(ACCOUNT, "iam", "PutRolePolicy", {"roleName": way_in, "policyName": "more"}),
        ),
        "somebody widens the boundary of all roles": (
            "access",
            call(ACCOUNT, "iam", "CreatePolicyVersion", {"policyArn": f"{policy}-boundary"}),
        ),
        "somebody brings an older ceiling back": (
            "access",
            call(
                ACCOUNT,
                "iam",
                "SetDefaultPolicyVersion",
                {"policyArn": f"arn:aws:iam::{ACCOUNT}:policy/github-{prefix}-ceiling"},
            ),
        ),
        "somebody drops GitHub's provider": (
            "access",
            call(
                ACCOUNT,
                "iam",
                "DeleteOpenIDConnectProvider",
                {"openIDConnectProviderArn": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"},
            ),
        ),
        "somebody opens the mirror": ("bucket", call(ACCOUNT, "s3", "PutBucketPolicy", mirror)),
        "somebody lifts the public access block": (
            "bucket",
            call(ACCOUNT, "s3", "DeleteBucketPublicAccessBlock", mirror),
        ),
        "somebody opens what is recorded": (
            "bucket",
            call(ACCOUNT, "s3", "DeleteBucketPolicy", {"bucketName": f"{prefix}-trail-{ACCOUNT}"}),
        ),
        "somebody stops the trail by its ARN": (
            "trail",
            call(ACCOUNT, "cloudtrail", "StopLogging", {"name": trail}),
        ),
        "somebody blinds the trail": (
            "trail",
            call(ACCOUNT, "cloudtrail", "PutEventSelectors", {"trailName": f"{prefix}-trail"}),
        ),
        "somebody switches a rule off": (
            "rules",
            call(ACCOUNT, "events", "DisableRule", {"name": f"{prefix}-denied"}),
        ),
        "somebody takes a rule's target away": (
            "rules",
            call(ACCOUNT, "events", "RemoveTargets", {"rule": f"{prefix}-root", "ids": ["people"]}),
        ),
        "somebody takes a person off the topic": (
            "rules",
            call(ACCOUNT, "sns", "Unsubscribe", {"subscriptionArn": f"{topic}:{SUBSCRIPTION}"}),
        ),
        "somebody has the topic refuse the rules": (
            "rules",
            call(
                ACCOUNT,
                "sns",
                "SetTopicAttributes",
                {"topicArn": topic, "attributeName": "Policy", "attributeValue": "{}"},
            ),
        ),
        "another repository tries a role": (
            "subject",
            federation(
                ACCOUNT,
                way_in,
                "repo:mallory/mirror:ref:refs/heads/main",
                errorCode="AccessDenied",
            ),
        ),
        "another repository gets in": (
            "subject",
            federation(ACCOUNT, way_in, "repo:acme/other:environment:dev"),
        ),
    }
    return {
        name: (SIGN_IN if event["eventType"] == "AwsConsoleSignIn" else API_CALL, notice, event)
        for name, (notice, event) in bodies.items()
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
