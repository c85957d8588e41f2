"""What a parcel says of itself: `parcel.json`, the one file that is signed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from delivery.errors import UntrustedParcel

DOCUMENT = "parcel.json"
SIGNATURE = "parcel.json.sig"
FORMAT = "airbrew-parcel-1"

SNAPSHOT_ID = re.compile(r"\d{4}-\d{2}-\d{2}T\d{6}Z")
_SEGMENT = r"[A-Za-z0-9_][A-Za-z0-9._@+-]*"
_PATH = re.compile(
    rf"(?:v2(?:/{_SEGMENT})+/(?:blobs/sha256:(?P<digest>[0-9a-f]{{64}})|manifests/{_SEGMENT})"
    rf"|api(?:/{_SEGMENT})+"
    rf"|snapshots/{SNAPSHOT_ID.pattern}(?:/{_SEGMENT})+)"
)
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class File:
    """One file of a parcel; `sha256` is 64 hex digits."""

    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Parcel:
    """What a parcel holds.

    Args:
        snapshot: the id of the snapshot that it carries.
        since: for a delta, the id of the snapshot that has to be there already.
        files: path below the folder, with slashes, as it is served → what it must be.
    """

    snapshot: str
    since: str | None
    created_at: str
    files: Mapping[str, File]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many blobs, manifests and API files, and bytes in all."""
        return {
            "files": len(self.files),
            "blobs": sum(is_blob(path) for path in self.files),
            "manifests": sum(is_manifest(path) for path in self.files),
            "api_files": sum(path.startswith("api/") for path in self.files),
            "bytes": sum(each.size_bytes for each in self.files.values()),
        }

    def as_bytes(self) -> bytes:
        """``parcel.json``: these very bytes are signed."""
        document = {
            "format": FORMAT,
            "snapshot": self.snapshot,
            "since": self.since,
            "created_at": self.created_at,
            "counts": self.counts,
            "files": {path: asdict(each) for path, each in sorted(self.files.items())},
        }
        return (json.dumps(document, indent=1) + "\n").encode()

    @classmethod
    def parse(cls, body: bytes, where: str) -> Parcel:
        """Read ``parcel.json``, whose signature holds.

        Raises:
            UntrustedParcel: another format, or a path that could leave its folder.
        """
        try:
            document = json.loads(body)
            told = document["format"]
            if told != FORMAT:
                raise refused(f'the format is "{told}", not "{FORMAT}"', where)
            snapshot, since = document["snapshot"], document["since"]
            for name in (snapshot, snapshot if since is None else since):
                if not SNAPSHOT_ID.fullmatch(name):
                    raise refused(f'"{name}" is not the id of a snapshot', where)
            files = {path: _file(path, each, where) for path, each in document["files"].items()}
            return cls(snapshot, since, str(document["created_at"]), files)
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
            raise refused(f"not the list of a parcel: {error!r}", where) from error


def is_path(text: str) -> bool:
    """Whether a text is the path of something that a mirror serves, and stays in its folder."""
    return _PATH.fullmatch(text) is not None and ".." not in text


def _file(path: str, entry: Mapping[str, Any], where: str) -> File:
    shape = _PATH.fullmatch(path)
    if shape is None or not is_path(path):
        raise refused(f'"{path}" is not a path of a mirror', where)
    size_bytes, sha256 = entry["size_bytes"], entry["sha256"]
    if not isinstance(size_bytes, int) or not _DIGEST.fullmatch(sha256):
        raise refused(f'"{path}" has no size and SHA-256', where)
    if shape["digest"] not in {None, sha256}:
        raise refused(f'"{path}" is listed with another digest, {sha256}', where)
    return File(size_bytes, sha256)


def is_blob(path: str) -> bool:
    """Whether a path, or key, is that of a bottle."""
    return "/blobs/sha256:" in path


def is_manifest(path: str) -> bool:
    """Whether a path, or key, is that of an OCI index."""
    return path.startswith("v2/") and "/manifests/" in path


def refused(
    problem: str, where: str, remedy: str = "export again, or copy that file again"
) -> UntrustedParcel:
    """The parcel is not to be used; nothing of it was."""
    return UntrustedParcel(problem, where=where, remedy=f"nothing was taken over; {remedy}")
