"""What an OCI image index promises about a bottle, and whether brew can use it.

Source: Homebrew/brew, ``resource.rb``, ``BottleManifest``: brew takes the entry whose
digest is the formula's checksum and whose ref.name fits, and fails without ``sh.brew.tab``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mirror import documents
from mirror.bottles import Bottle
from mirror.errors import BadManifest

REF_NAME = "org.opencontainers.image.ref.name"
DIGEST = "sh.brew.bottle.digest"
SIZE = "sh.brew.bottle.size"
TAB = "sh.brew.tab"
# 18 digits are an exabyte.
_SIZE = re.compile(r"[0-9]{1,18}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Promise:
    """What the index says about one bottle.

    Args:
        size_bytes: 0 when the index does not say: the annotation is not in every older index.
        manifest_digest: ``sha256:…`` of the bottle's own image manifest, which always has the size.
    """

    size_bytes: int
    manifest_digest: str


def promise(index: bytes, bottle: Bottle, where: str) -> Promise:
    """What an OCI image index promises about a bottle.

    Raises:
        BadManifest: the index does not hold the bottle, or not in a form that brew can use.
    """
    entry = _entry(index, bottle, where)
    notes = entry["annotations"]
    try:
        documents.parse(notes[TAB])
    except (KeyError, TypeError, ValueError) as error:
        raise _bad(f"the entry of {bottle.label} has no {TAB} that is JSON", where) from error
    size = str(notes.get(SIZE, "0"))
    if not _SIZE.fullmatch(size):
        raise _bad(f'the entry of {bottle.label} has the {SIZE} "{size}"', where)
    return Promise(int(size), str(entry.get("digest", "")))


def checked_digest(promised: Promise, where: str) -> str:
    """The digest of the image manifest, once it is one: it becomes part of a URL.

    Raises:
        BadManifest: it is none.
    """
    if not _DIGEST.fullmatch(promised.manifest_digest):
        told = promised.manifest_digest
        raise _bad(f'the entry has no size, and names no image manifest but "{told}"', where)
    return promised.manifest_digest


def layer_size(image_manifest: bytes, promised: Promise, bottle: Bottle, where: str) -> int:
    """Bytes of the bottle, from its own image manifest, whose one layer it is.

    Raises:
        BadManifest: the index names another manifest, or the bottle is not a layer of it.
    """
    digest = f"sha256:{hashlib.sha256(image_manifest).hexdigest()}"
    if digest != promised.manifest_digest:
        raise _bad(f"{digest} is not the image manifest that its index names", where)
    try:
        sizes = [
            _whole(layer["size"])
            for layer in documents.parse(image_manifest)["layers"]
            if layer["digest"] == f"sha256:{bottle.digest}"
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise _bad(f"not an OCI image manifest: {error!r}", where) from error
    if not sizes or sizes[0] < 1:
        raise _bad(f"the image manifest does not hold {bottle.label}", where)
    return sizes[0]


def _whole(size: object) -> int:
    if not _SIZE.fullmatch(str(size)):
        raise ValueError(f"no size: {size}")
    return int(str(size))


def _entry(index: bytes, bottle: Bottle, where: str) -> Mapping[str, Any]:
    try:
        entries = documents.parse(index.decode())["manifests"]
        for entry in entries:
            notes = entry.get("annotations") or {}
            if notes.get(DIGEST) == bottle.digest and notes.get(REF_NAME) == bottle.ref_name:
                return dict(entry)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _bad(f"not an OCI image index: {error!r}", where) from error
    raise _bad(f"the index does not hold {bottle.label} with the digest {bottle.digest}", where)


def _bad(problem: str, where: str) -> BadManifest:
    return BadManifest(
        problem,
        where=where,
        remedy="upstream's API and registry disagree: run the sync again later",
    )
