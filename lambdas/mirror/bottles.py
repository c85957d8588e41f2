"""A bottle as a value: which formula, version and platform, and the digest it must have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from mirror import keys
from mirror.errors import UntrustedCatalogue

# Names become S3 keys and URLs: no slash, no leading dot, nothing to escape.
_FORMULA = re.compile(r"[A-Za-z0-9][A-Za-z0-9@+._-]*")
# Source: OCI distribution-spec 1.1, "Pulling manifests": a name's path components.
_REPOSITORY = re.compile(r"[a-z0-9]+([._-]+[a-z0-9]+)*/[a-z0-9]+([._-]+[a-z0-9]+)*")
_TAG = re.compile(r"[a-z0-9_]+")
_DIGEST = re.compile(r"[0-9a-f]{64}")
# Source: OCI distribution-spec 1.1, "Pulling manifests"; brew checks the same (github_packages.rb).
_MANIFEST_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
# Names without "@", whose place matters as well.
_PLAIN = re.compile(
    rf"[A-Za-z0-9][A-Za-z0-9+._-]*\n{_MANIFEST_TAG.pattern}\n{_TAG.pattern}\n{_DIGEST.pattern}"
)


def image_of(formula: str) -> str:
    """``openssl@3`` → ``openssl/3``, ``libsigc++`` → ``libsigcxx``.

    Source: Homebrew/brew, ``github_packages.rb``, ``image_formula_name``.
    """
    return formula.replace("@", "/").replace("+", "x")


class Bottle(NamedTuple):
    """One bottle of one formula for one platform; sorted by name, then version.

    A tuple, because a plan makes, sorts and looks up hundreds of thousands of them.

    Args:
        version: with the formula's revision, as ``1.2_3``.
        tag: the bottle's own: ``arm64_tahoe``, or ``all`` where it serves every platform.
        digest: SHA-256, 64 hex digits.
        size_bytes: from the manifest; 0 as long as that has not been read.
        repository: its tap's in the registry.
    """

    formula: str
    version: str
    rebuild: int
    tag: str
    digest: str
    size_bytes: int = 0
    repository: str = keys.CORE

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """The inverse of `as_json`, names checked as in `checked`."""
        told = {"repository": keys.CORE, **document}
        return cls(*[told[name] for name in cls._fields]).checked()

    def as_json(self) -> dict[str, Any]:
        """As docs/reference/bucket-layout.md has it: of homebrew/core, if nothing else is said."""
        document = self._asdict()
        if self.repository == keys.CORE:
            del document["repository"]
        return document

    def checked(self) -> Self:
        """The bottle itself, once its names are known to stay inside their prefix.

        Raises:
            UntrustedCatalogue: a name, version, tag or digest cannot be part of a key or URL.
        """
        if self.repository != keys.CORE and not _REPOSITORY.fullmatch(self.repository):
            raise self._unusable("repository", self.repository)
        # All four at once for nearly every bottle; who is at fault only when one is.
        all_of_it = f"{self.formula}\n{self.manifest_tag}\n{self.tag}\n{self.digest}"
        if _PLAIN.fullmatch(all_of_it) and ".." not in all_of_it:
            return self
        for what, text, pattern in (
            ("formula", self.formula, _FORMULA),
            ("version", self.manifest_tag, _MANIFEST_TAG),
            ("bottle tag", self.tag, _TAG),
            ("digest", self.digest, _DIGEST),
        ):
            if not pattern.fullmatch(text) or ".." in text:
                raise self._unusable(what, text)
        # `x@.` would become the image `x/.`, and `x@@y` one with an empty segment.
        if any(segment.strip(".") == "" for segment in image_of(self.formula).split("/")):
            raise self._unusable("formula", self.formula)
        return self

    def _unusable(self, what: str, text: str) -> UntrustedCatalogue:
        return UntrustedCatalogue(
            f'the {what} "{text}" cannot be part of a key or a URL',
            where=f'formula "{self.formula}"',
            remedy="leave the formula out of selection.formulae, and report it to its tap",
        )

    def of_size(self, size_bytes: int) -> Self:
        """The same with another size; 0 gives the bottle as the catalogue names it."""
        return self._replace(size_bytes=size_bytes)

    @property
    def label(self) -> str:
        """``jq 1.8.1 arm64_tahoe``: how a person reads it."""
        return f"{self.full_name} {self.manifest_tag} {self.tag}"

    @property
    def full_name(self) -> str:
        """``jq``, and of another tap ``acme/tools/deploy``: as `brew install` takes it."""
        if self.repository == keys.CORE:
            return self.formula
        return f"{self.repository}/{self.formula}"

    @property
    def image(self) -> str:
        """The image in the registry, as `keys.repository` takes it."""
        image = image_of(self.formula)
        return image if self.repository == keys.CORE else f"/{self.repository}/{image}"

    @property
    def manifest_tag(self) -> str:
        """``1.2_3-1``. Source: ``github_packages.rb``, ``version_rebuild``."""
        return f"{self.version}-{self.rebuild}" if self.rebuild else self.version

    @property
    def ref_name(self) -> str:
        """``1.2_3.arm64_tahoe.1``: its name in the index. Source: ``github_packages.rb``."""
        name = f"{self.version}.{self.tag}"
        return f"{name}.{self.rebuild}" if self.rebuild else name

    @property
    def promised_bytes(self) -> int:
        """What a transfer must bring: no more and no less."""
        return self.size_bytes

    @property
    def blob_key(self) -> str:
        """Where it lies in the bucket."""
        return keys.blob(self.image, self.digest)

    @property
    def manifest_key(self) -> str:
        """Where its index lies in the bucket."""
        return keys.manifest(self.image, self.manifest_tag)
