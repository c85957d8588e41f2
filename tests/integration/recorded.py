"""What CloudTrail tells EventBridge of, as the AWS documentation shows it.

Sources: CloudTrail, "AWS Management Console sign-in events", "CloudTrail userIdentity element",
"Log file examples"; Amazon S3, "CloudTrail log file entries"; IAM, "Logging IAM and AWS STS API
calls with CloudTrail"; EventBridge, "AWS service events delivered via CloudTrail".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

API_CALL = "AWS API Call via CloudTrail"
SIGN_IN = "AWS Console Sign In via CloudTrail"
Event = dict[str, Any]
ISSUER = "token.actions.githubusercontent.com"


def call(
    account: str, source: str, name: str, parameters: Mapping[str, Any] | None, **more: Any
) -> Event:
    """A call that somebody of the account made; `more` puts other fields in place of these."""
    return {
        "eventVersion": "1.09",
        "userIdentity": person(account),
        "eventTime": "2026-11-25T06:00:00Z",
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "awsRegion": "us-east-1",
        "sourceIPAddress": "192.0.2.7",
        "userAgent": "aws-cli/2.30.1",
        "requestParameters": parameters,
        "responseElements": None,
        "requestID": "b1a6ff25-1d33-4d11-8b8a-0d7f2c1f0a55",
        "eventID": "6e1a4b0e-8f3b-4f7c-9a54-5f2f0f6f8d11",
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
        **more,
    }


def person(account: str) -> Event:
    """Somebody with keys of their own."""
    return {
        "type": "IAMUser",
        "principalId": "AIDACKCEVSQ6C2EXAMPLE",
        "arn": f"arn:aws:iam::{account}:user/mallory",
        "accountId": account,
        "accessKeyId": "AKIAIOSFODNN7EXAMPLE",
        "userName": "mallory",
    }


def root(account: str, **more: str) -> Event:
    """The account's root; `invokedBy` where a service acts for it."""
    return {
        "type": "Root",
        "principalId": account,
        "arn": f"arn:aws:iam::{account}:root",
        "accountId": account,
        **more,
    }


def session(account: str, role: str) -> Event:
    """A session of a role, as a function or a task has it."""
    issuer = {
        "type": "Role",
        "principalId": "AROAIDPPEZS35WEXAMPLE",
        "arn": f"arn:aws:iam::{account}:role/{role}",
        "accountId": account,
        "userName": role,
    }
    return {
        "type": "AssumedRole",
        "principalId": "AROAIDPPEZS35WEXAMPLE:session",
        "arn": f"arn:aws:sts::{account}:assumed-role/{role}/session",
        "accountId": account,
        "accessKeyId": "ASIAIOSFODNN7EXAMPLE",
        "sessionContext": {"sessionIssuer": issuer, "attributes": {"mfaAuthenticated": "false"}},
    }


def sign_in(account: str, who: Event) -> Event:
    """A sign-in to the console."""
    return call(
        account,
        "signin",
        "ConsoleLogin",
        None,
        userIdentity=who,
        responseElements={"ConsoleLogin": "Success"},
        additionalEventData={"MobileVersion": "No", "MFAUsed": "No"},
        eventType="AwsConsoleSignIn",
    )


def federation(account: str, role: str, subject: str, **more: Any) -> Event:
    """GitHub's token put to STS, which counts as reading; with an `errorCode` it was refused."""
    provider = f"arn:aws:iam::{account}:oidc-provider/{ISSUER}"
    who = {
        "type": "WebIdentityUser",
        "principalId": f"{provider}:sts.amazonaws.com:{subject}",
        "userName": subject,
        "identityProvider": provider,
    }
    asked = {"roleArn": f"arn:aws:iam::{account}:role/{role}", "roleSessionName": "GitHubActions"}
    return call(
        account,
        "sts",
        "AssumeRoleWithWebIdentity",
        asked,
        userIdentity=who,
        readOnly=True,
        **more,
    )
