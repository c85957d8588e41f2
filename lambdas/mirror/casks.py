"""The file that a cask installs from, as a value: whose it is, where it is, and its digest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from mirror import addresses, keys
from mirror.bottles import Bottle
from mirror.errors import UntrustedCatalogue

# Tokens become S3 keys. Source: Homebrew's "Cask Cookbook", "Token reference".
_TOKEN = re.compile(r"[a-z0-9][a-z0-9@+._-]{0,127}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, order=True)
class CaskFile:
    """A disk image, package or archive that a vendor offers.

    Args:
        version: for people; the digest decides.
        url: the vendor's, as the signed catalogue has it.
        digest: SHA-256, 64 hex digits.
        size_bytes: no API file tells it; 0 as long as it is not known.
    """

    token: str
    version: str
    url: str
    digest: str
    size_bytes: int = 0

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """The inverse of `as_json`, checked as in `checked`."""
        return cls(**{name: document[name] for name in cls.__dataclass_fields__}).checked()

    def as_json(self) -> dict[str, Any]:
        """As docs/reference/bucket-layout.md has it."""
        return asdict(self)

    def checked(self) -> Self:
        """The file itself, once its names are known to stay inside their prefix.

        Raises:
            UntrustedCatalogue: token or digest cannot be part of a key, or the URL is not https.
        """
        if not _TOKEN.fullmatch(self.token) or ".." in self.token:
            raise self._unusable(f'the token "{self.token}" cannot be part of a key')
        if not _DIGEST.fullmatch(self.digest):
            raise self._unusable(f'"{self.digest}" is no SHA-256')
        if not addresses.is_usable(self.url):
            raise self._unusable(f'"{addresses.shown(self.url)}" is not an https URL')
        return self

    def _unusable(self, problem: str) -> UntrustedCatalogue:
        return UntrustedCatalogue(
            problem,
            where=f'cask "{self.token}"',
            remedy="name it in selection.exclude_casks, and report it to homebrew/cask",
        )

    @property
    def label(self) -> str:
        """``cask firefox 145.0 0a1b2c3d4e5f``: a cask has one file for each architecture."""
        return f"cask {self.token} {self.version} {self.digest[:12]}"

    @property
    def blob_key(self) -> str:
        """Where it lies in the bucket."""
        return keys.cask_file(self.token, self.digest)

    @property
    def promised_bytes(self) -> int | None:
        """None: only the digest is promised."""
        return None


Held = Bottle | CaskFile
"""Whatever a snapshot holds that is known by its digest."""
