"""What a resource that is about to go holds: asked of AWS, and never guessed to be nothing."""

from __future__ import annotations

import json

import boto3
import pytest

from delivery.review import holdings
from tests.doubles.plans import document, entry


def held(cloud, address, **before):
    (change,) = document(entry(address, "delete", before=before)).changes
    return holdings.held(cloud, change)


def test_objects_and_the_old_versions_of_a_bucket_are_counted(cloud, s3):
    s3.create_bucket(Bucket="mirror")
    s3.put_bucket_versioning(Bucket="mirror", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="mirror", Key="a", Body=b"1")
    s3.delete_object(Bucket="mirror", Key="a")

    assert held(cloud, "aws_s3_bucket.mirror", bucket="mirror") == "2 objects"


def test_more_than_are_counted_is_said(cloud, s3, monkeypatch):
    monkeypatch.setattr(holdings, "COUNTED", 2)
    s3.create_bucket(Bucket="mirror")
    for key in "abc":
        s3.put_object(Bucket="mirror", Key=key, Body=b"1")

    assert held(cloud, "aws_s3_bucket.mirror", bucket="mirror") == "more than 2 objects"


def test_an_empty_holder_holds_nothing(cloud, s3):
    s3.create_bucket(Bucket="mirror")
    boto3.client("logs").create_log_group(logGroupName="group")
    queue = boto3.client("sqs").create_queue(QueueName="queue")["QueueUrl"]
    boto3.client("ecr").create_repository(repositoryName="images")

    assert held(cloud, "aws_s3_bucket.a", bucket="mirror") == ""
    assert held(cloud, "aws_cloudwatch_log_group.a", name="group") == ""
    assert held(cloud, "aws_sqs_queue.a", id=queue) == ""
    assert held(cloud, "aws_ecr_repository.a", name="images") == ""


def test_logs_messages_and_images_are_found(cloud, s3):
    logs, sqs, ecr = (boto3.client(each) for each in ("logs", "sqs", "ecr"))
    logs.create_log_group(logGroupName="group")
    logs.create_log_stream(logGroupName="group", logStreamName="stream")
    queue = sqs.create_queue(QueueName="queue")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="hello")
    ecr.create_repository(repositoryName="images")
    kind = "application/vnd.oci.image.manifest.v1+json"
    ecr.put_image(
        repositoryName="images",
        imageManifest=json.dumps({"schemaVersion": 2, "mediaType": kind, "layers": []}),
        imageManifestMediaType=kind,
        imageTag="1",
    )

    assert held(cloud, "aws_cloudwatch_log_group.a", name="group") == "logs"
    assert held(cloud, "aws_sqs_queue.a", id=queue) == "1 messages"
    assert held(cloud, "aws_ecr_repository.a", name="images") == "1 images"


@pytest.mark.parametrize(
    ("address", "before"),
    [
        ("aws_s3_bucket.a", {"bucket": "not-there"}),
        ("aws_cloudwatch_log_group.a", {"name": "not-there"}),
        ("aws_ecr_repository.a", {"name": "not-there"}),
    ],
)
def test_what_is_not_there_any_more_holds_nothing(cloud, s3, address, before):
    assert held(cloud, address, **before) == ""


def test_a_kind_that_is_not_looked_into_counts_as_full(cloud):
    assert held(cloud, "aws_kms_key.a") == "the key to whatever is encrypted with it"
