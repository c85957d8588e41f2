"""What this sandbox runs, written down: one small JSON file, replaced as a whole."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from sandbox.identity import new_token


@dataclass(frozen=True)
class Running:
    """One server process: where it listens, and which process it is.

    Args:
        started: when the process began, as `processes.started_at` tells it.
    """

    port: int
    pid: int
    started: str


@dataclass
class Record:
    """The servers that were started last, by name, and the token by which they are ours.

    A server stays here after its end, so that it gets its port again.
    """

    token: str
    servers: dict[str, Running] = field(default_factory=dict)

    def port_of(self, server: str) -> int:
        """The port of last time; 0 when there was none."""
        return self.servers[server].port if server in self.servers else 0


def read(file: Path) -> Record:
    """The record, or a new one where there is none or it cannot be read."""
    try:
        found = json.loads(file.read_text())
        servers = {name: Running(**running) for name, running in found["servers"].items()}
        return Record(found["token"], servers)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        # Cut off by a full disk, or of another version: the servers that it named are started
        # anew on other ports; the state folders are what counts.
        return Record(new_token())


def write(file: Path, record: Record) -> None:
    """Replace the record; a reader sees the old one or the new one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    written = file.with_suffix(".new")
    written.write_text(json.dumps(asdict(record), indent=2) + "\n")
    written.replace(file)
