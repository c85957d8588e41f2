"""A mark in the state bucket while an environment is being changed.

It is there from before the first change until the record of success: where it is found later,
a deploy or destroy did not end well, even if it was killed before it could record that, and
what the last record says no longer holds.
"""

from __future__ import annotations

import json

from botocore.exceptions import ClientError

from delivery.cloud import Cloud
from delivery.releases.history import now
from delivery.state_bucket import NOT_THERE


def mark(cloud: Cloud, bucket: str, environment: str, *, kind: str, lease: int) -> None:
    """Set the mark, before anything of the environment is changed.

    Args:
        kind: deploy, rollback or destroy.
        lease: the number of the lease under which it is changed.
    """
    body = json.dumps({"since": now(), "kind": kind, "lease": lease}).encode()
    cloud.client("s3").put_object(Bucket=bucket, Key=_key(environment), Body=body)


def clear(cloud: Cloud, bucket: str, environment: str) -> None:
    """Take the mark away, once the record of success is written."""
    cloud.client("s3").delete_object(Bucket=bucket, Key=_key(environment))


def is_marked(cloud: Cloud, bucket: str, environment: str) -> bool:
    """Whether a deploy or destroy began and never came to its record."""
    try:
        cloud.client("s3").head_object(Bucket=bucket, Key=_key(environment))
    except ClientError as error:
        if error.response["Error"]["Code"] in NOT_THERE:
            return False
        raise
    return True


def _key(environment: str) -> str:
    return f"under-way/{environment}.json"
