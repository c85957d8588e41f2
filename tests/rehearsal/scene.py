"""What a played event is about, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REPOSITORY = "owner/airbrew"
FOLDER = Path(".github") / "workflows"


@dataclass(frozen=True)
class Event:
    """An event of GitHub's.

    Args:
        name: ``push``, ``pull_request``, …
        ref: ``refs/heads/main``.
        sha: the commit that is checked out.
        payload: what ``$GITHUB_EVENT_PATH`` holds.
        is_fork: whether the run is one of a fork's pull request: no secret, no token to write.
    """

    name: str
    ref: str
    sha: str
    payload: Mapping[str, Any]
    is_fork: bool = False


@dataclass(frozen=True)
class Circumstances:
    """What the repository is set to, and what goes wrong.

    Args:
        failing_suites: the nox sessions whose stand-in fails.
        rejected: environments whose reviewers say no.
        variables: the repository's variables, as ``vars`` gives them.
        secrets: the repository's secrets; those of a GitHub environment are all ``a secret``.
        api_url: where GitHub's API is.
    """

    failing_suites: frozenset[str] = frozenset()
    rejected: frozenset[str] = frozenset()
    variables: Mapping[str, str] = field(default_factory=lambda: {"AIRBREW_DEPLOY_SANDBOX": "true"})
    secrets: Mapping[str, str] = field(default_factory=dict)
    api_url: str = "https://api.github.com"


@dataclass
class JobRun:
    """How a job ended: ``success``, ``failure`` or ``skipped``; its steps, as text → exit code."""

    result: str
    outputs: dict[str, Any] = field(default_factory=dict)
    ran: list[tuple[str, int]] = field(default_factory=list)


@dataclass
class Obtained:
    """What a run could get hold of: secrets that were read, tokens that were given."""

    secrets: list[str] = field(default_factory=list)
    identity_tokens: list[str] = field(default_factory=list)
    write_tokens: list[str] = field(default_factory=list)


@dataclass
class Run:
    """A played event: its jobs by id (a called workflow's as ``test / suite``), and its log."""

    event: Event
    circumstances: Circumstances
    workspace: Path
    jobs: dict[str, JobRun] = field(default_factory=dict)
    obtained: Obtained = field(default_factory=Obtained)
    artifacts: dict[str, Path] = field(default_factory=dict)
    attested: dict[str, str] = field(default_factory=dict)
    attested_before: Mapping[str, str] = field(default_factory=dict)
    exported: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def result(self, job: str) -> str:
        """How a job ended."""
        return self.jobs[job].result

    def commands(self, job: str) -> list[str]:
        """The steps of a job that ran, successful or not."""
        return [text for text, _ in self.jobs[job].ran]

    def say(self, line: str) -> None:
        """Write to the log."""
        self.lines.append(line)
