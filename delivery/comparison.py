"""How two environments differ: release, commits, components, configuration, Terraform tree."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from delivery import state_bucket
from delivery.cloud import Cloud
from delivery.deploy.settings import artifact_key
from delivery.environment import Environment
from delivery.errors import BadInput
from delivery.releases import commits, history
from delivery.releases.commits import Commit
from delivery.releases.history import Record

TREE = "terraform"
Pair = tuple[Any, Any]


@dataclass(frozen=True)
class Side:
    """One of the two: an environment, and the way to what is deployed in it."""

    environment: Environment
    cloud: Cloud

    @property
    def bucket(self) -> str:
        """The state bucket."""
        environment = self.environment
        return state_bucket.name(environment.project, environment.name, self.cloud.account_id)

    def in_service(self) -> Record | None:
        """The newest record that succeeded; None where nothing is deployed."""
        records = history.newest_first(self.cloud, self.bucket, self.environment.name)
        return next(iter(history.good(records)), None)


@dataclass(frozen=True)
class Comparison:
    """What differs; every pair is (left, right), and None is what a side does not have.

    `only_left` are the commits that the left release holds and the right does not;
    `unknown` says what could not be compared, and why.
    """

    environments: tuple[str, str]
    releases: tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]
    only_left: Sequence[Commit] = ()
    only_right: Sequence[Commit] = ()
    components: Mapping[str, Pair] = field(default_factory=dict)
    configuration: Mapping[str, Pair] = field(default_factory=dict)
    terraform_files: Sequence[str] = ()
    unknown: Sequence[str] = ()


def compare(left: Side, right: Side, repository: Path) -> Comparison:
    """Look at both; nothing is changed.

    Args:
        repository: the clone whose git is asked for the commits.
    """
    records = (left.in_service(), right.in_service())
    unknown: list[str] = []
    only_left, only_right = _commits(repository, *records, unknown)
    components = _differing(*(record.artifacts if record else {} for record in records))
    return Comparison(
        environments=(left.environment.name, right.environment.name),
        releases=(_release(records[0]), _release(records[1])),
        only_left=only_left,
        only_right=only_right,
        components=components,
        configuration=_differing(_flat(left.environment), _flat(right.environment)),
        terraform_files=_files((left, right), components.get(TREE), unknown),
        unknown=unknown,
    )


def _release(record: Record | None) -> Mapping[str, Any] | None:
    if record is None:
        return None
    return {"number": record.number, "at": record.at, **record.release}


def _commits(
    repository: Path, left: Record | None, right: Record | None, unknown: list[str]
) -> tuple[list[Commit], list[Commit]]:
    known = [str(record.release.get("commit", "")) if record else "" for record in (left, right)]
    if not all(known):
        unknown.append("commits: a side is not deployed, or its record names none")
        return [], []
    try:
        return commits.between(repository, known[1], known[0]), commits.between(repository, *known)
    except BadInput as error:
        unknown.append(f"commits: {error.problem}; {error.remedy}")
        return [], []


def _flat(environment: Environment) -> Mapping[str, Any]:
    """Dotted path → value; what the environment is called by is no difference."""
    found: dict[str, Any] = {"type": environment.type, "account_id": environment.account_id}
    for path in environment.origins:
        value: Any = environment.settings
        for key in path.split("."):
            value = value[key]
        found[path] = value
    return found


def _differing(left: Mapping[str, Any], right: Mapping[str, Any]) -> dict[str, Pair]:
    paths = sorted(left.keys() | right.keys())
    pairs = {path: (left.get(path), right.get(path)) for path in paths}
    return {path: pair for path, pair in pairs.items() if pair[0] != pair[1]}


def _files(sides: tuple[Side, Side], digests: Pair | None, unknown: list[str]) -> list[str]:
    """The files of the Terraform tree that are not the same in both releases."""
    if digests is None:
        return []
    trees = [_tree(side, digest) for side, digest in zip(sides, digests, strict=True)]
    if None in trees:
        unknown.append("Terraform tree: a side has none in its state bucket")
        return []
    return list(_differing(*(tree or {} for tree in trees)))


def _tree(side: Side, digest: str | None) -> Mapping[str, int] | None:
    """File → checksum, from the release's own copy of the tree."""
    if not digest:
        return None
    try:
        found = side.cloud.client("s3").get_object(
            Bucket=side.bucket, Key=artifact_key(TREE, digest)
        )
    except ClientError as error:
        if error.response["Error"]["Code"] in state_bucket.NOT_THERE:
            return None
        raise
    with zipfile.ZipFile(io.BytesIO(found["Body"].read())) as tree:
        return {each.filename: each.CRC for each in tree.infolist()}
