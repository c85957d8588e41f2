"""What a resource that is about to go holds just now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from delivery.cloud import Cloud
from delivery.state_bucket import NOT_THERE
from delivery.terraform.plan_document import ResourceChange

GONE = NOT_THERE | {
    "RepositoryNotFoundException",
    "ResourceNotFoundException",
    "AWS.SimpleQueueService.NonExistentQueue",
}
# More are not counted: that there are some is what matters.
COUNTED = 1000


def held(cloud: Cloud, change: ResourceChange) -> str:
    """``16 objects``, ``logs``, …; empty when it holds nothing, or is not there any more.

    Of a kind that is not looked into here, everything counts as full.
    """
    look = LOOKS.get(change.type)
    if look is None:
        return change.holds
    try:
        return look(cloud, change.before)
    except ClientError as error:
        if error.response["Error"]["Code"] in GONE:
            return ""
        raise


def _objects(cloud: Cloud, values: Mapping[str, Any]) -> str:
    # Old versions count: they can be brought back, and go with the bucket.
    page = cloud.client("s3").list_object_versions(Bucket=values["bucket"], MaxKeys=COUNTED)
    count = len(page.get("Versions", ())) + len(page.get("DeleteMarkers", ()))
    return _counted(count, "objects", more=page.get("IsTruncated", False))


def _logs(cloud: Cloud, values: Mapping[str, Any]) -> str:
    page = cloud.client("logs").describe_log_streams(logGroupName=values["name"], limit=1)
    return "logs" if page["logStreams"] else ""


def _images(cloud: Cloud, values: Mapping[str, Any]) -> str:
    page = cloud.client("ecr").list_images(repositoryName=values["name"])
    return _counted(len(page["imageIds"]), "images", more="nextToken" in page)


def _messages(cloud: Cloud, values: Mapping[str, Any]) -> str:
    answer = cloud.client("sqs").get_queue_attributes(
        QueueUrl=values["id"],
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )
    return _counted(sum(int(each) for each in answer["Attributes"].values()), "messages")


def _counted(count: int, what: str, *, more: bool = False) -> str:
    if not count:
        return ""
    return f"more than {count} {what}" if more else f"{count} {what}"


LOOKS: Mapping[str, Callable[[Cloud, Mapping[str, Any]], str]] = {
    "aws_cloudwatch_log_group": _logs,
    "aws_ecr_repository": _images,
    "aws_s3_bucket": _objects,
    "aws_sqs_queue": _messages,
}
