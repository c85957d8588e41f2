"""The bucket that the delivery keeps for itself: Terraform's state, artifacts, release records."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from delivery.cloud import Cloud

NOT_THERE = {"404", "NoSuchBucket", "NoSuchKey", "NotFound"}
# Another one was faster. Source: Amazon S3, "Conditional writes"; 409 while both still write.
OUTRUN = {"PreconditionFailed", "ConditionalRequestConflict"}


def name(project: str, environment: str, account_id: str) -> str:
    """``airbrew-dev-state-111111111111``: the account makes it unique among all of S3."""
    return f"{project}-{environment}-state-{account_id}"


def ensure(cloud: Cloud, bucket: str) -> bool:
    """Create the bucket unless it is there; private, versioned, encrypted. True when created.

    Every setting is put each time it is created, in an order in which a kill in between
    leaves a bucket that the next run recognises and finishes.
    """
    s3 = cloud.client("s3")
    if exists(cloud, bucket) and _is_versioned(s3, bucket):
        return False
    if not exists(cloud, bucket):
        s3.create_bucket(Bucket=bucket, **_location(cloud.region))
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=NO_PUBLIC_ACCESS)
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=ENCRYPTED)
    # Last, because it is what `ensure` takes as the sign of a finished bucket.
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return True


def exists(cloud: Cloud, bucket: str) -> bool:
    """Whether the bucket is there and ours to read; a denied answer is an error, not a no."""
    try:
        cloud.client("s3").head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] in NOT_THERE:
            return False
        raise
    return True


def has(cloud: Cloud, bucket: str, key: str) -> bool:
    """Whether there is such an object."""
    try:
        cloud.client("s3").head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] not in NOT_THERE:
            raise
        return False
    return True


def upload(cloud: Cloud, bucket: str, key: str, path: Path) -> bool:
    """Put a file under a key named by its digest; False when it was there already."""
    if has(cloud, bucket, key):
        return False
    cloud.client("s3").put_object(
        Bucket=bucket, Key=key, Body=path.read_bytes(), ChecksumAlgorithm="SHA256"
    )
    return True


def backend_config(cloud: Cloud, bucket: str, environment: str) -> Mapping[str, Any]:
    """What `terraform init -backend-config` wants, with S3's own lock file."""
    config = {
        "bucket": bucket,
        "key": f"terraform/{environment}.tfstate",
        "region": cloud.region,
        "use_lockfile": "true",
        "encrypt": "true",
    }
    if cloud.is_sandbox:  # Buckets are folders of one host there, not hosts of their own.
        config |= {"use_path_style": "true", "skip_requesting_account_id": "true"}
    return config


def access_key(environment: str) -> str:
    """Where the state of `inv oidc.bootstrap` lies: apart from the one that deploys write."""
    return f"access/{environment}.tfstate"


NO_PUBLIC_ACCESS = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}
ENCRYPTED = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}


def _is_versioned(s3: Any, bucket: str) -> bool:
    return bool(s3.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled")


def _location(region: str) -> Mapping[str, Any]:
    # us-east-1 is the one region that CreateBucket refuses to be told.
    if region == "us-east-1":
        return {}
    return {"CreateBucketConfiguration": {"LocationConstraint": region}}
