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

from delivery.cloud import Cloud
from delivery.errors import CannotRollBack
from delivery.releases import history
from delivery.releases.history import Record
from delivery.settings import artifact_key
from delivery.site import Site
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
    body = _get(cloud, bucket, _settings_key(record.settings), record.settings, record)
    found: Mapping[str, Any] = json.loads(body)
    return found


def require(cloud: Cloud, bucket: str, record: Record) -> None:
    """Return when everything of that deploy is still kept.

    Raises:
        CannotRollBack: it is not; the message names what is gone.
    """
    _require(cloud, bucket, _settings_key(record.settings), record)
    for component, sha256 in record.artifacts.items():
        _require(cloud, bucket, artifact_key(component, sha256), record)


def site_of(site: Site, record: Record) -> Site:
    """The same site, wanting what `record` deployed.

    Raises:
        CannotRollBack: settings, an artifact or the Terraform tree are gone; the message names
            which.
    """
    require(site.cloud, site.bucket, record)
    settings = settings_of(site.cloud, site.bucket, record)
    tree = _unpacked(site, record)
    return replace(
        site,
        checkout=site.checkout.with_tree(tree),
        settings=settings,
        artifacts=record.artifacts,
        fingerprint=record.fingerprint,
        release=record.release,
    )


def _unpacked(site: Site, record: Record) -> Path:
    """The Terraform tree of a record in a folder of its own, fetched once."""
    sha256 = record.artifacts.get(TREE, "")
    folder = site.checkout.state_dir / "trees" / sha256[:16]
    if sha256 and (folder / TREE).is_dir():
        return folder / TREE
    body = _get(site.cloud, site.bucket, artifact_key(TREE, sha256), sha256, record)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            archive.extractall(f"{scratch}/{TREE}")
        shutil.move(f"{scratch}/{TREE}", folder / TREE)
    return folder / TREE


def _require(cloud: Cloud, bucket: str, key: str, record: Record) -> None:
    try:
        cloud.client("s3").head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] not in NOT_THERE:
            raise
        raise _gone(bucket, key, record) from error


def _get(cloud: Cloud, bucket: str, key: str, sha256: str, record: Record) -> bytes:
    try:
        body: bytes = cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] not in NOT_THERE:
            raise
        raise _gone(bucket, key, record) from error
    if hashlib.sha256(body).hexdigest() != sha256:
        raise _gone(bucket, key, record)
    return body


def _gone(bucket: str, key: str, record: Record) -> CannotRollBack:
    return CannotRollBack(
        f"deploy {record.number} cannot be brought back: a part of it is gone or spoilt",
        where=f"s3://{bucket}/{key}",
        remedy="choose another with --to, or check out its commit"
        f" {record.release.get('commit', '')[:12]} and deploy that",
    )


def _settings_key(digest: str) -> str:
    return f"settings/{digest}.json"
