"""Bottle tags as people say them."""

from __future__ import annotations

_EVERY = "all"


def spoken(tag: str) -> str:
    """``arm64_big_sur`` → ``macOS Big Sur, Apple silicon``; ``all`` → ``every platform``."""
    if tag == _EVERY:
        return "every platform"
    if tag.endswith("_linux"):
        return f"Linux, {tag.removesuffix('_linux')}"
    name = tag.removeprefix("arm64_").replace("_", " ").title()
    return f"macOS {name}, {'Apple silicon' if tag.startswith('arm64_') else 'Intel'}"
