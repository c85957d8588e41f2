"""Copying one blob so that it is either whole and verified, or not there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Protocol

from mirror.bucket import Bucket, Upload
from mirror.errors import DigestMismatch
from mirror.memory import Memory

MIB = 1024 * 1024
BLOB_TYPE = "application/octet-stream"


class Blob(Protocol):
    """Anything that is known by the digest of its bytes: a bottle, the file of a cask."""

    @property
    def digest(self) -> str:
        """SHA-256, 64 hex digits."""

    @property
    def blob_key(self) -> str:
        """Where it belongs in the bucket."""

    @property
    def promised_bytes(self) -> int | None:
        """How many bytes it has; None when only the digest is promised."""


def copy_blob(
    blob: Blob,
    chunks: Iterable[bytes],
    bucket: Bucket,
    *,
    memory: Memory,
    part_bytes: int = 8 * MIB,
) -> int:
    """Stream one blob into the bucket, visible only once it is proven.

    A key under ``blobs/`` is the inventory (docs/adr/0002), so a small blob is put after
    its digest is known, and a large one's multipart upload is completed only then; any
    other way out aborts it. Holds a few parts in memory, and waits for others to give
    theirs back.

    Args:
        chunks: the body as upstream sends it, pieces of any length.
        part_bytes: the largest body for one PutObject, and bytes per part of a larger one;
            S3 takes 5 MiB to 5 GiB and at most 10,000 parts.

    Returns:
        Bytes sent.

    Raises:
        DigestMismatch: other bytes, or another count of them, than promised; nothing is kept.
        UpstreamUnavailable: the body broke off; call again.
        OutOfTime: as `chunks` raises it.

    Source: Amazon S3, multipart upload limits.
    """
    proof = _Proof(blob, bucket.where(blob.blob_key))
    checked = proof.watch(chunks)
    if blob.promised_bytes is not None and blob.promised_bytes <= part_bytes:
        with memory.held(blob.promised_bytes):
            body = b"".join(checked)
            proof.conclude()
            bucket.write(blob.blob_key, body, BLOB_TYPE, sha256_hex=blob.digest)
        return len(body)
    with bucket.upload(blob.blob_key, BLOB_TYPE) as upload:
        _send_parts(upload, checked, memory, part_bytes)
        proof.conclude()
        upload.complete()
    return proof.seen_bytes


def _send_parts(upload: Upload, chunks: Iterator[bytes], memory: Memory, part_bytes: int) -> None:
    """Send the same bytes in parts of `part_bytes` or a little more, the last one shorter."""
    for first in chunks:
        memory.take(part_bytes)
        try:
            part = _joined(first, chunks, part_bytes)
            upload.add(part, lambda: memory.give_back(part_bytes))
        except BaseException:
            memory.give_back(part_bytes)
            raise


def _joined(first: bytes, more: Iterator[bytes], part_bytes: int) -> bytes:
    pieces, size = [first], len(first)
    while size < part_bytes and (piece := next(more, None)) is not None:
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)


class _Proof:
    """Counts and hashes what passes, and compares it with the promise at the end."""

    def __init__(self, blob: Blob, where: str) -> None:
        self._blob, self._where = blob, where
        self._hash = hashlib.sha256()
        self.seen_bytes = 0

    def watch(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.seen_bytes += len(chunk)
            promised = self._blob.promised_bytes
            if promised is not None and self.seen_bytes > promised:
                raise self._broken(f"more than the {promised} bytes announced")
            self._hash.update(chunk)
            yield chunk

    def conclude(self) -> None:
        promised = self._blob.promised_bytes
        if promised is not None and self.seen_bytes != promised:
            raise self._broken(f"{self.seen_bytes} of {promised} bytes announced")
        if self._hash.hexdigest() != self._blob.digest:
            raise self._broken(f"bytes whose SHA-256 is {self._hash.hexdigest()}")

    def _broken(self, sent: str) -> DigestMismatch:
        return DigestMismatch(
            f"upstream sent {sent}; nothing was kept",
            where=self._where,
            remedy="run the sync again; if it stays so, report it to whoever offers it",
        )
