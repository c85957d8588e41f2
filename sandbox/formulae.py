"""A formula as a value: its identity, and what that makes of tags, images and bottles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# Newest first. Source: brew, macos_version.rb, SYMBOLS.
MACOS = ("tahoe", "sequoia", "sonoma", "ventura", "monterey", "big_sur", "catalina", "mojave")
LINUX_TAGS = ("arm64_linux", "x86_64_linux")
TAGS = (
    *(f"arm64_{name}" for name in MACOS[: MACOS.index("big_sur") + 1]),
    *MACOS,
    *LINUX_TAGS,
)
ALL = "all"

CELLAR_ANY = ":any"
CELLAR_ANYWHERE = ":any_skip_relocation"


@dataclass(frozen=True)
class Use:
    """Something that macOS brings along: a dependency on Linux, and on macOS before `since`."""

    name: str
    since: str = ""


@dataclass(frozen=True)
class Bottle:
    """One built bottle: SHA-256 in hex, and sizes in bytes of the archive and of its contents."""

    digest: str
    cellar: str = CELLAR_ANYWHERE
    size_bytes: int = 0
    installed_size_bytes: int = 0


@dataclass(frozen=True)
class Formula:
    """What homebrew/core says about one formula.

    Args:
        version: upstream's own, without revision.
        dependencies: run-time dependencies on every platform.
        build_dependencies: what only building from source needs.
        uses_from_macos: what macOS brings along.
        deprecated, disabled: the reason, as brew spells it (``unmaintained``); empty if not so.
        bottles: bottle tag → bottle; ``all`` serves every platform.
    """

    name: str
    version: str
    desc: str = ""
    homepage: str = ""
    license: str | None = None
    revision: int = 0
    rebuild: int = 0
    dependencies: tuple[str, ...] = ()
    build_dependencies: tuple[str, ...] = ()
    uses_from_macos: tuple[Use, ...] = ()
    aliases: tuple[str, ...] = ()
    oldnames: tuple[str, ...] = ()
    deprecated: str = ""
    disabled: str = ""
    bottles: Mapping[str, Bottle] = field(default_factory=dict)

    @property
    def package_version(self) -> str:
        """``1.24.5_1``: the keg's folder."""
        return f"{self.version}_{self.revision}" if self.revision else self.version

    @property
    def manifest_tag(self) -> str:
        """``1.24.5_1-2``. Source: brew, github_packages.rb, version_rebuild."""
        rebuild = f"-{self.rebuild}" if self.rebuild else ""
        return f"{self.package_version}{rebuild}"

    @property
    def image(self) -> str:
        """``openssl/3``, ``libsigcxx/2``. Source: brew, github_packages.rb, image_formula_name."""
        return self.name.replace("@", "/").replace("+", "x")

    def bottle_for(self, tag: str) -> tuple[str, Bottle] | None:
        """The bottle that a client of this platform pours, with the bottle's own tag.

        That is the platform's own, else ``all``, else an older macOS's of the same architecture.
        Source: brew, utils/bottles.rb, Collector#find_matching_tag, and its macOS extension.
        """
        for candidate in (tag, ALL, *_older(tag)):
            if candidate in self.bottles:
                return candidate, self.bottles[candidate]
        return None


def is_linux(tag: str) -> bool:
    """Whether the bottle tag is one of Linux."""
    return tag in LINUX_TAGS


def default_cellar(tag: str) -> str:
    """Where a bottle of this platform lives that cannot be moved. Source: brew, homebrew.rb."""
    if is_linux(tag):
        return "/home/linuxbrew/.linuxbrew/Cellar"
    return "/opt/homebrew/Cellar" if tag.startswith("arm64_") or tag == ALL else "/usr/local/Cellar"


def _older(tag: str) -> list[str]:
    """The tags of older macOS versions, nearest first; none for Linux."""
    prefix = "arm64_" if tag.startswith("arm64_") else ""
    macos = tag.removeprefix(prefix)
    if is_linux(tag) or macos not in MACOS:
        return []
    return [f"{prefix}{name}" for name in MACOS[MACOS.index(macos) + 1 :]]
