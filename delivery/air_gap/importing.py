"""Bringing a parcel into a mirror: blobs, then all else aside, then the orchestrator publishes.

docs/adr/0014 says why the publishing is not done here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from delivery.air_gap import contents, parcel, verification
from delivery.air_gap.parcel import File, Parcel
from delivery.cloud import Cloud
from delivery.errors import BaseMissing
from delivery.mirror import orchestrator, uploads
from delivery.progress import Steps

THREADS = 8
NAMED = 3
TOLD_EVERY = 100
# As many as the mirror's own plan puts into one.
PACK_MANIFESTS = 128


@dataclass(frozen=True)
class Imported:
    """What an import brought: `uploaded` blobs of `blobs`; `answer` is the orchestrator's."""

    snapshot: str
    since: str | None
    blobs: int
    uploaded: int
    uploaded_bytes: int
    answer: Mapping[str, Any]


def bring(
    cloud: Cloud,
    outputs: Mapping[str, Any],
    folder: Path,
    key: Ed25519PublicKey,
    upstream_key_pem: str,
    steps: Steps,
    *,
    records: Path,
) -> Imported:
    """Verify a parcel, upload what the mirror lacks, and publish its snapshot.

    Safe to run again: what is in the bucket is not uploaded twice, and what was hashed and is
    untouched since is not hashed twice. S3 holds each upload to its SHA-256 all the same.

    Args:
        outputs: what Terraform put out (``mirror_bucket``, ``orchestrator_function``).
        records: folder of this machine's, in which is noted what was hashed.

    Raises:
        BadInput, UntrustedParcel: see `verification.verify`; the bucket is as it was.
        BaseMissing: a delta, and the mirror lacks what it builds on; likewise.
        PublishFailed: the orchestrator refused; what was published before stands.
    """
    bucket, s3 = outputs["mirror_bucket"], cloud.client("s3")
    with steps.step("verify"):
        found = verification.verify(folder, key, upstream_key_pem, steps.detail, records)
    with steps.step("compare"):
        held = uploads.sizes(s3, bucket, "v2/")
        _check_base(s3, bucket, folder, found, held)
        missing = _missing(found, held)
        steps.detail(f"{len(missing)} blobs to upload")
    with steps.step("upload"):
        _Uploads(s3, bucket, folder).put(missing, steps.detail)
    with steps.step("stage"):
        _Uploads(s3, bucket, folder).put(_staged(found), steps.detail)
        _stage_manifests(s3, bucket, folder, found)
    with steps.step("publish"):
        answer = orchestrator.import_publish(
            cloud, outputs["orchestrator_function"], found.snapshot
        )
    verification.record(folder, records).forget()
    uploaded_bytes = sum(file.size_bytes for _, file, _ in missing.values())
    blobs = found.counts["blobs"]
    return Imported(found.snapshot, found.since, blobs, len(missing), uploaded_bytes, answer)


# Key in the bucket → path in the parcel, what it must be, and its content type.
Wanted = dict[str, tuple[str, File, str]]


class _Uploads:
    """Files of one parcel on their way into one bucket."""

    def __init__(self, s3: Any, bucket: str, folder: Path) -> None:
        self._s3, self._bucket, self._folder = s3, bucket, folder

    def put(self, wanted: Wanted, detail: Callable[[str], None]) -> None:
        pool = ThreadPoolExecutor(THREADS)
        try:
            waiting = [pool.submit(self._one, key, *each) for key, each in wanted.items()]
            for number, done in enumerate(as_completed(waiting), 1):
                done.result()
                if number % TOLD_EVERY == 0:
                    detail(f"{number} of {len(wanted)} files")
        finally:
            pool.shutdown(cancel_futures=True)

    def _one(self, key: str, path: str, file: File, content_type: str) -> None:
        place = self._folder / path
        uploads.put(self._s3, self._bucket, key, place, file.sha256, content_type)


def _missing(found: Parcel, held: Mapping[str, int]) -> Wanted:
    return {
        path: (path, file, uploads.BLOB_TYPE)
        for path, file in found.files.items()
        if parcel.is_blob(path) and held.get(path) != file.size_bytes
    }


def _staged(found: Parcel) -> Wanted:
    """API files and lists, below ``syncs/<id>/``, where the orchestrator looks for them."""
    staging, snapshot = f"syncs/{found.snapshot}/", f"snapshots/{found.snapshot}/"
    wanted: Wanted = {}
    for path, file in found.files.items():
        if path.startswith("api/"):
            wanted[staging + path] = (path, file, uploads.JSON_TYPE)
        elif path in {snapshot + name for name in contents.LISTS}:
            key = f"{staging}import/{path.removeprefix(snapshot)}"
            wanted[key] = (path, file, uploads.JSON_TYPE)
    return wanted


def _stage_manifests(s3: Any, bucket: str, folder: Path, found: Parcel) -> None:
    """Put the indexes into packs of many, as a plan does (docs/adr/0011)."""
    paths = sorted(path for path in found.files if parcel.is_manifest(path))
    for number, first in enumerate(range(0, len(paths), PACK_MANIFESTS)):
        pack = [_packed(folder, found, path) for path in paths[first : first + PACK_MANIFESTS]]
        s3.put_object(
            Bucket=bucket,
            Key=f"syncs/{found.snapshot}/manifests/{number:05}.json",
            Body=json.dumps(pack).encode(),
            ContentType=uploads.JSON_TYPE,
        )


def _packed(folder: Path, found: Parcel, path: str) -> tuple[str, str, str]:
    body = (folder / path).read_bytes()
    # It was right when the parcel was verified; a disk that is going bad must not matter here.
    if hashlib.sha256(body).hexdigest() != found.files[path].sha256:
        raise parcel.refused(f'"{path}" changed while it was read', str(folder))
    # As in a plan's own packs: of another tap, the image is written from the root on.
    repository, tag = path.removeprefix("v2").split("/manifests/")
    return repository.removeprefix("/homebrew/core/"), tag, body.decode()


def _check_base(s3: Any, bucket: str, folder: Path, found: Parcel, held: Mapping[str, int]) -> None:
    """Whether what the snapshot names is in the parcel or in the mirror."""
    base = f"snapshots/{found.since}/snapshot.json"
    if found.since and base not in uploads.sizes(s3, bucket, base):
        raise _base_missing(found, f"the mirror does not hold the snapshot {found.since}", bucket)
    listed = json.loads((folder / f"snapshots/{found.snapshot}/bottles.json").read_bytes())
    casks = folder / f"snapshots/{found.snapshot}/casks.json"
    named = {
        key
        for bottle in contents.bottles_in(listed)
        for key in (contents.blob_key(bottle), contents.manifest_key(bottle))
    }
    if casks.is_file():
        named |= contents.cask_digests(json.loads(casks.read_bytes())).keys()
    absent = sorted(named - found.files.keys() - held.keys())
    if absent:
        told = f"{len(absent)} files are neither in the parcel nor in the mirror"
        raise _base_missing(found, f"{told}: {', '.join(absent[:NAMED])}", bucket)


def _base_missing(found: Parcel, problem: str, bucket: str) -> BaseMissing:
    bring = f"--since one that it holds, or the parcel of {found.since}" if found.since else "whole"
    return BaseMissing(
        problem,
        where=f"s3://{bucket}/snapshots/",
        remedy=f"export {found.snapshot} again and bring it: {bring}",
    )
