"""What a deploy works on, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from delivery.artifacts.build import Artifact
from delivery.checkout import Checkout
from delivery.cloud import Cloud
from delivery.environment import Environment
from delivery.progress import Steps
from delivery.releases import history
from delivery.releases.history import Record


@dataclass(frozen=True)
class Outcome:
    """What a deploy did, or would do.

    `action` is ``deployed``, ``unchanged`` or ``planned``; `seconds` maps steps to how long
    they took; `sync` is the smoke test's execution and what it published; `bottle` the one
    that was fetched back; `probe` how many requests of brew 4, 5 and 6 were played, and on what.
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


@dataclass(frozen=True)
class Site:
    """What every step needs: the environment, its cloud, and what the checkout wants there.

    `bucket` is the state bucket; `fingerprint` is equal for two deploys that would do the same.
    """

    checkout: Checkout
    environment: Environment
    cloud: Cloud
    steps: Steps
    settings: Mapping[str, Any]
    artifacts: Mapping[str, Artifact]
    bucket: str
    fingerprint: str
    previous: Record | None

    @property
    def number(self) -> int:
        """The number that a record of this deploy gets."""
        return history.next_number(self.previous)

    @property
    def sha256_by_component(self) -> Mapping[str, str]:
        """The artifacts as a record has them."""
        return {name: built.sha256 for name, built in self.artifacts.items()}

    @property
    def outputs_before(self) -> Mapping[str, Any]:
        """What Terraform put out last: still true of what a failed deploy did not reach."""
        return self.previous.outputs if self.previous else {}

    def outcome(self, action: str, **more: Any) -> Outcome:
        """What to tell the user."""
        return Outcome(
            environment=self.environment.name,
            cloud=self.cloud.describe(),
            account_id=self.cloud.account_id,
            action=action,
            seconds=dict(self.steps.seconds),
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
            artifacts=self.sha256_by_component,
            **more,
        )
