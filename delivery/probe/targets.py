"""What to probe and as whom, and where its layout keeps a bottle and its manifest."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from delivery.config import signing_key
from delivery.config.signing_key import UnfitKey
from delivery.errors import BadInput
from delivery.mirror import bottles
from delivery.mirror.bottles import Bottle

ARTIFACT = "artifact"
BOTTLE = "bottle"
LAYOUTS = (ARTIFACT, BOTTLE)
BOTTLE_LIMIT_BYTES = 100 * 2**20
TIMEOUT_SECONDS = 30.0
TAG = re.compile(r"(arm64_|x86_64_)?[a-z]+(_[a-z]+)?")


@dataclass(frozen=True)
class Casks:
    """Which casks to play, and what is known of them besides the catalogue.

    Args:
        tokens: a mirror holds those that it selects; a plain one holds none.
        size_by_digest: bytes, as far as they are known.
        left_out: token and platform of those whose file is not mirrored, for a reason.
    """

    tokens: tuple[str, ...] = ()
    size_by_digest: Mapping[str, int] = field(default_factory=dict)
    left_out: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True)
class Target:
    """What to probe, and as whom.

    `url` is HOMEBREW_ARTIFACT_DOMAIN, or HOMEBREW_BOTTLE_DOMAIN in the layout ``bottle``;
    `api_url` is HOMEBREW_API_DOMAIN, by default ``api`` below `url`; `formulae` are names or
    globs, empty for a sample; `public_key_pem` is empty for Homebrew's own; without
    `authorization` older clients are set to send none; without `closure` dependencies are not
    looked for; `held` names the only bottles to play, by formula and tag; `casks` and `tapped`,
    bottles of other taps, are played besides; `ca_file` holds the authorities to trust instead of
    the system's.

    Raises:
        BadInput: an address, a layout, a platform or a limit is not one.
    """

    url: str
    platforms: Sequence[str]
    api_url: str = ""
    formulae: Sequence[str] = ()
    layout: str = ARTIFACT
    public_key_pem: str = ""
    authorization: bool = True
    closure: bool = True
    held: frozenset[tuple[str, str]] | None = None
    casks: Casks = field(default_factory=Casks)
    tapped: Sequence[Bottle] = ()
    timeout_seconds: float = TIMEOUT_SECONDS
    bottle_limit_bytes: int = BOTTLE_LIMIT_BYTES
    ca_file: str | None = None

    def __post_init__(self) -> None:
        url = _address(self.url, "--url")
        api_url = _address(self.api_url, "--api") if self.api_url else f"{url}/api"
        object.__setattr__(self, "url", url)
        object.__setattr__(self, "api_url", api_url)
        if self.layout not in LAYOUTS:
            raise _bad(f'no layout "{self.layout}"', "--layout", f"one of {', '.join(LAYOUTS)}")
        for platform in self.platforms:
            if not TAG.fullmatch(platform):
                remedy = "a bottle tag, for example arm64_tahoe or x86_64_linux"
                raise _bad(f'"{platform}" is not a platform', "--platform", remedy)
        if self.timeout_seconds <= 0:
            raise _bad(f"no time to wait: {self.timeout_seconds:g} s", "--timeout", "1 or more")
        if self.bottle_limit_bytes < 0:
            raise _bad("a limit below zero", "--max-mib", "0 or more; 0 fetches no bottle whole")

    def manifest_url(self, bottle: Bottle, image: str = "") -> str:
        """Where the layout keeps the index; `image` overrides the mapped name."""
        if self.layout == BOTTLE:
            return f"{self.url}/{image or bottle.image}/manifests/{bottle.manifest_tag}"
        return bottles.manifest_url(self.url, bottle, image)

    def blob_url(self, bottle: Bottle, image: str = "") -> str:
        """Where the layout keeps the bottle; a flat one has no image names."""
        if self.layout == BOTTLE:
            return f"{self.url}/{bottle.file_name}"
        return bottles.blob_url(self.url, bottle, image)


def public_key(file: str) -> str:
    """The PEM in a file that the user named; empty for none, which means Homebrew's own.

    Raises:
        BadInput: it holds no RSA public key.
    """
    if not file:
        return ""
    try:
        return signing_key.read(str(Path(file).resolve()))
    except UnfitKey as error:
        raise _bad(error.problem, "--public-key", error.remedy) from error


def _address(url: str, option: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        problem = f'"{url}" is not the address of a mirror' if url else "no mirror was named"
        raise _bad(problem, option, "the address that a Mac would use, https://…")
    return url.rstrip("/")


def _bad(problem: str, option: str, remedy: str) -> BadInput:
    return BadInput(problem, where=option, remedy=remedy)
