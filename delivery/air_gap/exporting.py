"""Writing a parcel: each file hashed while it is written, and renamed when it is whole.

Whatever ends an export, a full disk or a kill, what is proven stays, and the same command goes
on from there.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from botocore.exceptions import HTTPClientError, IncompleteReadError
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from delivery.air_gap import contents, parcel
from delivery.air_gap.contents import Contents, Item
from delivery.air_gap.hashing import CHUNK_BYTES, sha256_of
from delivery.air_gap.journal import Journal
from delivery.air_gap.parcel import File, Parcel
from delivery.cloud import Cloud
from delivery.errors import BadInput, ExportFailed

# boto3 keeps ten connections; a disk that is written by more threads is not faster.
THREADS = 8
# boto3 itself tries a request again, but not a body that is being read.
TRIES = 3
PARTIAL = ".partial"
TOLD_EVERY = 100


def export(
    cloud: Cloud,
    bucket: str,
    folder: Path,
    key: Ed25519PrivateKey,
    *,
    snapshot: str = "",
    since: str = "",
    detail: Callable[[str], None],
) -> Parcel:
    """Write a snapshot, or what it has more than `since`, into a folder, and sign the list.

    Args:
        folder: new or empty, or that of an export of the same that did not end.
        snapshot: empty for the one that ``api/`` serves.

    Returns:
        What the folder now holds.

    Raises:
        BadInput: no such snapshot, or the folder holds something else.
        ExportFailed: the disk is full, or the bucket gave other bytes than it promised.
    """
    wanted = contents.of(cloud, bucket, snapshot, since)
    earlier = _prepare(folder, wanted)
    with _disk(folder):
        journal = Journal.of(folder)
        journal.begin()
        _remove_leftovers(folder, wanted, journal)
        written = _Writer(cloud, bucket, folder, journal, earlier).write(wanted, detail)
        done = Parcel(wanted.snapshot, wanted.since, _now(), written)
        body = done.as_bytes()
        _write(folder / parcel.DOCUMENT, body)
        _write(folder / parcel.SIGNATURE, key.sign(body))
        journal.end()
    return done


class _Writer:
    """The files of one export."""

    def __init__(
        self,
        cloud: Cloud,
        bucket: str,
        folder: Path,
        journal: Journal,
        earlier: dict[str, File],
    ) -> None:
        self._s3, self._bucket = cloud.client("s3"), bucket
        self._folder, self._journal, self._earlier = folder, journal, earlier

    def write(self, wanted: Contents, detail: Callable[[str], None]) -> dict[str, File]:
        """Path → what is there now, all of it proven."""
        found: dict[str, File] = {}
        pool = ThreadPoolExecutor(THREADS)
        try:
            waiting = {pool.submit(self._one, item): item for item in wanted.items}
            for done in as_completed(waiting):
                found[waiting[done].path] = done.result()
                if len(found) % TOLD_EVERY == 0:
                    detail(f"{len(found)} of {len(wanted.items)} files")
        finally:
            pool.shutdown(cancel_futures=True)
        return found

    def _one(self, item: Item) -> File:
        there = self._there(item)
        if there is None:
            there = self._fetch(item)
        self._journal.note(item.path, there)
        return there

    def _there(self, item: Item) -> File | None:
        """The file as an earlier try left it, if it is what it must be."""
        proven = self._journal.proven(item.path)
        earlier = self._earlier.get(item.path)
        wanted = item.sha256 or (proven or earlier or File(0, "")).sha256
        if proven is not None:
            return proven if proven.sha256 == wanted else None
        path = self._folder / item.path
        if not wanted or not path.is_file() or path.is_symlink():
            return None
        return File(path.stat().st_size, wanted) if sha256_of(path) == wanted else None

    def _fetch(self, item: Item) -> File:
        """The file from the bucket; a body that breaks off is asked for again."""
        for _ in range(TRIES - 1):
            with suppress(HTTPClientError, IncompleteReadError):
                return self._fetch_once(item)
        return self._fetch_once(item)

    def _fetch_once(self, item: Item) -> File:
        path = self._folder / item.path
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}{PARTIAL}")
        answer = self._s3.get_object(Bucket=self._bucket, Key=item.key)
        digest, size_bytes = hashlib.sha256(), 0
        with partial.open("wb") as file:
            for chunk in answer["Body"].iter_chunks(CHUNK_BYTES):
                file.write(chunk)
                digest.update(chunk)
                size_bytes += len(chunk)
        found = File(size_bytes, digest.hexdigest())
        if item.sha256 not in {None, found.sha256}:
            partial.unlink()
            raise _other_bytes(f"s3://{self._bucket}/{item.key}", found)
        # brew asks with If-Modified-Since: a served parcel must tell the mirror's own times.
        modified = answer["LastModified"].timestamp()
        os.utime(partial, (modified, modified))
        partial.replace(path)
        return found


def _prepare(folder: Path, wanted: Contents) -> dict[str, File]:
    """Make the folder, or see that it is one of ours; returns what it says that it holds."""
    document = folder / parcel.DOCUMENT
    if document.is_file():
        earlier = Parcel.parse(document.read_bytes(), str(document))
        if (earlier.snapshot, earlier.since) != (wanted.snapshot, wanted.since):
            raise _occupied(folder, f"a parcel of {earlier.snapshot}")
        return dict(earlier.files)
    if folder.is_dir() and any(folder.iterdir()) and not Journal.of(folder).is_there:
        raise _occupied(folder, "something else")
    _make(folder)
    try:
        colon = folder / ".air:brew"
        colon.touch()
        colon.unlink()
    except OSError as error:
        raise BadInput(
            f"names with a colon cannot be written there: {error.strerror}",
            where=str(folder),
            remedy="export to ext4, XFS or APFS; `inv mirror.pack` cuts it up for any disk",
        ) from error
    return {}


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(
            f'"{folder}" cannot be made a folder: {error.strerror}',
            where="--to",
            remedy="name a folder that is empty or not there yet, where you may write",
        ) from error


def _remove_leftovers(folder: Path, wanted: Contents, journal: Journal) -> None:
    """What a killed export has left: partial files, and those of another snapshot."""
    stale = journal.paths - {item.path for item in wanted.items}
    for name in (*stale, parcel.DOCUMENT, parcel.SIGNATURE):
        (folder / name).unlink(missing_ok=True)
    for path in folder.rglob(f"*{PARTIAL}"):
        path.unlink()


@contextmanager
def _disk(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        raise ExportFailed(
            "the disk is full" if full else f"the disk refuses: {error}",
            where=str(folder),
            remedy="make room, then run the same command: what is there is kept",
        ) from error


def _write(path: Path, body: bytes) -> None:
    partial = path.with_name(f"{path.name}{PARTIAL}")
    partial.write_bytes(body)
    partial.replace(path)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _occupied(folder: Path, by: str) -> BadInput:
    return BadInput(
        f"the folder holds {by}", where=str(folder), remedy="name an empty or a new folder"
    )


def _other_bytes(where: str, found: File) -> ExportFailed:
    return ExportFailed(
        f"the object is {found.size_bytes} bytes that hash to {found.sha256}, not what it must be",
        where=where,
        remedy="inv mirror.verify repairs it; then run the same export again",
    )
