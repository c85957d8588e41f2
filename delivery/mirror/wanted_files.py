"""What a mirror lacks: where each file belongs, and under which names it may be at hand."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from delivery.mirror.bottles import cask_key

# brew's cache puts the hash of the URL before the name. Source: brew, ``cached_location``.
_OF_BREWS_CACHE = re.compile(r"^(?P<url>[0-9a-f]{64})--")


@dataclass
class Wanted:
    """Digest → keys in the bucket; and which digest a file's name stands for.

    A name decides nothing: it only tells a file that is corrupt from one that is not wanted.
    """

    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)
    digest_by_name: dict[str, str] = field(default_factory=dict)

    def __contains__(self, name_or_digest: str) -> bool:
        return name_or_digest in self.keys or self.meant(name_or_digest) is not None

    def meant(self, name: str) -> str | None:
        """The digest that a file of this name should have; None when the name says nothing."""
        cached = _OF_BREWS_CACHE.match(name)
        return (
            (self.digest_by_name.get(cached["url"]) if cached else None)
            or self.digest_by_name.get(_plain(name))
            or self.digest_by_name.get(_plain(name).replace("--", "-", 1))
        )

    def add(self, digest: str, key: str, names: Iterator[str]) -> None:
        """Another file; one that is wanted under two keys goes to both."""
        self.keys[digest] = tuple(dict.fromkeys((*self.keys.get(digest, ()), key)))
        for name in names:
            self.digest_by_name[name] = digest


def of(document: Mapping[str, Any]) -> Wanted:
    """What ``syncs/wanted.json`` lists (docs/reference/bucket-layout.md)."""
    wanted = Wanted()
    for bottle in document["bottles"]:
        wanted.add(bottle["digest"], _bottle_key(bottle), _bottle_names(bottle))
    for cask in document.get("casks", ()):
        key = cask_key(cask["token"], cask["digest"])
        wanted.add(cask["digest"], key, _cask_names(cask))
    return wanted


def _bottle_key(bottle: Mapping[str, Any]) -> str:
    # Of another tap, the image is written from the root on.
    image = bottle["image"]
    repository = image.removeprefix("/") if image.startswith("/") else f"homebrew/core/{image}"
    return f"v2/{repository}/blobs/sha256:{bottle['digest']}"


def _bottle_names(bottle: Mapping[str, Any]) -> Iterator[str]:
    rebuild = f".{bottle['rebuild']}" if bottle["rebuild"] else ""
    version = f"{bottle['version']}.{bottle['tag']}"
    yield f"{bottle['formula']}-{version}.bottle{rebuild}.tar.gz"


def _cask_names(cask: Mapping[str, Any]) -> Iterator[str]:
    """The hash of its address, as brew's cache has it; its own name, if that tells the version."""
    yield hashlib.sha256(cask["url"].encode()).hexdigest()
    name = _plain(urlsplit(cask["url"]).path.rpartition("/")[2])
    # An older file of a name like ``latest.dmg`` is not a corrupt one.
    if cask["version"].partition(",")[0] in name:
        yield name


def _plain(name: str) -> str:
    return _OF_BREWS_CACHE.sub("", unquote(name))
