"""What a sync means to do, as a value that is written once and read by publish."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from mirror import keys
from mirror.bottles import Bottle
from mirror.bucket import Bucket
from mirror.casks import CaskFile, Held


@dataclass(frozen=True)
class Account:
    """What planning took, for the report of the sync.

    Args:
        started_at: seconds since 1970.
        to_copy_bytes: of the bottles that were not in the bucket.
        retries: reason → how many requests were made again.
    """

    started_at: float = 0.0
    seconds: float = 0.0
    to_copy_bytes: int = 0
    retries: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """``syncs/<id>/plan/plan.json``.

    Args:
        formulae: how many are selected.
        bottles: all that the snapshot is to hold, sizes known.
        to_copy: how many of them, and of the casks, were not in the bucket.
        manifests: image, manifest tag, and key of the pack of each index that is staged.
        failed: ``{"bottle", "error", "problem"}`` of selected bottles that upstream's index lacks.
        api_files: path below ``api/`` → SHA-256 of the staged file.
        without_bottle: ``{"formula", "platform", "problem"}`` of what has no usable bottle.
        warnings: the same of selected formulae that an operator should look at.
        too_large: what is left out for its size.
        casks: their files; sizes as far as they are known.
        casks_left_out: ``{"cask", "platform", "problem"}`` of those whose file is not mirrored.
        validators: path below ``api/`` → what the next sync asks upstream with.
    """

    sync: str
    selection: Mapping[str, Any]
    formulae: int
    bottles: tuple[Bottle, ...]
    to_copy: int
    manifests: tuple[tuple[str, str, str], ...]
    failed: tuple[Mapping[str, str], ...]
    api_files: Mapping[str, str]
    without_bottle: tuple[Mapping[str, str], ...]
    warnings: tuple[Mapping[str, str], ...] = ()
    too_large: tuple[Bottle, ...] = ()
    casks: tuple[CaskFile, ...] = ()
    casks_left_out: tuple[Mapping[str, str], ...] = ()
    validators: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    account: Account = field(default_factory=Account)

    @property
    def size_bytes(self) -> int:
        """Bytes of all bottles and casks; what several versions share counts once."""
        blobs: tuple[Held, ...] = (*self.bottles, *self.casks)
        return sum({each.blob_key: each.size_bytes for each in blobs}.values())

    def weighed(self, inventory: Mapping[str, int]) -> Self:
        """The same with the sizes that the casks have in the bucket."""
        casks = (
            replace(each, size_bytes=inventory.get(each.blob_key, each.size_bytes))
            for each in self.casks
        )
        return replace(self, casks=tuple(casks))

    def write(self, bucket: Bucket) -> None:
        """Put it where publish looks for it."""
        document = vars(self) | {
            "bottles": [bottle.as_json() for bottle in self.bottles],
            "too_large": [bottle.as_json() for bottle in self.too_large],
            "casks": [each.as_json() for each in self.casks],
            "account": asdict(self.account),
        }
        bucket.write_json(keys.plan(self.sync), document)

    @classmethod
    def read(cls, bucket: Bucket, sync: str) -> Self:
        """The plan of a sync.

        Raises:
            BucketRefused: there is none.
        """
        document = json.loads(bucket.read(keys.plan(sync)))
        return cls(
            **document
            | {
                "bottles": tuple(Bottle.from_json(each) for each in document["bottles"]),
                "manifests": tuple(
                    (image, tag, pack) for image, tag, pack in document["manifests"]
                ),
                "failed": tuple(document["failed"]),
                "without_bottle": tuple(document["without_bottle"]),
                "warnings": tuple(document["warnings"]),
                "casks": tuple(CaskFile.from_json(each) for each in document.get("casks", ())),
                "casks_left_out": tuple(document.get("casks_left_out", ())),
                "too_large": tuple(Bottle.from_json(each) for each in document["too_large"]),
                "account": Account(**document["account"]),
            }
        )
