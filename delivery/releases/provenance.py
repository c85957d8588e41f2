"""Who built a release, when, from what: an in-toto statement with SLSA's provenance in it."""

from __future__ import annotations

import getpass
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from delivery.artifacts.cache import Artifact
from delivery.artifacts.packages import Installation
from delivery.artifacts.recipe import Recipe
from delivery.artifacts.why import Made
from delivery.errors import UntrustedRelease
from delivery.releases.manifest import Release

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "urn:airbrew:package:1"


@dataclass(frozen=True)
class Builder:
    """Who ran the build: `id` is a URI; `run` leads to its log, or is empty."""

    id: str
    run: str = ""


def builder(variables: Mapping[str, str]) -> Builder:
    """The workflow on GitHub, or the person at this machine.

    Source: GitHub Actions, "Default environment variables".
    """
    if variables.get("GITHUB_ACTIONS") == "true":
        server, repository = variables["GITHUB_SERVER_URL"], variables["GITHUB_REPOSITORY"]
        run = f"{server}/{repository}/actions/runs/{variables['GITHUB_RUN_ID']}"
        return Builder(f"{server}/{variables['GITHUB_WORKFLOW_REF']}", run)
    return Builder(f"urn:airbrew:desk:{_person(variables)}@{platform.node()}")


def statement(
    release: Release,
    artifacts: Mapping[str, Artifact],
    built_by: Builder,
    *,
    began: datetime,
    ended: datetime,
) -> bytes:
    """The statement as JSON, readable by a person.

    Each component's recipe is in it, so that `inv build --why --against` can compare.

    Source: in-toto, Statement v1; SLSA, Provenance v1.
    """
    tools = {name: text for each in artifacts.values() for name, text in _tools(each).items()}
    document = {
        "_type": STATEMENT,
        "subject": _subjects(release),
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    "target": asdict(release.target),
                    "version": release.version,
                },
                "internalParameters": {"components": _components(artifacts)},
                "resolvedDependencies": _materials(release, artifacts),
            },
            "runDetails": {
                "builder": {"id": built_by.id, "version": tools},
                "metadata": _times(built_by, began, ended),
            },
        },
    }
    return json.dumps(document, indent=1).encode()


def made(body: bytes, release: Release) -> dict[str, Made]:
    """Component → what it was made from, as the statement about a release says.

    Raises:
        UntrustedRelease: the statement is not one of ours.
    """
    try:
        definition = json.loads(body)["predicate"]["buildDefinition"]
        noted = definition["internalParameters"]["components"]
        return {name: _made(each.sha256, noted[name]) for name, each in release.components.items()}
    except (ValueError, KeyError, TypeError) as error:
        raise UntrustedRelease(
            f"the provenance does not say what the release was made from: {error!r}",
            where=f"the provenance of release {release.short_id}",
            remedy="compare with a release that this Airbrew made",
        ) from error


def _made(sha256: str, noted: Mapping[str, Any]) -> Made:
    return Made(sha256, Recipe.parse(noted["recipe"]), Installation.parse(noted["installation"]))


def _components(artifacts: Mapping[str, Artifact]) -> dict[str, Any]:
    return {
        name: {"recipe": each.recipe.as_json(), "installation": each.installation.as_json()}
        for name, each in artifacts.items()
    }


def _subjects(release: Release) -> list[dict[str, Any]]:
    named = {f"{name}.zip": each.sha256 for name, each in release.components.items()}
    named |= {"release.json": release.id, "sbom.json": release.sbom}
    subjects = [{"name": name, "digest": {"sha256": digest}} for name, digest in named.items()]
    if release.image:
        digest = release.image.removeprefix("sha256:")
        subjects.append({"name": "sync-worker", "digest": {"sha256": digest}})
    return subjects


def _materials(release: Release, artifacts: Mapping[str, Artifact]) -> list[dict[str, Any]]:
    wheels = {
        each.sha256: {"uri": f"pkg:pypi/{each.name}@{each.version}", "name": each.wheel}
        for artifact in artifacts.values()
        for each in artifact.installation.packages
    }
    found = [{**each, "digest": {"sha256": sha256}} for sha256, each in wheels.items()]
    if release.commit:
        commit = {"name": "checkout", "digest": {"gitCommit": release.commit}}
        found.insert(0, {**commit, "annotations": {"dirty": release.dirty}})
    return found


def _tools(artifact: Artifact) -> Mapping[str, str]:
    return {**artifact.recipe.tools, **artifact.installation.tools}


def _times(built_by: Builder, began: datetime, ended: datetime) -> dict[str, str]:
    times = {
        "startedOn": f"{began:%Y-%m-%dT%H:%M:%SZ}",
        "finishedOn": f"{ended:%Y-%m-%dT%H:%M:%SZ}",
    }
    return {"invocationId": built_by.run, **times} if built_by.run else times


def _person(variables: Mapping[str, str]) -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # A number without a name, as in a container.
        return variables.get("USER", "nobody")
