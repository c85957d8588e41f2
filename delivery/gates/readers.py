"""Programs that tell what they found in a JSON of their own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from delivery.gates.findings import Finding
from delivery.gates.gate import Reader, Scene, broken, run

# One reason serves two tools: ruff's S rules are bandit's, with S where bandit writes B.
EXPLAINED = re.compile(r"# noq[a]: [A-Z0-9, ]*\bS(\d{3})\b[A-Z0-9, ]* - \S")


def _json(reading: Callable[[Any], Iterable[Finding]]) -> Reader:
    def read(ended: CompletedProcess[str]) -> list[Finding]:
        try:
            found = list(reading(json.loads(ended.stdout)))
        except (ValueError, KeyError, TypeError) as error:
            raise broken(ended) from error
        if ended.returncode != 0 and not found:
            raise broken(ended)
        return found

    return read


@_json
def actionlint(told: Any) -> Iterator[Finding]:
    """``-format '{{json .}}'``."""
    for each in told or ():
        yield Finding(each["filepath"], each["line"], each["kind"], each["message"])


@_json
def shellcheck(told: Any) -> Iterator[Finding]:
    """``--format=json1``."""
    for each in told["comments"]:
        yield Finding(each["file"], each["line"], f"SC{each['code']}", each["message"])


@_json
def schema(told: Any) -> Iterator[Finding]:
    """``--output-format json`` of check-jsonschema."""
    for each in told.get("errors", ()):
        yield Finding(each["filename"], 0, "schema", f"{each['path']}: {each['message']}")
    for each in told.get("parse_errors", ()):
        yield Finding(each["filename"], 0, "schema", each["message"])


def checkov(ended: CompletedProcess[str]) -> list[Finding]:
    """``--output json``: for each folder one document, or a list of one per framework."""
    try:
        documents = list(_documents(ended.stdout))
    except ValueError as error:
        raise broken(ended) from error
    found = [
        Finding(
            path=failed["repo_file_path"].lstrip("/"),
            line=failed["file_line_range"][0],
            rule=failed["check_id"],
            message=f"{failed['check_name']} ({failed['resource']})",
        )
        for each in documents
        for failed in each.get("results", {}).get("failed_checks", ())
    ]
    looked = sum(each.get("summary", {}).get("passed", 0) for each in documents) + len(found)
    if not looked or (ended.returncode != 0 and not found):
        raise broken(ended)
    return found


def _documents(text: str) -> Iterator[Mapping[str, Any]]:
    decoder, rest = json.JSONDecoder(), text.strip()
    while rest:
        told, end = decoder.raw_decode(rest)
        yield from told if isinstance(told, list) else [told]
        rest = rest[end:].strip()


def bandit(scene: Scene) -> list[Finding]:
    """Bandit over our own Python; what a ``noqa`` with a reason explains is explained.

    Raises:
        ToolMissing, GateBroken: as every program that is a gate.
    """
    packages = ("delivery", "verbs", "sandbox", "lambdas", "docker", "tasks.py", "noxfile.py")
    there = [name for name in packages if (scene.root / name).exists()]
    options = ("--quiet", "--configfile", "pyproject.toml", "--format", "json", "--recursive")
    ended = run(scene.root, "bandit", *options, *there)
    try:
        results = json.loads(ended.stdout)["results"]
    except (ValueError, KeyError) as error:
        raise broken(ended) from error
    return [_from_bandit(each) for each in results if not _is_explained(scene.root, each)]


def _from_bandit(result: Mapping[str, Any]) -> Finding:
    path = Path(result["filename"]).as_posix()
    return Finding(path, result["line_number"], result["test_id"], result["issue_text"])


def _is_explained(root: Path, result: Mapping[str, Any]) -> bool:
    lines = (root / result["filename"]).read_text(encoding="utf-8").splitlines()
    number = result["test_id"].removeprefix("B")
    said = (EXPLAINED.search(lines[at - 1]) for at in result["line_range"])
    return any(found is not None and found[1] == number for found in said)
