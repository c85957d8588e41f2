"""A release that is there already: deployed again from the store, or promoted to another place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from delivery import state_bucket
from delivery.checkout import target_of
from delivery.cloud import Cloud
from delivery.environment import Environment
from delivery.errors import BadInput
from delivery.releases import history, store, under_way
from delivery.releases.history import Record
from delivery.releases.manifest import Release


@dataclass(frozen=True)
class Origin:
    """Where a release lies: the state bucket of some environment.

    Args:
        rehearsal: how going back from it went where it stands, if that was tried there.
    """

    cloud: Cloud
    bucket: str
    release: Release
    rehearsal: Mapping[str, Any] = field(default_factory=dict)

    @property
    def named(self) -> Mapping[str, Any]:
        """The release as a record has it."""
        return named(self.release)

    def require_target(self, environment: Environment) -> None:
        """Return when the release was built for what the environment's functions run on.

        Raises:
            BadInput: it was built for something else.
        """
        wanted = target_of(environment)
        if self.release.target != wanted:
            raise BadInput(
                f"release {self.release.short_id} was built for {self.release.target},"
                f" and the functions of {environment.name} run on {wanted}",
                where="functions in config/airbrew.yaml",
                remedy="give both environments the same functions.architecture and .python",
            )


def named(release: Release) -> Mapping[str, Any]:
    """A release as a record has it."""
    return {
        "id": release.id,
        "version": release.version,
        "commit": release.commit,
        "dirty": release.dirty,
    }


def find(environment: Environment, cloud: Cloud, release_id: str = "") -> Origin:
    """A release in the environment's state bucket: the one of that id, else what stands there.

    Args:
        release_id: the whole of it, or an unambiguous beginning of 6 digits or more.

    Raises:
        UnknownRelease: there is no such release.
        BadInput: nothing that works is deployed there.
    """
    bucket = state_bucket.name(environment.project, environment.name, cloud.account_id)
    if release_id:
        return Origin(cloud, bucket, store.find(cloud, bucket, release_id))
    standing = _standing(environment, cloud, bucket)
    release = store.find(cloud, bucket, str(standing.release["id"]))
    return Origin(cloud, bucket, release, standing.rehearsal)


def _standing(environment: Environment, cloud: Cloud, bucket: str) -> Record:
    good = history.good(history.newest_first(cloud, bucket, environment.name))
    if not good or not good[0].release or under_way.is_marked(cloud, bucket, environment.name):
        raise BadInput(
            f'no release stands in "{environment.name}" that could be taken from there',
            where=f"s3://{bucket}/releases/{environment.name}/",
            remedy=f"inv deploy --env {environment.name}, then promote what has proven itself",
        )
    return good[0]
