"""What the last look for drift found: ``drift/<env>.json`` in the state bucket."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from delivery.cloud import Cloud
from delivery.releases.history import now
from delivery.state_bucket import NOT_THERE


def note(cloud: Cloud, bucket: str, environment: str, drifted: int) -> None:
    """Note that there was a look just now, and how many resources were found changed."""
    body = json.dumps({"at": now(), "drifted": drifted}).encode()
    cloud.client("s3").put_object(
        Bucket=bucket, Key=_key(environment), Body=body, ContentType="application/json"
    )


def read(cloud: Cloud, bucket: str, environment: str) -> Mapping[str, Any] | None:
    """``{"at": "2026-11-24T16:30:00Z", "drifted": 0}``; None where nobody ever looked."""
    try:
        found = cloud.client("s3").get_object(Bucket=bucket, Key=_key(environment))
    except ClientError as error:
        if error.response["Error"]["Code"] in NOT_THERE:
            return None
        raise
    noted: Mapping[str, Any] = json.loads(found["Body"].read())
    return noted


def _key(environment: str) -> str:
    return f"drift/{environment}.json"
