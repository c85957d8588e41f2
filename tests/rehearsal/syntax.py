"""Workflow files as the rehearsal knows them: a key that it does not know is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from tests.rehearsal.expressions import Refused

WORKFLOW = {"name", "on", "permissions", "concurrency", "defaults", "jobs"}
TRIGGERS = {
    "push": {"branches", "tags"},
    "pull_request": set(),
    "merge_group": set(),
    "schedule": set(),
    "workflow_dispatch": set(),
    "workflow_call": {"inputs"},
}
JOB = {
    *("name", "needs", "if", "runs-on", "timeout-minutes", "permissions", "outputs"),
    *("environment", "concurrency", "strategy", "steps", "uses", "with"),
}
STEP = {"id", "if", "name", "uses", "with", "run", "env"}
# ``bash -e`` alone, GitHub's default, would let the first part of a pipe fail unseen.
DEFAULTS = {"run": {"shell": "bash"}}


@dataclass(frozen=True)
class Workflow:
    """A workflow file: its triggers, and its jobs by id."""

    path: str
    triggers: Mapping[str, Any]
    jobs: Mapping[str, Mapping[str, Any]]

    def is_started_by(self, event: str, ref: str) -> bool:
        """Whether an event on a ref starts it.

        Source: GitHub, "Workflow syntax", filters: ``*`` matches anything but a slash.
        """
        if event not in self.triggers:
            return False
        filters = self.triggers[event]
        if event != "push" or not filters:
            return True
        kind = "branches" if ref.startswith("refs/heads/") else "tags"
        name = ref.split("/", 2)[2]
        return any(_glob(pattern).fullmatch(name) for pattern in filters.get(kind, ()))


def read(file: Path) -> Workflow:
    """A workflow file, every key of which is one that the rehearsal plays."""
    # BaseLoader: everything is text, and the key `on` is no truth value.
    document = yaml.load(file.read_text(), yaml.BaseLoader)
    _known(document, WORKFLOW, file.name)
    if document.get("defaults", DEFAULTS) != DEFAULTS:
        raise Refused(f"{file.name}: defaults other than {DEFAULTS}")
    triggers = document["on"]
    _known(triggers, set(TRIGGERS), f"{file.name}: on")
    filters = {name: value or {} for name, value in triggers.items()}
    for name, value in filters.items():
        if name != "schedule":
            _known(value, TRIGGERS[name], f"{file.name}: on.{name}")
    for job_id, job in document["jobs"].items():
        _known(job, JOB, f"{file.name}: {job_id}")
        for step in job.get("steps", ()):
            _known(step, STEP, f"{file.name}: {job_id}: a step")
    return Workflow(file.name, filters, document["jobs"])


def needs(job: Mapping[str, Any]) -> list[str]:
    """The jobs that a job names in `needs`."""
    named = job.get("needs", [])
    return [named] if isinstance(named, str) else list(named)


def legs(strategy: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The combinations of a matrix whose expressions are filled in already; one without a matrix.

    Source: GitHub, "Workflow syntax", `include`: an entry extends the combinations that it would
    not change, and is one of its own where there is none.
    """
    _known(strategy, {"fail-fast", "matrix"}, "strategy")
    if "matrix" not in strategy:
        return [{}]
    matrix = dict(strategy["matrix"])
    included = matrix.pop("include", [])
    if "exclude" in matrix:
        raise Refused("a matrix with exclude")
    if any(values == [] for values in matrix.values()):
        raise Refused("a matrix with no combination fails on GitHub")
    original = [dict(zip(matrix, values, strict=True)) for values in product(*matrix.values())]
    found = [dict(each) for each in original]
    for entry in included:
        fits = [
            at
            for at, each in enumerate(original)
            if all(each.get(key, value) == value for key, value in entry.items())
        ]
        for at in fits:
            found[at] |= entry
        if not fits:
            found.append(dict(entry))
    return found


def _glob(pattern: str) -> re.Pattern[str]:
    if not re.fullmatch(r"[\w./*-]+", pattern) or "**" in pattern:
        raise Refused(f"a filter of another kind: {pattern!r}")
    return re.compile(re.escape(pattern).replace(r"\*", "[^/]*"))


def _known(document: Any, keys: set[str], where: str) -> None:
    unknown = sorted(set(document) - keys)
    if unknown:
        raise Refused(f"{where}: {unknown[0]!r} is outside of what is rehearsed")
