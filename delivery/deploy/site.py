"""What a deploy works on, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from delivery import state_bucket
from delivery.checkout import Checkout
from delivery.cloud import Cloud
from delivery.environment import Environment
from delivery.errors import BadInput
from delivery.progress import Steps
from delivery.releases import history
from delivery.releases.history import Record

if TYPE_CHECKING:
    from delivery.releases.origin import Origin


@dataclass(frozen=True)
class Outcome:
    """What a deploy or rollback did, or would do.

    `action` is ``deployed``, ``unchanged``, ``planned`` or ``rolled back``; `seconds` maps steps
    to how long they took; `sync` is the health check's execution and what it published; `bottle`
    the one that was fetched back; `probe` how many requests of brew 4, 5 and 6 were played, and
    on what; `versions` what serves now; `rehearsal` how long going back took when it was tried.
    """

    environment: str
    cloud: str
    account_id: str
    action: str
    number: int
    seconds: Mapping[str, float]
    outputs: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, int] = field(default_factory=dict)
    change_lines: tuple[str, ...] = ()
    sync: Mapping[str, Any] = field(default_factory=dict)
    bottle: Mapping[str, Any] = field(default_factory=dict)
    probe: Mapping[str, Any] = field(default_factory=dict)
    release: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    rehearsal: Mapping[str, Any] = field(default_factory=dict)
    rollback: Mapping[str, Any] = field(default_factory=dict)
    review: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Site:
    """What every step needs: the environment, its cloud, and what is wanted there.

    Args:
        settings: what Terraform is handed.
        artifacts: component → SHA-256, as a release record has them.
        bucket: the state bucket.
        fingerprint: equal for two deploys that would do the same.
        previous: the newest record; None where nothing was ever deployed.
        release: ``{"id", "version", "commit", "dirty"}``; empty until a checkout's is made.
        origin: where a release lies that is not the checkout's own.
        approved: the digest of the effects that were approved; empty where none were.
    """

    checkout: Checkout
    environment: Environment
    cloud: Cloud
    steps: Steps
    settings: Mapping[str, Any]
    artifacts: Mapping[str, str]
    bucket: str
    fingerprint: str
    previous: Record | None
    release: Mapping[str, Any] = field(default_factory=dict)
    origin: Origin | None = None
    approved: str = ""

    @classmethod
    def as_deployed(
        cls, checkout: Checkout, environment: Environment, cloud: Cloud, steps: Steps
    ) -> Site:
        """An environment as its history has it; `recall` fills in what a record deployed.

        Raises:
            BadInput: nothing was ever deployed there.
        """
        bucket = state_bucket.name(environment.project, environment.name, cloud.account_id)
        return cls(
            checkout=checkout,
            environment=environment,
            cloud=cloud,
            steps=steps,
            settings={},
            artifacts={},
            bucket=bucket,
            fingerprint="",
            previous=require_deployed(environment, cloud, bucket),
        )

    @property
    def number(self) -> int:
        """The number that a record of this deploy gets."""
        return history.next_number(self.previous)

    @property
    def is_filled_by_import(self) -> bool:
        """Whether it stands behind an air gap, where a sync would find no upstream."""
        return bool(self.environment.settings["mirror"]["filled_by"] == "import")

    def outcome(self, action: str, **more: Any) -> Outcome:
        """What to tell the user."""
        return Outcome(
            environment=self.environment.name,
            cloud=self.cloud.describe(),
            account_id=self.cloud.account_id,
            action=action,
            seconds=dict(self.steps.seconds),
            release=self.release,
            **more,
        )

    def record(self, outcome: str, **more: Any) -> Record:
        """What to tell the history."""
        return Record(
            number=self.number,
            environment=self.environment.name,
            outcome=outcome,
            fingerprint=self.fingerprint,
            at=history.now(),
            seconds=dict(self.steps.seconds),
            artifacts=self.artifacts,
            release=self.release,
            settings=history.settings_digest(self.settings) if self.settings else "",
            **more,
        )


def require_deployed(environment: Environment, cloud: Cloud, bucket: str) -> Record:
    """The newest record of the environment.

    Args:
        bucket: its state bucket.

    Raises:
        BadInput: nothing was ever deployed there.
    """
    record = history.latest(cloud, bucket, environment.name)
    if record is None:
        raise BadInput(
            f'nothing was ever deployed in "{environment.name}"',
            where=cloud.describe(),
            remedy=f"inv deploy --env {environment.name}",
        )
    return record
