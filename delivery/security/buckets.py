"""Controls of buckets: encrypted, closed, over TLS alone, with versions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from delivery.security.findings import Control, Place
from delivery.state_bucket import NO_PUBLIC_ACCESS

Told = Iterator[tuple[str, str, str]]
ABSENT = {
    "NoSuchBucketPolicy",
    "NoSuchPublicAccessBlockConfiguration",
    "ServerSideEncryptionConfigurationNotFoundError",
}


def _asked(place: Place, operation: str, bucket: str) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = getattr(place.cloud.client("s3"), operation)(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ABSENT:
            raise
        return {}
    return answer


def _policy(place: Place, bucket: str) -> list[dict[str, Any]]:
    text = _asked(place, "get_bucket_policy", bucket).get("Policy", '{"Statement": []}')
    statements = json.loads(text)["Statement"]
    return statements if isinstance(statements, list) else [statements]


def _remedy(place: Place, kind: str) -> str:
    # The state bucket is the delivery's own; no Terraform declares it.
    return place.redeploy if kind != "state" else "put it back in the console, and find out who"


def _encrypted(place: Place) -> Told:
    for kind, bucket in place.buckets.items():
        found = _asked(place, "get_bucket_encryption", bucket)
        rules = found.get("ServerSideEncryptionConfiguration", {}).get("Rules", ())
        ways = {each["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] for each in rules}
        # A key of somebody else's can be taken away, and the bytes with it (docs/adr/0009).
        if ways != {"AES256"}:
            told = f"it encrypts with {', '.join(sorted(ways)) or 'nothing'}, not with S3's own key"
            yield bucket, told, _remedy(place, kind)


def _closed(place: Place) -> Told:
    for kind, bucket in place.buckets.items():
        found = _asked(place, "get_public_access_block", bucket)
        block = found.get("PublicAccessBlockConfiguration", {})
        lacking = sorted(name for name in NO_PUBLIC_ACCESS if not block.get(name))
        if lacking:
            yield (
                bucket,
                f"public access is not blocked: {', '.join(lacking)}",
                _remedy(place, kind),
            )


def _private(place: Place) -> Told:
    for kind, bucket in place.buckets.items():
        for each in _policy(place, bucket):
            everybody = each.get("Principal") in ("*", {"AWS": "*"})
            if each["Effect"] == "Allow" and everybody and not each.get("Condition"):
                told = f"its policy lets everybody {each['Action']}"
                yield bucket, told, _remedy(place, kind)


def _over_tls(place: Place) -> Told:
    for kind, bucket in place.buckets.items():
        if kind == "state":
            continue  # The delivery talks to it, and to nothing but HTTPS.
        refuses = any(
            each["Effect"] == "Deny"
            and each.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport") == "false"
            for each in _policy(place, bucket)
        )
        if not refuses:
            yield bucket, "its policy does not refuse plain HTTP", _remedy(place, kind)


def _versioned(place: Place) -> Told:
    for kind, bucket in place.buckets.items():
        status = _asked(place, "get_bucket_versioning", bucket).get("Status", "never enabled")
        if status != "Enabled":
            yield bucket, f"versioning is {status.lower()}", _remedy(place, kind)


CONTROLS = (
    Control("bucket-encryption", "high", "every bucket encrypts with S3's own key", _encrypted),
    Control("bucket-public-block", "critical", "public access is blocked four times", _closed),
    Control("bucket-open-policy", "critical", "no policy lets everybody in", _private),
    Control("bucket-tls", "medium", "plain HTTP is refused", _over_tls),
    Control("bucket-versions", "high", "what is overwritten can be brought back", _versioned),
)
