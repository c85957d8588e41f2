"""Filling a mirror from files that are at hand, so that the next sync fetches only the rest.

The signed catalogue, or a tap's reviewed file, decides: bytes that hash to a digest it names are
uploaded under that digest, whatever their file was called; all others are not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any

from delivery.air_gap.hashing import sha256_of
from delivery.cloud import Cloud
from delivery.errors import BadInput
from delivery.mirror import orchestrator, seeds, uploads, wanted_files
from delivery.mirror.seeds import Refused, Seed
from delivery.mirror.wanted_files import Wanted
from delivery.progress import Steps

THREADS = 4


@dataclass(frozen=True)
class Seeded:
    """What came of a source.

    Args:
        present: wanted bottles and casks that the mirror held before.
        not_wanted: files whose bytes no wanted bottle or cask has.
        missing: wanted bottles and casks that the mirror still lacks.
    """

    uploaded: int
    uploaded_bytes: int
    present: int
    not_wanted: int
    missing: int
    refused: tuple[Refused, ...]


def seed(
    cloud: Cloud, outputs: Mapping[str, Any], source: str, steps: Steps, *, everything: bool
) -> Seeded:
    """Hash every file of a source and upload those that the mirror lacks.

    Args:
        outputs: what Terraform put out (``mirror_bucket``, ``orchestrator_function``).
        source: see `seeds.of`.
        everything: all bottles of the selected platforms count as wanted.

    Raises:
        BadInput: there is no such source, or it is this mirror itself.
        SyncFailed: the orchestrator could not read the catalogue.
    """
    bucket = outputs["mirror_bucket"]
    if source.removeprefix("s3://").partition("/")[0] == bucket:
        raise BadInput(f'"{source}" is this mirror', where="--from", remedy="name another source")
    with steps.step("ask"):
        answer = orchestrator.want(cloud, outputs["orchestrator_function"], everything=everything)
        wanted = _wanted(cloud, bucket, answer["key"])
        casks = answer.get("casks", 0)  # Functions of an earlier release want none.
        steps.detail(
            f"{answer['bottles']} bottles, {casks} casks wanted, {answer['present']} there"
        )
    planting = _Planting(cloud, bucket, wanted)
    with steps.step("seed"), ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(planting.plant, seeds.of(source, cloud, wanted.__contains__)))
    done = planting.seeded()
    missing = len(wanted.keys.keys() - planting.planted)
    return replace(done, present=answer["present"], missing=missing)


def _wanted(cloud: Cloud, bucket: str, key: str) -> Wanted:
    body = cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return wanted_files.of(json.loads(body))


class _Planting:
    """One run over the seeds of a source; shared by threads."""

    def __init__(self, cloud: Cloud, bucket: str, wanted: Wanted) -> None:
        self._s3, self._bucket, self._wanted = cloud.client("s3"), bucket, wanted
        self._lock = Lock()
        self.planted: set[str] = set()
        self._bytes, self._not_wanted = 0, 0
        self._refused: list[Refused] = []

    def plant(self, each: Seed | Refused) -> None:
        """Upload one seed, or note why not."""
        if isinstance(each, Refused):
            self._refuse(each.name, each.problem)
            return
        try:
            with each.file() as path:
                self._judge(each, path, sha256_of(path))
        except OSError as error:
            self._refuse(each.name, f"cannot be read: {error.strerror}")

    def seeded(self) -> Seeded:
        """What came of it."""
        refused = tuple(sorted(self._refused, key=lambda each: each.name))
        return Seeded(len(self.planted), self._bytes, 0, self._not_wanted, 0, refused)

    def _judge(self, each: Seed, path: Path, found: str) -> None:
        claimed = each.claimed or self._wanted.meant(each.name.split("/")[-1])
        if each.claimed and found != each.claimed:
            self._refuse(each.name, f"claims to be {each.claimed}, but its bytes hash to {found}")
        elif found in self._wanted.keys:
            self._upload(path, found)
        elif claimed in self._wanted.keys:
            self._refuse(each.name, f"the catalogue names {claimed}, but its bytes hash to {found}")
        else:
            with self._lock:
                self._not_wanted += 1

    def _upload(self, path: Path, digest: str) -> None:
        with self._lock:
            if digest in self.planted:
                return
            self.planted.add(digest)
        for key in self._wanted.keys[digest]:
            uploads.put(self._s3, self._bucket, key, path, digest, uploads.BLOB_TYPE)
        with self._lock:
            self._bytes += path.stat().st_size

    def _refuse(self, name: str, problem: str) -> None:
        with self._lock:
            self._refused.append(Refused(name, problem))
