"""A clone to play in, and what GitHub tells of things that happen to it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.rehearsal.scene import REPOSITORY, Event


class Repository:
    """A clone to play in: `commit` changes files; the sandbox in it is the account."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("init", "-q", "-b", "main")
        (root / ".git" / "info" / "exclude").write_text("/.airbrew\n")
        self.base = self.commit("all", {})

    def git(self, *words: str) -> str:
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        asked = ["git", "-C", str(self.root), *identity, *words]
        return subprocess.check_output(asked, text=True).strip()

    def sandbox(self, name: str) -> str:
        """A file of the sandbox that runs in it."""
        return (self.root / ".airbrew" / "sandbox" / name).read_text()

    def configure(self, environment: str, change: dict[str, Any]) -> str:
        """Commit other settings of an environment."""
        file = self.root / "config" / "airbrew.yaml"
        document = yaml.safe_load(file.read_text())
        document["environments"][environment] |= change
        file.write_text(yaml.safe_dump(document))
        return self.commit(f"{environment}: {', '.join(change)}", {})

    def commit(self, message: str, changes: dict[str, str]) -> str:
        for name, text in changes.items():
            file = self.root / name
            file.write_text(file.read_text() + text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")


def push(ref: str, sha: str, before: str) -> Event:
    return Event("push", ref, sha, {"ref": ref, "before": before, "after": sha})


def pull_request(sha: str, base: str, *, head: str = REPOSITORY, into: str = "main") -> Event:
    told = {
        "number": 7,
        "head": {"repo": {"full_name": head}, "sha": sha},
        "base": {"repo": {"full_name": REPOSITORY}, "sha": base, "ref": into},
    }
    payload = {"number": 7, "pull_request": told}
    return Event("pull_request", "refs/pull/7/merge", sha, payload, is_fork=head != REPOSITORY)
