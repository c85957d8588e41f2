"""One deploy or rollback while it is carried out: what it works on, and how far it has come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from delivery.deploy.lease import Lease
from delivery.deploy.site import Outcome, Site
from delivery.releases.history import Record


@dataclass(frozen=True)
class Aftermath:
    """How an environment stands after a failure.

    Args:
        standing: in a sentence, with the one command that goes on from there.
        rollback: what the record says of going back.
        is_settled: whether it stands on its last good release, as the history has it.
    """

    standing: str
    rollback: Mapping[str, Any] = field(default_factory=dict)
    is_settled: bool = False


@dataclass
class Attempt:
    """What the steps of one deploy or rollback tell each other.

    Args:
        kind: ``deploy`` or ``rollback``.
        found_marked: whether an earlier one had left the environment in the middle.
        touched: whether Terraform or an alias may have changed the environment.
        recorded: whether its success is in the history: from then on nothing is undone.
        made: addresses of the resources that it has made.
        altered: addresses of those that were there, and that it has changed in place.
        outputs: what Terraform put out, as far as is known.
        published: each function → the version that Terraform published last.
        versions: each function → the version in service.
        served: the snapshot that clients got before a sync of this deploy.
        protected: addresses that Terraform's state has of what no rollback may take away.
        state_version: S3's name of Terraform's state as it was applied and looked at last.
    """

    site: Site
    lease: Lease
    kind: str = "deploy"
    found_marked: bool = False
    touched: bool = False
    recorded: bool = False
    made: set[str] = field(default_factory=set)
    altered: set[str] = field(default_factory=set)
    outputs: dict[str, Any] = field(default_factory=dict)
    published: Mapping[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    plan: dict[str, Any] = field(default_factory=dict)
    sync: Mapping[str, Any] = field(default_factory=dict)
    bottle: Mapping[str, Any] = field(default_factory=dict)
    probe: Mapping[str, Any] = field(default_factory=dict)
    rehearsal: Mapping[str, Any] = field(default_factory=dict)
    served: str = ""
    protected: Sequence[str] = field(default_factory=list)
    state_version: str = ""

    @classmethod
    def of(cls, site: Site, lease: Lease, kind: str = "deploy") -> Self:
        """One that has done nothing yet: what the newest record says still holds."""
        previous = site.previous
        if previous is None:
            return cls(site, lease, kind)
        return cls(
            site,
            lease,
            kind,
            outputs=dict(previous.outputs),
            versions=dict(previous.versions),
            protected=previous.protected,
            state_version=previous.state_version,
        )

    @property
    def counts(self) -> Mapping[str, int]:
        """How many resources the plan creates, updates and deletes."""
        return {name: self.plan.get(name, 0) for name in ("create", "update", "delete")}

    def record(self, outcome: str, **more: Any) -> Record:
        """What to tell the history."""
        return self.site.record(
            outcome,
            kind=self.kind,
            by=self.lease.by,
            lease=self.lease.number,
            outputs=self.outputs,
            versions=self.versions,
            plan=self.plan,
            sync=self.sync,
            rehearsal=self.rehearsal,
            protected=self.protected,
            state_version=self.state_version,
            **more,
        )

    def outcome(self, action: str, **more: Any) -> Outcome:
        """What to tell the user."""
        return self.site.outcome(
            action,
            number=self.site.number,
            outputs=self.outputs,
            changes=self.counts,
            sync=self.sync,
            bottle=self.bottle,
            probe=self.probe,
            versions=self.versions,
            rehearsal=self.rehearsal,
            **more,
        )
