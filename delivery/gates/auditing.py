"""Known weaknesses in the packages that are locked, by pip-audit and its service."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from delivery.errors import NothingAudited
from delivery.gates.findings import Finding
from delivery.gates.gate import Scene, broken, run

COMMAND = (
    *("pip-audit", "--strict", "--require-hashes", "--disable-pip"),
    *("--progress-spinner", "off", "--format", "json", "--requirement"),
)
# pip-audit's own words when its service does not answer, or knows nothing of a package.
UNREACHED = ("could not be audited", "ConnectionError", "Max retries", "Temporary failure")


def look(scene: Scene) -> list[Finding]:
    """Every known weakness of every locked package.

    Raises:
        NothingAudited: the service was not reached; without ``--strict`` pip-audit would say
            "no known vulnerabilities" then, and exit 0.
    """
    return [
        finding for name in scene.files("requirements/*.txt") for finding in _of_file(scene, name)
    ]


def _of_file(scene: Scene, name: str) -> list[Finding]:
    ended = run(scene.root, *COMMAND, name)
    if any(words in ended.stderr for words in UNREACHED):
        raise NothingAudited(
            f"nothing was audited: {ended.stderr.strip().splitlines()[-1]}",
            where=f"pip-audit, for {name}",
            remedy="run `nox -s security` where PyPI's advisory service can be reached",
        )
    try:
        return list(weaknesses(name, json.loads(ended.stdout)))
    except ValueError as error:
        raise broken(ended) from error


def weaknesses(name: str, told: Mapping[str, Any]) -> Iterator[Finding]:
    """What pip-audit's JSON tells of one file of requirements."""
    for package in told["dependencies"]:
        for each in package.get("vulns", ()):
            fixed = ", ".join(each["fix_versions"]) or "no version yet"
            message = f"{package['name']} {package['version']}; mended in {fixed}"
            yield Finding(name, 0, each["id"], message)
