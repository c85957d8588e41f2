"""The names of a flat mirror (HOMEBREW_BOTTLE_DOMAIN), found in the layout that the bucket has.

Source: Homebrew/brew 6.0, ``bottle.rb`` (Filename); Homebrew/brew#23244 for the manifests.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

from delivery.mirror.bottles import Bottle

REGISTRY = "v2/homebrew/core"
MANIFEST = re.compile(r"[a-z0-9][a-z0-9._/-]*/manifests/[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
BOTTLE = re.compile(
    r"(?P<stem>[^/]+)\.(?P<tag>[a-z0-9_]+)\.bottle(\.(?P<rebuild>[0-9]+))?\.tar\.gz"
)
REF_NAME = "org.opencontainers.image.ref.name"
DIGEST = "sh.brew.bottle.digest"


def key_of(name: str, read: Callable[[str], bytes | None]) -> str | None:
    """The key of what a flat mirror would have under this name; None when the bucket has it not.

    A manifest, ``openssl/3/manifests/3.6.0``, lies below another prefix. A bottle,
    ``openssl@3-3.6.0.arm64_tahoe.bottle.tar.gz``, is known by its digest, which its manifest tells.

    Args:
        name: a path below the mirror, unquoted.
        read: gives an object's bytes, None when there is none of that key.
    """
    if MANIFEST.fullmatch(name):
        return f"{REGISTRY}/{name}"
    found = BOTTLE.fullmatch(name)
    if found is None:
        return None
    for formula, version in _splits(found["stem"]):
        bottle = Bottle(formula, version, int(found["rebuild"] or 0), found["tag"], digest="")
        manifest = read(f"{REGISTRY}/{bottle.image}/manifests/{bottle.manifest_tag}")
        if manifest and (digest := _digest(manifest, bottle.ref_name)):
            return f"{REGISTRY}/{bottle.image}/blobs/sha256:{digest}"
    return None


def _splits(stem: str) -> Iterator[tuple[str, str]]:
    """Every way to read ``ca-certificates-2026-09-09``: names and versions both have hyphens."""
    places = [found.start() for found in re.finditer("-", stem)]
    # Versions begin with a digit almost always: those ways first.
    places.sort(key=lambda place: not stem[place + 1 : place + 2].isdigit())
    for place in places:
        yield stem[:place], stem[place + 1 :]


def _digest(manifest: bytes, ref_name: str) -> str | None:
    for entry in json.loads(manifest).get("manifests", ()):
        notes = entry.get("annotations", {})
        if notes.get(REF_NAME) == ref_name:
            return str(notes.get(DIGEST) or "") or None
    return None
