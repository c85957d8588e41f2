"""All that decides an artifact's bytes, so that any two of it can be compared by name."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

PARTS = ("settings", "tools", "requirements", "files")
_PIN = r"(?P<name>[A-Za-z0-9][\w.-]*)==(?P<version>[^\s;]+)(?P<rest>.*)"
# So much of a digest tells two apart; the whole recipe is digested anyway.
_SHOWN_DIGITS = 12


@dataclass(frozen=True)
class Recipe:
    """What an artifact is made from.

    Args:
        settings: choices of the configuration, by name.
        tools: what is ours and writes the bytes, by name → its version.
        requirements: package → its pin: version, conditions, and a digest of its hashes.
        files: name in the archive → SHA-256 of our file.
    """

    settings: Mapping[str, str] = field(default_factory=dict)
    tools: Mapping[str, str] = field(default_factory=dict)
    requirements: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """Equal for recipes that make the same artifact."""
        text = json.dumps(self.as_json(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def as_json(self) -> dict[str, dict[str, str]]:
        """Each part → what is in it."""
        return {part: dict(getattr(self, part)) for part in PARTS}

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """What `as_json` wrote."""
        return cls(**{part: dict(document.get(part, {})) for part in PARTS})


def digests(members: Mapping[str, Path]) -> dict[str, str]:
    """Name in the archive → SHA-256 of the file."""
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for name, path in sorted(members.items())
    }


def pins(requirements: str) -> dict[str, str]:
    """Package → ``46.0.3, hashes 0a1b2c3d4e5f``, of a requirements file with hashes.

    Comments and the order of lines decide nothing, so they are left out. A line that is no
    pin stands for itself.
    """
    text = re.sub(r"\s+#.*|^#.*", "", requirements, flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return dict(_pin(" ".join(line.split())) for line in lines if line.strip())


def _pin(line: str) -> tuple[str, str]:
    found = re.fullmatch(_PIN, line)
    if found is None:
        return line, ""
    condition, *hashes = found["rest"].split("--hash=")
    told = hashlib.sha256(" ".join(sorted(each.strip() for each in hashes)).encode()).hexdigest()
    parts = (found["version"], condition.strip(" ;"), f"hashes {told[:_SHOWN_DIGITS]}")
    return found["name"], ", ".join(part for part in parts if part)
