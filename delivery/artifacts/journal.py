"""Which build came before this one, so that a build can say what moved since."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from delivery import whole_files
from delivery.artifacts.target import Target


@dataclass(frozen=True)
class Entry:
    """What a component was last built from, and what before that; empty where unknown.

    Both are digests of inputs, under which the cache has notes.
    """

    now: str = ""
    before: str = ""

    def followed_by(self, inputs_digest: str) -> Entry:
        """The entry after a build from these inputs."""
        return self if inputs_digest == self.now else Entry(inputs_digest, self.now)


@dataclass(frozen=True)
class Journal:
    """One small file; builds for two targets do not follow on each other.

    Whoever loses it, or an entry to another build at the same moment, loses an explanation.
    """

    file: Path

    def follow(self, inputs: Mapping[str, str], target: Target) -> dict[str, Entry]:
        """Note a build; returns what was noted of the one before it.

        Args:
            inputs: component → digest of what it is built from.
        """
        entries = self._read()
        keys = {
            name: f"{name} {target.system} {target.architecture} {target.python}" for name in inputs
        }
        earlier = {name: entries.get(key, Entry()) for name, key in keys.items()}
        later = {key: earlier[name].followed_by(inputs[name]) for name, key in keys.items()}
        if entries | later != entries:
            self._write(entries | later)
        return earlier

    def _read(self) -> dict[str, Entry]:
        try:
            noted = json.loads(self.file.read_text(encoding="utf-8"))
            return {key: Entry(**each) for key, each in noted.items()}
        except (FileNotFoundError, ValueError, TypeError, AttributeError):
            return {}

    def _write(self, entries: Mapping[str, Entry]) -> None:
        text = json.dumps({key: asdict(each) for key, each in entries.items()}, indent=1)
        whole_files.write(self.file, text.encode())
