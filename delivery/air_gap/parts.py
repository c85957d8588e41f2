"""A parcel as parts of one size, for disks and one-way links that cannot carry it whole.

The parcel's files, one after the other, are cut every so many bytes; a part is named by its
SHA-256, and a signed list says which parts there are. Each is checked alone, so what was lost or
spoilt is named and brought again by itself.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from delivery.air_gap import parcel, signing
from delivery.air_gap.hashing import CHUNK_BYTES, sha256_of
from delivery.errors import BadInput, ExportFailed, PartsMissing

DOCUMENT = "parts.json"
SIGNATURE = "parts.json.sig"
FORMAT = "airbrew-parts-1"
SUFFIX = ".part"
PARTIAL = ".partial"
NAMED = 20
_PART = re.compile(r"[0-9a-f]{64}\.part")


@dataclass(frozen=True)
class Piece:
    """A file of the parcel, or a part: its name and size."""

    name: str
    size_bytes: int


@dataclass(frozen=True)
class Parts:
    """``parts.json``: what was cut, in that order, and into what.

    Args:
        files: of the parcel; their bytes, one after the other, are those of the parts.
        parts: named ``<sha256>.part``; all but the last are of one size.
    """

    files: Sequence[Piece]
    parts: Sequence[Piece]

    def as_bytes(self) -> bytes:
        """These very bytes are signed."""
        listed = {
            name: [[each.name, each.size_bytes] for each in pieces]
            for name, pieces in (("files", self.files), ("parts", self.parts))
        }
        return (json.dumps({"format": FORMAT, **listed}, indent=0) + "\n").encode()

    @classmethod
    def parse(cls, body: bytes, where: str) -> Parts:
        """Read ``parts.json``, whose signature holds.

        Raises:
            UntrustedParcel: another format, a name that could leave its folder, or sizes that
                do not add up.
        """
        try:
            document = json.loads(body)
            if document["format"] != FORMAT:
                raise parcel.refused(f'the format is "{document["format"]}"', where)
            files, parts = (_pieces(document[name]) for name in ("files", "parts"))
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise parcel.refused(f"not the list of parts: {error!r}", where) from error
        for each in parts:
            if not _PART.fullmatch(each.name):
                raise parcel.refused(f'"{each.name}" is not the name of a part', where)
        for each in files:
            if each.name not in {parcel.DOCUMENT, parcel.SIGNATURE} and not parcel.is_path(
                each.name
            ):
                raise parcel.refused(f'"{each.name}" is not a path of a mirror', where)
        if _total(files) != _total(parts):
            raise parcel.refused("files and parts do not add up to the same size", where)
        return cls(files, parts)


def pack(
    folder: Path,
    target: Path,
    key: Ed25519PrivateKey,
    part_bytes: int,
    detail: Callable[[str], None],
) -> Parts:
    """Cut a parcel into parts.

    Args:
        folder: what `exporting.export` has written.
        target: new or empty, or that of an earlier try.

    Raises:
        BadInput: the folder is no parcel, or a part would hold nothing.
        ExportFailed: the disk is full.
    """
    document = folder / parcel.DOCUMENT
    if not document.is_file() or part_bytes < 1:
        raise BadInput(
            f'there is no {parcel.DOCUMENT} in "{folder}", or the size of a part is below 1',
            where="--from, --part-mib",
            remedy="name the folder that `inv mirror.export` has written, and a size of 1 or more",
        )
    names = [parcel.DOCUMENT, parcel.SIGNATURE]
    names += sorted(parcel.Parcel.parse(document.read_bytes(), str(document)).files)
    try:
        target.mkdir(parents=True, exist_ok=True)
        files = tuple(Piece(name, (folder / name).stat().st_size) for name in names)
        parts = tuple(_cut(folder, names, target, part_bytes, detail))
        made = Parts(files, parts)
        body = made.as_bytes()
        (target / DOCUMENT).write_bytes(body)
        (target / SIGNATURE).write_bytes(key.sign(body))
    except OSError as error:
        raise ExportFailed(
            f"the parts cannot be written: {error.strerror}",
            where=str(target),
            remedy="make room, then run the same command again",
        ) from error
    return made


def unpack(
    source: Path, folder: Path, key: Ed25519PublicKey, detail: Callable[[str], None]
) -> Parts:
    """Check each part alone, and when all are there, put the parcel together again.

    Raises:
        BadInput: there is no list of parts.
        UntrustedParcel: the list is not signed by this key, or is not one.
        PartsMissing: parts are absent or spoilt; every one of them is named, nothing is written.
    """
    document = source / DOCUMENT
    if not document.is_file() or not (source / SIGNATURE).is_file():
        raise BadInput(
            f"there is no {DOCUMENT} with its signature",
            where=str(source),
            remedy="bring those two first; then `inv mirror.unpack` names the parts it lacks",
        )
    body = document.read_bytes()
    signing.check(body, (source / SIGNATURE).read_bytes(), key, str(document))
    found = Parts.parse(body, str(document))
    _check_parts(source, found, detail)
    _join(source, folder, found)
    return found


def _pieces(listed: Sequence[Sequence[Any]]) -> tuple[Piece, ...]:
    return tuple(Piece(str(name), int(size_bytes)) for name, size_bytes in listed)


def _total(pieces: Sequence[Piece]) -> int:
    return sum(each.size_bytes for each in pieces)


def _cut(
    folder: Path,
    names: Sequence[str],
    target: Path,
    part_bytes: int,
    detail: Callable[[str], None],
) -> Iterator[Piece]:
    chunks = _Chunks(_read(folder / name for name in names))
    for number in itertools.count(1):
        partial = target / f"{number}{PARTIAL}"
        digest, size_bytes = hashlib.sha256(), 0
        with partial.open("wb") as file:
            while chunk := chunks.take(min(CHUNK_BYTES, part_bytes - size_bytes)):
                file.write(chunk)
                digest.update(chunk)
                size_bytes += len(chunk)
        if not size_bytes:
            partial.unlink()
            return
        name = f"{digest.hexdigest()}{SUFFIX}"
        partial.replace(target / name)
        detail(f"part {number}: {name}")
        yield Piece(name, size_bytes)


def _read(paths: Iterator[Path]) -> Iterator[bytes]:
    for path in paths:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk


class _Chunks:
    """Bytes from a stream of pieces, as many at a time as asked for."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._left = pieces, b""

    def take(self, most: int) -> bytes:
        """Up to `most` bytes; none only at the end, or when none are asked for."""
        if not self._left and most:
            self._left = next(self._pieces, b"")
        taken, self._left = self._left[:most], self._left[most:]
        return taken


