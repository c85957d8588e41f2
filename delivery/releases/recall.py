"""What a record needs to be deployed once more: its settings, its artifacts, its Terraform tree."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from delivery.checkout import Checkout
from delivery.cloud import Cloud
from delivery.deploy.settings import artifact_key
from delivery.deploy.site import Site
from delivery.errors import CannotRollBack
from delivery.releases import history
from delivery.releases.history import Record
from delivery.state_bucket import NOT_THERE

TREE = "terraform"


def keep_settings(cloud: Cloud, bucket: str, settings: Mapping[str, Any]) -> str:
    """Keep what Terraform is handed, for a rollback to hand it over again; returns its SHA-256."""
    digest = history.settings_digest(settings)
    cloud.client("s3").put_object(
        Bucket=bucket,
        Key=_settings_key(digest),
        Body=history.canonical(settings),
        ContentType="application/json",
    )
    return digest


def settings_of(cloud: Cloud, bucket: str, record: Record) -> Mapping[str, Any]:
    """What Terraform was handed in that deploy.

    Raises:
        CannotRollBack: it is no longer kept.
    """
    body = _get(cloud, bucket, _settings_key(record.settings), record.settings)
    found: Mapping[str, Any] = json.loads(body)
    return found


def require(cloud: Cloud, bucket: str, record: Record) -> None:
    """Return when everything of that deploy is still kept.

    Raises:
        CannotRollBack: it is not; the message names what is gone.
    """
    _require(cloud, bucket, _settings_key(record.settings))
    for component, sha256 in record.artifacts.items():
        _require(cloud, bucket, artifact_key(component, sha256))


def site_of(site: Site, record: Record) -> Site:
    """The same site, wanting what `record` deployed.

    Raises:
        CannotRollBack: settings, an artifact or the Terraform tree are gone; the message names
            which.
    """
    require(site.cloud, site.bucket, record)
    settings = settings_of(site.cloud, site.bucket, record)
    tree = unpacked(site.checkout, site.cloud, site.bucket, record.artifacts[TREE])
    return replace(
        site,
        checkout=site.checkout.with_tree(tree),
        settings=settings,
        artifacts=record.artifacts,
        fingerprint=record.fingerprint,
        release=record.release,
    )


def unpacked(checkout: Checkout, cloud: Cloud, bucket: str, sha256: str) -> Path:
    """A release's Terraform tree in a folder of its own, fetched once.

    Raises:
        CannotRollBack: it is gone.
    """
    folder = checkout.state_dir / "trees" / sha256[:16]
    if (folder / TREE).is_dir():
        return folder / TREE
    body = _get(cloud, bucket, artifact_key(TREE, sha256), sha256)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            archive.extractall(f"{scratch}/{TREE}")
        # Renamed when it is whole: a kill leaves no half tree under the digest's name.
        shutil.move(f"{scratch}/{TREE}", folder / TREE)
    return folder / TREE


def _require(cloud: Cloud, bucket: str, key: str) -> None:
    try:
        cloud.client("s3").head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] not in NOT_THERE:
            raise
        raise _gone(bucket, key) from error


def _get(cloud: Cloud, bucket: str, key: str, sha256: str) -> bytes:
    try:
        body: bytes = cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] not in NOT_THERE:
            raise
        raise _gone(bucket, key) from error
    if hashlib.sha256(body).hexdigest() != sha256:
        raise _gone(bucket, key)
    return body


def _gone(bucket: str, key: str) -> CannotRollBack:
    return CannotRollBack(
        "it cannot be brought back: a part of it is gone or spoilt",
        where=f"s3://{bucket}/{key}",
        remedy="choose another (`inv history` shows them), or check out its commit and deploy it",
    )


def _settings_key(digest: str) -> str:
    return f"settings/{digest}.json"
