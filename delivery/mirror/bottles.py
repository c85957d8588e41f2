"""Which bottle a catalogue means, and where each layout of a mirror keeps it.

Source: Homebrew/brew 6.0, ``github_packages.rb`` (image_formula_name, version_rebuild),
``bottle.rb`` (Filename), ``download_strategy/curl_download_strategy.rb`` (ARTIFACT_DOMAIN).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

NO_TAG_CHARACTER = re.compile(r"[^a-zA-Z0-9._-]")


@dataclass(frozen=True)
class Bottle:
    """One bottle: `version` with its revision, `tag` its own (``all`` serves every platform).

    Args:
        repository: its tap's in the registry.
    """

    name: str
    version: str
    rebuild: int
    tag: str
    digest: str
    repository: str = "homebrew/core"

    @classmethod
    def of(cls, name: str, entry: Mapping[str, Any], platform: str) -> Bottle:
        """The bottle that an entry of ``internal/packages.<platform>.jws.json`` names."""
        tag = entry.get("bottle_tag", platform).removeprefix(":")
        version = package_version(entry["stable_version"], entry.get("revision", 0))
        return cls(name, version, entry.get("bottle_rebuild", 0), tag, entry["bottle_checksum"])

    @property
    def image(self) -> str:
        """``openssl/3`` for ``openssl@3``, ``libsigcxx`` for ``libsigc++``."""
        return self.name.replace("@", "/").replace("+", "x")

    @property
    def manifest_tag(self) -> str:
        """``1.2_3-1``: version, revision and rebuild, the last two where above zero.

        What an OCI tag may not hold becomes ``.`` (GitHubPackages.image_version_rebuild).
        """
        tag = self.version + (f"-{self.rebuild}" if self.rebuild else "")
        return NO_TAG_CHARACTER.sub(".", tag)

    @property
    def ref_name(self) -> str:
        """``1.2_3.arm64_tahoe.1``: how the index annotates this bottle's entry."""
        return f"{self.version}.{self.tag}" + (f".{self.rebuild}" if self.rebuild else "")

    @property
    def file_name(self) -> str:
        """``openssl%403-3.5.0.all.bottle.1.tar.gz``: its name in a flat mirror, URL-encoded."""
        rebuild = f".{self.rebuild}" if self.rebuild else ""
        return quote(f"{self.name}-{self.version}.{self.tag}.bottle{rebuild}.tar.gz", safe="")


def package_version(stable: str, revision: int) -> str:
    """``1.2_3``: brew's PkgVersion."""
    return stable + (f"_{revision}" if revision else "")


def cask_key(token: str, digest: str) -> str:
    """Where a mirror of ours keeps a cask's file (docs/adr/0022); brew itself never asks for it."""
    return f"v2/homebrew/cask/{token}/blobs/sha256:{digest}"


def manifest_url(mirror_url: str, bottle: Bottle, image: str = "") -> str:
    """Where brew asks for the index with HOMEBREW_ARTIFACT_DOMAIN; `image` overrides the name."""
    return _registry(
        mirror_url, f"{bottle.repository}/{image or bottle.image}/manifests/{bottle.manifest_tag}"
    )


def blob_url(mirror_url: str, bottle: Bottle, image: str = "") -> str:
    """Where brew asks for the bottle with HOMEBREW_ARTIFACT_DOMAIN."""
    return _registry(
        mirror_url, f"{bottle.repository}/{image or bottle.image}/blobs/sha256:{bottle.digest}"
    )


def _registry(mirror_url: str, path: str) -> str:
    # brew does not double the v2/ of a domain whose own path begins with it.
    v2 = "" if urlsplit(mirror_url).path.startswith("/v2") else "v2/"
    return f"{mirror_url}/{v2}{path}"
