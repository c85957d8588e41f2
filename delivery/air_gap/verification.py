"""Is a folder the parcel that our organisation signed, file by file, and nothing else."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from delivery.air_gap import parcel, signing
from delivery.air_gap.checked import Checked
from delivery.air_gap.hashing import sha256_of
from delivery.air_gap.parcel import File, Parcel
from delivery.errors import BadInput
from delivery.mirror import jws

# Hashing lets go of Python's lock; more threads than this only move a disk's head.
THREADS = 4
# 54,552 bottles make some 20 MB.
LIST_LIMIT_BYTES = 256 * 1024 * 1024
NAMED = 10
TOLD_EVERY = 100


def verify(
    folder: Path,
    key: Ed25519PublicKey,
    upstream_key_pem: str,
    detail: Callable[[str], None],
    records: Path | None = None,
) -> Parcel:
    """Check all of a parcel; nothing is changed in it.

    Args:
        key: the organisation's public key.
        upstream_key_pem: the key that signs the API files; empty for Homebrew's own.
        records: where to note which files hold, so that another call need not hash again those
            that are untouched since; None to hash all and note nothing.

    Returns:
        What the folder holds, all of it proven.

    Raises:
        BadInput: the folder is no parcel, or an export into it has not ended.
        UntrustedParcel: anything else is not as it was signed; the message names the file.
    """
    found = _signed_list(folder, key)
    _check_names(folder, found)
    _check_bytes(folder, found, detail, record(folder, records) if records else None)
    _check_api(folder, found, upstream_key_pem)
    return found


def record(folder: Path, records: Path) -> Checked:
    """What is noted of the parcel in a folder."""
    return Checked.of(records, folder, (folder / parcel.DOCUMENT).read_bytes())


def _signed_list(folder: Path, key: Ed25519PublicKey) -> Parcel:
    document, signature = folder / parcel.DOCUMENT, folder / parcel.SIGNATURE
    for path in (document, signature):
        if not path.is_file() or path.is_symlink():
            raise BadInput(
                f"there is no {path.name}",
                where=str(folder),
                remedy="name the folder that `inv mirror.export` has written to its end",
            )
    if document.stat().st_size > LIST_LIMIT_BYTES:
        raise parcel.refused(f"{parcel.DOCUMENT} is too large for a list", str(document))
    body = document.read_bytes()
    signing.check(body, signature.read_bytes(), key, str(document))
    return Parcel.parse(body, str(document))


def _check_names(folder: Path, found: Parcel) -> None:
    there = set(_names(folder))
    listed = {*found.files, parcel.DOCUMENT, parcel.SIGNATURE}
    for names, problem in (
        (listed - there, "missing from the parcel"),
        (there - listed, "in the folder, but not in the signed list"),
    ):
        if names:
            raise parcel.refused(f"{_shown(names)}: {problem}", str(folder))


def _names(folder: Path) -> Iterator[str]:
    """Every file below the folder, with slashes; a link is refused wherever it leads."""
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(place) / name
            mode = path.lstat().st_mode
            if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
                told = path.relative_to(folder).as_posix()
                raise parcel.refused(f'"{told}" is a link or a device, not a file', str(path))
        yield from ((Path(place) / name).relative_to(folder).as_posix() for name in files)


def _check_bytes(
    folder: Path, found: Parcel, detail: Callable[[str], None], checked: Checked | None
) -> None:
    def check(entry: tuple[str, File]) -> None:
        (name, file), path = entry, folder / entry[0]
        if checked is not None and checked.holds(name, path, file):
            return
        before = path.stat()
        if before.st_size != file.size_bytes:
            told = f"{before.st_size} bytes, not the {file.size_bytes} that were signed"
            raise parcel.refused(f'"{name}" has {told}', str(path))
        if sha256_of(path) != file.sha256:
            raise parcel.refused(f'"{name}" has other bytes than were signed', str(path))
        if checked is not None:
            checked.note(name, path, file, before)

    pool = ThreadPoolExecutor(THREADS)
    try:
        for number, _ in enumerate(pool.map(check, sorted(found.files.items())), 1):
            if number % TOLD_EVERY == 0:
                detail(f"{number} of {len(found.files)} files hold")
    finally:
        pool.shutdown(cancel_futures=True)


def _check_api(folder: Path, found: Parcel, upstream_key_pem: str) -> None:
    """Each API file carries upstream's own signature, and ``api/`` is the snapshot's."""
    served = _below(found, "api/")
    kept = _below(found, f"snapshots/{found.snapshot}/api/")
    if served != kept or not served:
        raise parcel.refused(f"api/ is not that of the snapshot {found.snapshot}", str(folder))
    for name in ("bottles.json", "snapshot.json"):
        path = f"snapshots/{found.snapshot}/{name}"
        if path not in found.files:
            raise parcel.refused(f'"{path}" is not in the signed list', str(folder))
    for path in sorted(served):
        try:
            jws.verified_payload((folder / "api" / path).read_bytes(), upstream_key_pem)
        except jws.BadJws as error:
            raise parcel.refused(f'"api/{path}": {error.problem}', str(folder)) from error


def _below(found: Parcel, prefix: str) -> dict[str, File]:
    return {
        path.removeprefix(prefix): file
        for path, file in found.files.items()
        if path.startswith(prefix)
    }


def _shown(names: set[str]) -> str:
    shown = [f'"{each}"' for each in sorted(names)[:NAMED]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
