"""What belongs into a parcel: every object of a snapshot, or what an earlier one lacks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from delivery.cloud import Cloud
from delivery.errors import BadInput
from delivery.mirror import content, uploads
from delivery.mirror.bottles import Bottle, cask_key

LISTS = ("bottles.json", "casks.json", "snapshot.json")
ABSENT = {"NoSuchKey", "404", "NotFound"}


@dataclass(frozen=True)
class Item:
    """One file: `path` in the parcel, `key` in the bucket, and its SHA-256 where it is known."""

    path: str
    key: str
    sha256: str | None = None


@dataclass(frozen=True)
class Contents:
    """The snapshot that is carried, the one it builds on, and the files."""

    snapshot: str
    since: str | None
    items: tuple[Item, ...]


def of(cloud: Cloud, bucket: str, snapshot: str, since: str) -> Contents:
    """What a parcel of this snapshot holds; the one that ``api/`` serves when `snapshot` is
    empty.

    Raises:
        BadInput: there is no such snapshot, or `since` is not an older one.
    """
    chosen = snapshot or _served(cloud, bucket)
    if since and since >= chosen:
        raise BadInput(
            f'"{since}" is not older than the snapshot {chosen}',
            where="--since",
            remedy="name the snapshot that the other side has, or leave --since out",
        )
    document = _read(cloud, bucket, chosen, "snapshot.json")
    held = _bottles(cloud, bucket, since) if since else frozenset()
    items = [*_blobs_and_manifests(_bottles(cloud, bucket, chosen), held)]
    items += _casks(cloud, bucket, document, since)
    items += _api_files(chosen, document["api_files"])
    items += _lists(cloud, bucket, chosen)
    return Contents(chosen, since or None, tuple(items))


def _blobs_and_manifests(bottles: frozenset[Bottle], held: frozenset[Bottle]) -> Iterator[Item]:
    """A blob that is held stays behind; an index comes along if any of its bottles is new."""
    blobs_held = {blob_key(each) for each in held}
    new = bottles - held
    for key, digest in sorted({blob_key(each): each.digest for each in new}.items()):
        if key not in blobs_held:
            yield Item(key, key, digest)
    for key in sorted({manifest_key(each) for each in new}):
        yield Item(key, key)


def _casks(cloud: Cloud, bucket: str, document: Mapping[str, Any], since: str) -> Iterator[Item]:
    """The files of casks that the earlier snapshot does not hold."""
    base = _read(cloud, bucket, since, "snapshot.json") if since else {}
    held = _cask_digests(cloud, bucket, base)
    for key, digest in sorted(_cask_digests(cloud, bucket, document).items()):
        if key not in held:
            yield Item(key, key, digest)


def _cask_digests(cloud: Cloud, bucket: str, document: Mapping[str, Any]) -> dict[str, str]:
    if "casks_sha256" not in document:
        return {}
    return cask_digests(_read(cloud, bucket, document["id"], "casks.json"))


def cask_digests(document: Mapping[str, Any]) -> dict[str, str]:
    """Key → SHA-256 of what a ``casks.json`` lists (docs/reference/bucket-layout.md)."""
    return {cask_key(each["token"], each["digest"]): each["digest"] for each in document["casks"]}


def _api_files(snapshot: str, digests: Mapping[str, str]) -> Iterator[Item]:
    """The snapshot's files, and ``api/`` as it was published with it."""
    folder = f"snapshots/{snapshot}/"
    for path, digest in sorted(digests.items()):
        yield Item(f"{folder}api/{path}", f"{folder}api/{path}", digest)
        yield Item(f"api/{path}", f"{folder}api/{path}", digest)


def _lists(cloud: Cloud, bucket: str, snapshot: str) -> Iterator[Item]:
    """What else the snapshot's folder holds: ``bottles.json``, ``snapshot.json``."""
    folder = f"snapshots/{snapshot}/"
    for key in sorted(uploads.sizes(cloud.client("s3"), bucket, folder)):
        if not key.startswith(f"{folder}api/"):
            yield Item(key, key)


def bottles_in(listed: Iterable[Mapping[str, Any]]) -> frozenset[Bottle]:
    """The bottles of a ``bottles.json`` (docs/reference/bucket-layout.md)."""
    return frozenset(
        Bottle(
            *(each["formula"], each["version"], each["rebuild"], each["tag"], each["digest"]),
            repository=each.get("repository", "homebrew/core"),
        )
        for each in listed
    )


def blob_key(bottle: Bottle) -> str:
    """``v2/homebrew/core/jq/blobs/sha256:…``."""
    return f"v2/{bottle.repository}/{bottle.image}/blobs/sha256:{bottle.digest}"


def manifest_key(bottle: Bottle) -> str:
    """``v2/homebrew/core/jq/manifests/1.8.1``."""
    return f"v2/{bottle.repository}/{bottle.image}/manifests/{bottle.manifest_tag}"


def _bottles(cloud: Cloud, bucket: str, snapshot: str) -> frozenset[Bottle]:
    _read(cloud, bucket, snapshot, "snapshot.json")  # A folder without it was never published.
    return bottles_in(_read(cloud, bucket, snapshot, "bottles.json"))


def _served(cloud: Cloud, bucket: str) -> str:
    found = content.served(cloud, bucket)
    if found is None:
        raise BadInput(
            "the mirror has published nothing yet",
            where=f"s3://{bucket}/snapshots/",
            remedy="inv mirror.sync, then export",
        )
    return found


def _read(cloud: Cloud, bucket: str, snapshot: str, name: str) -> Any:
    key = f"snapshots/{snapshot}/{name}"
    try:
        body = cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] not in ABSENT:
            raise
        raise BadInput(
            f'there is no snapshot "{snapshot}"',
            where=f"s3://{bucket}/{key}",
            remedy="choose one that `inv mirror.snapshots` lists",
        ) from error
    return json.loads(body)
