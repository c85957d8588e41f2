"""Where seeds come from: a folder, a list of hashes with files beside it, another mirror's bucket.

What a source says about a file is a claim, which `delivery.mirror.seeding` holds against its bytes.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError

from delivery.cloud import Cloud
from delivery.errors import BadInput
from delivery.mirror import uploads

HASH_LIST = "bottles_hash.json"
CHUNK_BYTES = 1024 * 1024
_DIGEST = re.compile(r"[0-9a-f]{64}")
# ``sha256:…`` as a registry names it, ``sha256-…`` or bare as tools that avoid the colon do.
_NAMED_BY_DIGEST = re.compile(r"(?:sha256[:-])?(?P<digest>[0-9a-f]{64})(?:\.tar\.gz)?")


@dataclass(frozen=True)
class Seed:
    """One file that may be a bottle, or what a cask installs from.

    Args:
        name: how the user finds it again.
        claimed: the digest that its source says it has, if it says so.
        file: makes its bytes available on disk for as long as the body runs.
    """

    name: str
    claimed: str | None
    file: Callable[[], AbstractContextManager[Path]]


@dataclass(frozen=True)
class Refused:
    """A seed that cannot be what it claims, and why."""

    name: str
    problem: str


def of(source: str, cloud: Cloud, may_be_wanted: Callable[[str], bool]) -> Iterator[Seed | Refused]:
    """Every file of a source.

    Args:
        source: a folder, a ``.json`` list of hashes, or ``s3://bucket/prefix``.
        may_be_wanted: whether a file name or digest is worth a download.

    Raises:
        BadInput: there is no such source.
    """
    if source.startswith("s3://"):
        return _in_bucket(cloud, source, may_be_wanted)
    path = Path(source).expanduser()
    if path.is_dir():
        return _in_folder(path)
    if path.is_file() and path.suffix == ".json":
        return _listed(path, _claims(path))
    raise BadInput(
        f'"{source}" is neither a folder nor a .json file nor s3://BUCKET',
        where="--from",
        remedy="name a folder of bottles, a bottles_hash.json, or another mirror's bucket",
    )


def digest_in(name: str) -> str | None:
    """The digest that a file is named by, if it is."""
    shape = _NAMED_BY_DIGEST.fullmatch(name)
    return shape["digest"] if shape else None


def _in_folder(folder: Path) -> Iterator[Seed]:
    claims = _claims(folder / HASH_LIST) if (folder / HASH_LIST).is_file() else {}
    found = [path for path in sorted(folder.rglob("*")) if path.is_symlink() or path.is_file()]
    if not found:
        raise _unusable(str(folder), "holds no file")
    for path in found:
        # A link leads to a file that is found in its own place, or out of the folder.
        if path.is_symlink() or path.name == HASH_LIST:
            continue
        name = path.relative_to(folder).as_posix()
        claimed = claims.get(name)
        yield _local(path, name, claimed if isinstance(claimed, str) else digest_in(path.name))


def _listed(file: Path, claims: Mapping[str, str | None]) -> Iterator[Seed | Refused]:
    for name, claimed in sorted(claims.items()):
        path = file.parent / name
        parts = PurePosixPath(name)
        if parts.is_absolute() or ".." in parts.parts or path.is_symlink():
            yield Refused(name, "leads out of the folder of the list")
        elif claimed is None:
            yield Refused(name, "is listed without a SHA-256")
        elif not path.is_file():
            yield Refused(name, "is listed, but not there")
        else:
            yield _local(path, name, claimed)


def _claims(file: Path) -> dict[str, str | None]:
    """File name → SHA-256 in a list; None where there is none that can be read.

    Read is ``{"NAME": "SHA256"}`` and ``{"NAME": {"sha256": "SHA256"}}``, in capitals or with
    ``sha256:`` before it, too.
    """
    try:
        entries = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise _no_list(file, f"no JSON: {error}") from error
    if not isinstance(entries, dict):
        raise _no_list(file, "JSON, but no object")
    return {str(name): _claim(value) for name, value in entries.items()}


def _no_list(file: Path, problem: str) -> BadInput:
    return BadInput(
        f"not a list of hashes: {problem}",
        where=str(file),
        remedy='a JSON object of file names, each with its SHA-256: {"NAME": "…"}',
    )


def _claim(value: Any) -> str | None:
    if isinstance(value, Mapping):
        value = value.get("sha256")
    text = str(value).lower().removeprefix("sha256:")
    return text if _DIGEST.fullmatch(text) else None


def _local(path: Path, name: str, claimed: str | None) -> Seed:
    return Seed(name, claimed, lambda: nullcontext(path))


def _in_bucket(cloud: Cloud, source: str, may_be_wanted: Callable[[str], bool]) -> Iterator[Seed]:
    bucket, _, prefix = source.removeprefix("s3://").partition("/")
    s3 = cloud.client("s3")
    for key in _keys(s3, source, bucket, prefix):
        name = key.rsplit("/", 1)[-1]
        claimed = digest_in(name)
        if may_be_wanted(claimed or name):
            yield Seed(f"s3://{bucket}/{key}", claimed, _downloading(s3, bucket, key))


def _keys(s3: Any, source: str, bucket: str, prefix: str) -> Iterable[str]:
    try:
        keys = uploads.sizes(s3, bucket, prefix)
    except ParamValidationError as error:
        raise _unusable(source, "names no bucket") from error
    except ClientError as error:
        raise _unusable(source, f"cannot be listed: {error.response['Error']['Code']}") from error
    if not keys:
        raise _unusable(source, "holds no object")
    return keys


def _unusable(source: str, problem: str) -> BadInput:
    return BadInput(
        f'"{source}" {problem}',
        where="--from",
        remedy="name a folder of bottles, or another mirror's bucket, s3://BUCKET or"
        " s3://BUCKET/PREFIX, that these credentials may list",
    )


def _downloading(s3: Any, bucket: str, key: str) -> Callable[[], AbstractContextManager[Path]]:
    @contextmanager
    def downloaded() -> Iterator[Path]:
        with tempfile.NamedTemporaryFile() as file:
            body = s3.get_object(Bucket=bucket, Key=key)["Body"]
            for chunk in body.iter_chunks(CHUNK_BYTES):
                file.write(chunk)
            file.flush()
            yield Path(file.name)

    return downloaded
