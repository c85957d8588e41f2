"""What the delivery keeps by itself and Terraform does not see: aliases, and their settings."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from delivery.cloud import Cloud
from delivery.drift.differences import GONE, THERE, WHOLE, Drift
from delivery.mirror.orchestrator import ALIAS
from delivery.releases.history import Record
from delivery.state_bucket import NOT_THERE

SETTINGS_KEY = "AIRBREW_SETTINGS_KEY"
NAMED_BY_CONTENT = re.compile(r"settings/([0-9a-f]{64})\.json")


def of(cloud: Cloud, record: Record) -> Iterator[Drift]:
    """Aliases that serve another version than was deployed, and settings that were changed.

    Args:
        record: the newest deploy; its `versions` are what should serve.
    """
    keys = set()
    for function, version in sorted(record.versions.items()):
        yield from _of_alias(function, version, _alias(cloud, function))
        keys.add(_settings_key(cloud, function, version))
    for key in sorted(keys):
        yield from _of_settings(cloud, str(record.outputs["mirror_bucket"]), key)


def put_back(cloud: Cloud, bucket: str, settings: Mapping[str, str]) -> None:
    """Write the settings again, whatever lies there; the aliases are a deploy's own work.

    Args:
        settings: their ``key`` and ``body``, as Terraform puts them out.
    """
    cloud.client("s3").put_object(
        Bucket=bucket,
        Key=settings["key"],
        Body=settings["body"].encode(),
        ContentType="application/json",
    )


def _of_alias(function: str, version: str, alias: dict[str, Any] | None) -> Iterator[Drift]:
    address, names, kind = f"alias {function}:{ALIAS}", (function,), "aws_lambda_alias"
    if alias is None:
        yield Drift(address, WHOLE, THERE, GONE, names=names, type=kind)
        return
    if alias["FunctionVersion"] != version:
        yield Drift(address, "version", version, alias["FunctionVersion"], names=names, type=kind)
    weights = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
    for other, weight in sorted(weights.items()):
        yield Drift(address, f"weight of version {other}", None, weight, names=names, type=kind)


def _of_settings(cloud: Cloud, bucket: str, key: str) -> Iterator[Drift]:
    named = NAMED_BY_CONTENT.fullmatch(key)
    if named is None:
        return
    address, names, kind = f"s3://{bucket}/{key}", (key,), "aws_s3_object"
    try:
        body = cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] not in NOT_THERE:
            raise
        yield Drift(address, WHOLE, THERE, GONE, names=names, type=kind)
        return
    found = hashlib.sha256(body).hexdigest()
    if found != named[1]:
        yield Drift(address, "sha256", named[1], found, names=names, type=kind)


def _alias(cloud: Cloud, function: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = cloud.client("lambda").get_alias(FunctionName=function, Name=ALIAS)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return None
        raise
    return found


def _settings_key(cloud: Cloud, function: str, version: str) -> str:
    """The key that a version reads its settings from; empty where the version is gone."""
    try:
        found = cloud.client("lambda").get_function_configuration(
            FunctionName=function, Qualifier=version
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return ""
        raise
    return str(found.get("Environment", {}).get("Variables", {}).get(SETTINGS_KEY, ""))
