"""Releases and their artifacts in a state bucket, by digest: what is there is never sent again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from delivery import digests, whole_files
from delivery.cloud import Cloud
from delivery.deploy.settings import artifact_key
from delivery.errors import UnknownRelease, UntrustedRelease
from delivery.releases import manifest
from delivery.releases.manifest import Package, Release
from delivery.state_bucket import NOT_THERE, OUTRUN

RELEASES = "artifacts/release/"
# The only key whose name is not the digest of its bytes: it tells a time.
PROVENANCE = "artifacts/provenance/"
NAMED_AT_MOST = 8


@dataclass(frozen=True)
class Sent:
    """What a bucket lacked and was sent; `there` counts the keys that it had."""

    keys: tuple[str, ...]
    size_bytes: int
    there: int


def keep(cloud: Cloud, bucket: str, package: Package) -> Sent:
    """Put a release into the bucket; what is there costs one HEAD and is not sent.

    The manifest goes last: a release that can be found is whole, even if this was killed.

    Raises:
        UntrustedRelease: a file, or a key that is there, holds other bytes than its name says.
    """
    release = package.release
    artifacts = {
        artifact_key(name, each.sha256): package.paths[name].read_bytes
        for name, each in release.components.items()
    }
    papers: dict[str, Callable[[], bytes]] = {
        _sbom_key(release): lambda: package.sbom,
        _provenance_key(release): package.provenance,
        _release_key(release.id): lambda: release.body,
    }
    bodies = artifacts | papers
    return _send(cloud, bucket, release, lambda key: bodies[key]())


def promote(
    from_cloud: Cloud, from_bucket: str, to_cloud: Cloud, to_bucket: str, release: Release
) -> Sent:
    """Copy a release from one environment's bucket to another's: only what it lacks there.

    The two may be in different accounts: one cloud reads, the other writes.

    Raises:
        UntrustedRelease: a key holds other bytes than its name says, or is not there; what
            was copied until then is whole, and the release cannot be found yet.
    """
    source = from_cloud.client("s3")
    return _send(to_cloud, to_bucket, release, lambda key: _get(source, from_bucket, key))


def find(cloud: Cloud, bucket: str, name: str) -> Release:
    """The release of that id, or of an unambiguous beginning of it with 6 digits or more.

    Raises:
        UnknownRelease: there is none, or more than one, or it cannot be a name.
        UntrustedRelease: its manifest is not what its id says.
    """
    manifest.check_name(name)
    s3 = cloud.client("s3")
    ids = _ids(s3, bucket, name)
    if len(ids) != 1:
        raise _not_one(name, ids, f"s3://{bucket}/{RELEASES}")
    key = _release_key(ids[0])
    return manifest.parse(_get(s3, bucket, key), f"s3://{bucket}/{key}")


def fetch(cloud: Cloud, bucket: str, release: Release, folder: Path) -> dict[str, Path]:
    """Component → its zip in `folder`, named as in a checkout; files that are whole stay.

    Raises:
        UntrustedRelease: an artifact is not there, or not the bytes that its name says;
            it was not written.
    """
    s3 = cloud.client("s3")
    folder.mkdir(parents=True, exist_ok=True)
    fetched = {}
    for component, each in release.components.items():
        path = folder / f"{component}-{each.sha256}.zip"
        if not path.is_file() or digests.sha256(path.read_bytes()) != each.sha256:
            whole_files.write(path, _get(s3, bucket, artifact_key(component, each.sha256)))
        fetched[component] = path
    return fetched


def bill(cloud: Cloud, bucket: str, release: Release) -> bytes:
    """The release's bill of materials, the bytes whose SHA-256 it names.

    Raises:
        UntrustedRelease: it is not there, or other bytes.
    """
    return _get(cloud.client("s3"), bucket, _sbom_key(release))


def provenance(cloud: Cloud, bucket: str, release: Release) -> bytes:
    """Who built the release, when, from what, as it was recorded with it.

    Raises:
        UntrustedRelease: it is not there.
    """
    return _get(cloud.client("s3"), bucket, _provenance_key(release))


def _send(cloud: Cloud, bucket: str, release: Release, body_of: Callable[[str], bytes]) -> Sent:
    s3, there = cloud.client("s3"), 0
    sent: dict[str, int] = {}
    for key in _keys(release):
        if _is_there(s3, bucket, key):
            there += 1
        else:
            sent[key] = _put(s3, bucket, key, body_of(key))
    return Sent(tuple(sent), sum(sent.values()), there)


def _keys(release: Release) -> list[str]:
    """Every key of a release, in the order of writing."""
    artifacts = [artifact_key(name, each.sha256) for name, each in release.components.items()]
    papers = [_sbom_key(release), _provenance_key(release), _release_key(release.id)]
    return [*artifacts, *papers]


def _sbom_key(release: Release) -> str:
    return f"artifacts/sbom/{release.sbom}.json"


def _provenance_key(release: Release) -> str:
    return f"{PROVENANCE}{release.id}.json"


def _release_key(release_id: str) -> str:
    return f"{RELEASES}{release_id}.json"


def _digest_in(key: str) -> str:
    """What the bytes under `key` must hash to, as its name says; empty where it says nothing."""
    return "" if key.startswith(PROVENANCE) else key.rpartition("/")[2].partition(".")[0]


def _is_there(s3: Any, bucket: str, key: str) -> bool:
    try:
        found = s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    except ClientError as error:
        if error.response["Error"]["Code"] not in NOT_THERE:
            raise
        return False
    # S3 computed it when the object came in; an object that came in without tells nothing.
    checksum = found.get("ChecksumSHA256")
    if checksum and _digest_in(key) and checksum != digests.as_base64(_digest_in(key)):
        raise _other_bytes(f"s3://{bucket}/{key}")
    return True


def _put(s3: Any, bucket: str, key: str, body: bytes) -> int:
    sha256 = digests.sha256(body)
    if _digest_in(key) not in {"", sha256}:
        raise _other_bytes(f"what was to become s3://{bucket}/{key}")
    try:
        s3.put_object(
            Bucket=bucket,
            Key=key,
            Body=body,
            ContentType="application/json" if key.endswith(".json") else "application/zip",
            ChecksumSHA256=digests.as_base64(sha256),
            IfNoneMatch="*",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] not in OUTRUN or not _is_there(s3, bucket, key):
            raise
    return len(body)


def _get(s3: Any, bucket: str, key: str) -> bytes:
    where = f"s3://{bucket}/{key}"
    try:
        body: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] not in NOT_THERE:
            raise
        raise UntrustedRelease(
            "a part of the release is not there",
            where=where,
            remedy="make the release again at its commit: inv package",
        ) from error
    if _digest_in(key) not in {"", digests.sha256(body)}:
        raise _other_bytes(where)
    return body


def _ids(s3: Any, bucket: str, beginning: str) -> list[str]:
    asked = {"Bucket": bucket, "Prefix": f"{RELEASES}{beginning}"}
    try:
        answer = s3.list_objects_v2(**asked, MaxKeys=NAMED_AT_MOST)
    except ClientError as error:
        if error.response["Error"]["Code"] not in NOT_THERE:
            raise
        return []
    return [_digest_in(each["Key"]) for each in answer.get("Contents", ())]


def _not_one(name: str, ids: Sequence[str], where: str) -> UnknownRelease:
    if not ids:
        return UnknownRelease(
            f'there is no release "{name}"',
            where=where,
            remedy="name one that was made or promoted there: inv history shows them",
        )
    shown = ", ".join(each[: max(len(name) + 4, manifest.SHORT_DIGITS)] for each in ids)
    return UnknownRelease(
        f'"{name}" begins the names of several releases: {shown}',
        where=where,
        remedy="give more digits of it",
    )


def _other_bytes(where: str) -> UntrustedRelease:
    return UntrustedRelease(
        "these bytes are not those that the digest in their name promises",
        where=where,
        remedy="find out who changed them; then delete them and make the release again at its"
        " commit: inv package",
    )
