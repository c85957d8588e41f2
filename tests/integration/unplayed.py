"""Permissions that no call here needs, each with its reason."""

from __future__ import annotations

from tests.integration.enforcement import ACCOUNT

EXECUTIONS = f"arn:aws:states:us-east-1:{ACCOUNT}:execution:airbrew-dev-sync:*"
MIRROR = f"arn:aws:s3:::airbrew-dev-mirror-{ACCOUNT}"
LOG = "AWS writes a function's log with its role; MiniStack writes it itself"
IMAGE_LOG = "Fargate's agent writes a container's log; MiniStack runs none"
DELIVERY = "Step Functions delivers its log itself (Logging to CloudWatch Logs, IAM policies)"
# Source: Step Functions, "Permissions for Distributed Map": its example has no label in it.
UNLABELLED = "AWS's example of such a policy names child executions so; ours have the label, too"
# Source: Amazon S3, HeadObject, "Permissions".
ABSENT = "without it S3 answers 403 for what is not there; MiniStack answers 404 in any case"
SAME_CODE = "the task carries batches with the function's code and statements, where this is played"


def _logging(function: str) -> dict[str, str]:
    group = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/aws/lambda/{function}:*"
    return {
        f"WriteItsLog: {each}": LOG for each in ("logs:CreateLogStream", "logs:PutLogEvents", group)
    }


# Role → what `iam_use.excess` says of it → why it stays. What is needed has no place here.
UNPLAYED = {
    "airbrew-dev-orchestrator": _logging("airbrew-dev-orchestrator"),
    "airbrew-dev-sync-worker": _logging("airbrew-dev-sync-worker"),
    "airbrew-dev-collector": _logging("airbrew-dev-collector"),
    "airbrew-dev-sync": {
        f"FollowAndStopItsMapRuns: {EXECUTIONS}": UNLABELLED,
        **{
            f"DeliverItsLog: {each}": DELIVERY
            for each in (
                *("logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups"),
                *("logs:DescribeResourcePolicies", "logs:GetLogDelivery"),
                *("logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery"),
                "*",
            )
        },
    },
    "airbrew-dev-sync-execution": {
        f"WriteItsLog: {each}": IMAGE_LOG
        for each in (
            *("logs:CreateLogStream", "logs:PutLogEvents"),
            f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/ecs/airbrew-dev-sync:*",
        )
    },
    "airbrew-dev-sync-task": {
        "ListTheMirror: s3:ListBucket": ABSENT,
        f"ListTheMirror: {MIRROR}": ABSENT,
        "CopyBottles: s3:AbortMultipartUpload": SAME_CODE,
        f"ReportAndHoldTheLease: {MIRROR}/syncs/lease.json": SAME_CODE,
    },
    "airbrew-dev-sync-schedule": {},
}
