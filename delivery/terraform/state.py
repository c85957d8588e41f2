"""What Terraform's state says stands, read where the backend keeps it: no Terraform is run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from delivery import state_bucket
from delivery.cloud import Cloud


@dataclass(frozen=True)
class Standing:
    """One managed resource with its attributes as Terraform saw them last, secrets included."""

    address: str
    type: str
    attributes: Mapping[str, Any] = field(repr=False)


def read(cloud: Cloud, bucket: str, environment: str, version: str = "") -> Mapping[str, Any]:
    """The environment's whole state, format 4; empty where nothing was applied.

    Args:
        version: S3's name of an earlier one; empty also where that one is gone.
    """
    return read_versioned(cloud, bucket, environment, version)[0]


def read_versioned(
    cloud: Cloud, bucket: str, environment: str, version: str = ""
) -> tuple[Mapping[str, Any], str]:
    """As `read`, and S3's name of what was read, by which it is found again."""
    return _read(
        cloud, bucket, state_bucket.backend_config(cloud, bucket, environment)["key"], version
    )


def read_access(cloud: Cloud, bucket: str, environment: str) -> Mapping[str, Any]:
    """The state of what `inv oidc.bootstrap` made; empty where it never ran."""
    return _read(cloud, bucket, state_bucket.access_key(environment))[0]


def _read(cloud: Cloud, bucket: str, key: str, version: str = "") -> tuple[Mapping[str, Any], str]:
    which = {"VersionId": version} if version else {}
    try:
        answer = cloud.client("s3").get_object(Bucket=bucket, Key=key, **which)
    except ClientError as error:
        if error.response["Error"]["Code"] in state_bucket.NOT_THERE | {"NoSuchVersion"}:
            return {}, ""
        raise
    found: Mapping[str, Any] = json.loads(answer["Body"].read())
    return found, str(answer.get("VersionId", ""))


def resources(state: Mapping[str, Any]) -> Iterator[Standing]:
    """Every instance of every managed resource, in the state's order."""
    for each in state.get("resources", ()):
        if each["mode"] != "managed":
            continue
        name = ".".join(filter(None, (each.get("module"), each["type"], each["name"])))
        for instance in each["instances"]:
            address = f"{name}{_index(instance.get('index_key'))}"
            yield Standing(address, each["type"], instance.get("attributes") or {})


def is_under(address: str, modules: Sequence[str]) -> bool:
    """Whether a resource is in one of the modules, or an instance of one of the resources."""
    return any(re.match(rf"{re.escape(module)}[.\[]", address) for module in modules)


def _index(key: str | int | None) -> str:
    return "" if key is None else f"[{json.dumps(key)}]"
