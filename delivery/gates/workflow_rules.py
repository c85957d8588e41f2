"""What we ask of our workflows beyond what their linters know."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import yaml

from delivery.gates.findings import Finding
from delivery.gates.gate import Scene

LONGEST_RUN_LINES = 5
PINNED = re.compile(r"uses: +(?P<action>\S+)@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
USES = re.compile(r"^\s*(?:- )?uses: +(?P<action>\S+)(?P<rest>.*)$")
# Names of long-lived keys; a role that is assumed with a token of the run needs none of them.
KEYS = re.compile(r"AWS_ACCESS_KEY_ID|AWS_SECRET_ACCESS_KEY|aws-secret-access-key", re.IGNORECASE)

Told = Iterator[tuple[str, str]]
Rule = Callable[[Mapping[str, Any]], Told]


def look(scene: Scene) -> list[Finding]:
    """Everything in ``.github/workflows`` that breaks a rule of ours."""
    return [
        finding
        for name in scene.files(".github/workflows/*.yml", ".github/workflows/*.yaml")
        for finding in _of_file(name, (scene.root / name).read_text(encoding="utf-8"))
    ]


def _of_file(name: str, text: str) -> Iterator[Finding]:
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        found = USES.match(line)
        if found and not found["action"].startswith("$/") and not PINNED.search(line):
            told = f"{found['action']!r} is not pinned as `action@<commit> # v1.2.3`"
            yield Finding(name, number, "pinned-by-commit", told)
        if KEYS.search(line):
            yield Finding(name, number, "no-long-lived-key", f"{line.strip()!r} names a key")
    document = yaml.safe_load(text)
    for rule in RULES:
        for message, near in rule(document):
            yield Finding(name, _line_of(near, lines), rule.__name__.strip("_"), message)


def _line_of(near: str, lines: list[str]) -> int:
    at = (number for number, line in enumerate(lines, start=1) if line.strip().startswith(near))
    return next(at, 0)


def _no_permission_by_default(document: Mapping[str, Any]) -> Told:
    if document.get("permissions") != {}:
        yield "`permissions: {}` is missing at the top", "name:"


def _jobs_say_what_they_may(document: Mapping[str, Any]) -> Told:
    for name, job in document["jobs"].items():
        if not isinstance(job.get("permissions"), Mapping):
            yield f"job {name!r} does not list its permissions", f"{name}:"


def _jobs_end_in_time(document: Mapping[str, Any]) -> Told:
    for name, job in document["jobs"].items():
        if "timeout-minutes" not in job and "uses" not in job:
            yield f"job {name!r} has no timeout-minutes", f"{name}:"


def _short_steps(document: Mapping[str, Any]) -> Told:
    for run in _runs(document):
        lines = run.strip().splitlines()
        if len(lines) > LONGEST_RUN_LINES:
            yield f"a step of {len(lines)} lines: what decides belongs into a verb", lines[0]


def _no_templates_in_shell(document: Mapping[str, Any]) -> Told:
    for run in _runs(document):
        if "${{" in run:
            yield "a value reaches the shell through `env`, not as text", run.splitlines()[0]


def _deploys_are_never_cancelled(document: Mapping[str, Any]) -> Told:
    for name, job in document["jobs"].items():
        if "environment" not in job:
            continue
        if job.get("concurrency", {}).get("cancel-in-progress") is not False:
            yield f"job {name!r} deploys and may be cancelled half-way", f"{name}:"


def _secrets_only_in_an_environment(document: Mapping[str, Any]) -> Told:
    # What only a schedule starts runs the default branch's code, which was reviewed.
    if _events(document) <= {"schedule", "workflow_dispatch"}:
        return
    for name, job in document["jobs"].items():
        if "environment" not in job and re.search(r"\bsecrets[.:\[ ]", str(job)):
            yield f"job {name!r} uses secrets outside of an environment", f"{name}:"


def _no_code_of_strangers_with_our_token(document: Mapping[str, Any]) -> Told:
    for event in _events(document) & {"pull_request_target", "workflow_run"}:
        yield f"`{event}` runs with this repository's token and secrets", event


def _events(document: Mapping[str, Any]) -> set[str]:
    # PyYAML reads the key `on` as the truth value that YAML 1.1 says it is.
    events = {str(key).lower(): value for key, value in document.items()}["true"]
    return {events} if isinstance(events, str) else set(events)


def _runs(document: Mapping[str, Any]) -> Iterator[str]:
    for job in document["jobs"].values():
        yield from (step["run"] for step in job.get("steps", ()) if "run" in step)


RULES: tuple[Rule, ...] = (
    _no_permission_by_default,
    _jobs_say_what_they_may,
    _jobs_end_in_time,
    _short_steps,
    _no_templates_in_shell,
    _deploys_are_never_cancelled,
    _secrets_only_in_an_environment,
    _no_code_of_strangers_with_our_token,
)