def _check_parts(source: Path, found: Parts, detail: Callable[[str], None]) -> None:
    lacking: dict[str, str] = {}
    for number, part in enumerate(found.parts, 1):
        problem = _problem(source / part.name, part)
        if problem:
            lacking[part.name] = problem
        detail(f"part {number} of {len(found.parts)}: {problem or 'holds'}")
    if lacking:
        raise _parts_missing(lacking, len(found.parts), source)


def _problem(path: Path, part: Piece) -> str:
    if path.is_symlink() or not path.is_file():
        return "is not there"
    if path.stat().st_size != part.size_bytes or f"{sha256_of(path)}{SUFFIX}" != part.name:
        return "is spoilt"
    return ""


def _join(source: Path, folder: Path, found: Parts) -> None:
    chunks = _Chunks(_read(source / part.name for part in found.parts))
    for piece in found.files:
        path = folder / piece.name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(f"{path.name}{PARTIAL}")
            with partial.open("wb") as file:
                _fill(file, chunks, piece.size_bytes)
            partial.replace(path)
        except OSError as error:
            raise ExportFailed(
                f'"{piece.name}" cannot be written: {error.strerror}',
                where=str(folder),
                remedy="unpack to a disk with room, and with ext4, XFS or APFS on it",
            ) from error


def _fill(file: IO[bytes], chunks: _Chunks, size_bytes: int) -> None:
    left = size_bytes
    while left and (chunk := chunks.take(min(left, CHUNK_BYTES))):
        file.write(chunk)
        left -= len(chunk)


def _parts_missing(lacking: Mapping[str, str], count: int, source: Path) -> PartsMissing:
    told = [f"{name} {problem}" for name, problem in sorted(lacking.items())[:NAMED]]
    if len(lacking) > NAMED:
        told.append(f"and {len(lacking) - NAMED} more")
    return PartsMissing(
        f"{len(lacking)} of {count} parts are lacking: {', '.join(told)}",
        where=str(source),
        remedy="bring those again, into the same folder; the others need not be brought twice",
    )
