"""What GitHub's roles have and no call here needs, and what they lack and do without: why."""

from __future__ import annotations

from collections.abc import Iterable

from tests.integration.enforcement import ACCOUNT, REGION

LOGS = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:"
GROUPS = tuple(
    f"{LOGS}{each}airbrew-dev-*:*" for each in ("/aws/lambda/", "/aws/vendedlogs/states/", "/ecs/")
)
# Sources of the reasons: Amazon CloudWatch Logs API, LogGroup: "arn" and "logGroupArn"; the source
# of terraform-provider-aws, internal/service/cloudtrail/trail.go;
# Amazon ECR, "IAM permissions for pushing an image"; Amazon ECS and Amazon ECR, "tag resources on
# creation"; Step Functions, "Logging to CloudWatch Logs"; IAM, "Create a service-linked role".
STREAMS = 'of a log group AWS asks as "NAME:*", but for its tags; MiniStack always as "NAME"'
INSIGHTS = "the provider reads insights where somebody has set some; MiniStack knows none"
REVIEWED = "a deploy counts what it would destroy with `inv plan`'s code, where this is played"
WAY_BACK = "`inv rollback --dry-run` asks for it; it is played with the role that deploys"
PUSHED = "a registry asks for it when an image is pushed layer by layer; MiniStack has none"
TAGGED = "AWS asks for it where something is made with tags; MiniStack does not"
DELIVERY = "AWS asks for it where a state machine that logs is made or changed; MiniStack does not"
LINKED = "ECS makes its own role in an account's first cluster; MiniStack needs none"


def _each(sid: str, reason: str, lines: Iterable[str]) -> dict[str, str]:
    return {f"{sid}: {line}": reason for line in lines}


LOOK = {
    **_each("ReadWhatRuns", STREAMS, GROUPS),
    "ReadWhatWatches: cloudtrail:GetInsightSelectors": INSIGHTS,
}
# Purpose → what `iam_use.excess` says of it → why it stays. What is needed has no place here.
UNPLAYED = {
    "plan": {
        **LOOK,
        "ReadEarlierStates: s3:GetObjectVersion": WAY_BACK,
        f"ReadEarlierStates: arn:aws:s3:::airbrew-dev-state-{ACCOUNT}/terraform/*": WAY_BACK,
    },
    "deploy": {
        **LOOK,
        "ReadBuckets: s3:ListBucketVersions": REVIEWED,
        "ReadWhatRuns: logs:DescribeLogStreams": REVIEWED,
        **_each("ChangeLogGroups", STREAMS, GROUPS),
        **_each(
            "LetTheWorkflowLog",
            DELIVERY,
            (
                *("logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:GetLogDelivery"),
                *("logs:DescribeResourcePolicies", "logs:ListLogDeliveries"),
                *("logs:PutResourcePolicy", "logs:UpdateLogDelivery", "*"),
            ),
        ),
        **_each(
            "LetEcsBegin",
            LINKED,
            (
                "iam:CreateServiceLinkedRole",
                f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/ecs.amazonaws.com/*",
            ),
        ),
        f"ChangeTheTask: arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/airbrew-dev-*": TAGGED,
        "PushTheImage: ecr:TagResource": TAGGED,
        **_each(
            "PushTheImage",
            PUSHED,
            (
                *("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage"),
                *("ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart"),
            ),
        ),
    },
}
# Purpose → a pattern of action and resource → why nothing is amiss without it.
REFUSED = {
    "plan": {
        f"s3:PutObject arn:aws:s3:::airbrew-dev-state-{ACCOUNT}/plans/*": (
            "who may only look keeps what it planned on its own machine; the digest is enough"
        ),
        "secretsmanager:GetSecretValue *": "a value that may not be read is not checked for form",
    },
    "deploy": {
        "cloudtrail:DeleteTrail *": "no workflow takes away what shows what it did; a person can",
        "iam:GetRole *:role/github-airbrew-dev-*": (
            "a destroy that may not look for GitHub's roles names them among what stays"
        ),
    },
}
