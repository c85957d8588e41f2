"""What a macOS brings along, so that a formula need not depend on it there."""

from __future__ import annotations

# Oldest first. Source: Homebrew/brew, ``macos_version.rb``, ``SYMBOLS``.
RELEASES = (
    *("yosemite", "el_capitan", "sierra", "high_sierra", "mojave", "catalina"),
    *("big_sur", "monterey", "ventura", "sonoma", "sequoia", "tahoe", "golden_gate"),
)


def provides(platform: str, since: str) -> bool:
    """Whether the platform brings what a formula takes from macOS (``uses_from_macos``).

    Args:
        platform: a bottle tag, ``arm64_sonoma`` or ``x86_64_linux``.
        since: the first macOS that brings it; empty when each does.
    """
    if platform.endswith("linux"):
        return False
    return not since or _age(platform.removeprefix("arm64_")) >= _age(since)


def runs(platform: str, tag: str) -> bool:
    """Whether what was built for a bottle tag runs on a platform: the same one, or a newer macOS.

    Source: Homebrew/brew, ``utils/bottles.rb``, ``Collector#find_matching_tag``.
    """
    if tag in {platform, "all"}:
        return True
    if platform.endswith("linux") or tag.endswith("linux"):
        return False
    release, built_for = platform.removeprefix("arm64_"), tag.removeprefix("arm64_")
    same_architecture = (platform == release) == (tag == built_for)
    return same_architecture and built_for in RELEASES and _age(release) >= _age(built_for)


def _age(release: str) -> int:
    # A name that we do not know is newer than this list.
    return RELEASES.index(release) if release in RELEASES else len(RELEASES)
