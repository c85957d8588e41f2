"""Which components a change touches, and which suites it therefore needs."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

# Which files are of which component; what matches none is of all of them.
COMPONENTS = {
    "mirror": ("lambdas/*", "docker/*"),
    # The tutorial is run by an integration test, word for word.
    "delivery": (
        *("delivery/*", "verbs/*", "tasks.py", "sandbox/*", "config/*", "docs/tutorial/*"),
    ),
    "terraform": ("terraform/*", ".checkov.yaml"),
    "pipeline": (".github/*", ".ci/*", ".pre-commit-config.yaml", ".gitleaks.toml"),
    "tests": ("tests/*",),
    "docs": ("docs/*", "*.md"),
}
# What each component's change can break. A suite that is not named is not needed.
SUITES = {
    "mirror": ("lint", "unit", "integration", "security", "e2e"),
    "delivery": ("lint", "unit", "integration", "security", "e2e"),
    "terraform": ("lint", "unit", "integration", "security", "e2e"),
    "pipeline": ("lint", "unit", "security", "e2e"),
    "tests": ("lint", "unit", "integration", "security", "e2e"),
    # Pages are read by tests: links, the tasks' reference, the tutorial, and scanned for secrets.
    "docs": ("lint", "unit", "security"),
}
ALL_SUITES = ("lint", "unit", "integration", "security", "e2e")


@dataclass(frozen=True)
class Changes:
    """What changed: `components`, the `suites` that they need, and `why` it is these."""

    components: tuple[str, ...]
    suites: tuple[str, ...]
    why: str


def since(root: Path, base: str) -> Changes:
    """What the checkout changes against a commit or ref.

    Where that cannot be told (no base, a base that is not here, a shallow clone), everything
    counts as changed: a suite is never left out by mistake.
    """
    if not base:
        return _everything("there is nothing to compare with")
    asked = subprocess.run(
        ["git", "diff", "--name-only", "--no-renames", "-z", "--end-of-options", f"{base}...HEAD"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode != 0:
        return _everything(f"git cannot compare with {base!r}: {asked.stderr.strip()}")
    return of(filter(None, asked.stdout.split("\0")), base)


def of(paths: Iterable[str], base: str) -> Changes:
    """What a list of changed files means."""
    files = sorted(paths)
    unknown = [path for path in files if not _components_of(path)]
    if unknown:
        return _everything(f"{unknown[0]} changed since {base}, which is of every component")
    components = {name for path in files for name in _components_of(path)}
    # A matrix of nothing fails on GitHub, and would leave the required check pending.
    suites = {suite for name in components for suite in SUITES[name]} or {"lint"}
    return Changes(
        tuple(name for name in COMPONENTS if name in components),
        tuple(suite for suite in ALL_SUITES if suite in suites),
        f"{len(files)} files changed since {base}",
    )


def _components_of(path: str) -> list[str]:
    return [
        name
        for name, patterns in COMPONENTS.items()
        if any(fnmatchcase(path, pattern) for pattern in patterns)
    ]


def _everything(why: str) -> Changes:
    return Changes(tuple(COMPONENTS), ALL_SUITES, why)
