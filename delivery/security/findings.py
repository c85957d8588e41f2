"""What a control found: where, how bad, by what evidence, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from delivery.cloud import Cloud
from delivery.environment import Environment

SEVERITIES = ("critical", "high", "medium", "low")


@dataclass(frozen=True)
class Finding:
    """One control that does not hold for one resource.

    `id` is the control's, ``bucket-tls``; `severity` one of `SEVERITIES`; `muted_by` the
    owner who accepted it, empty where nobody did.
    """

    id: str
    severity: str
    resource: str
    evidence: str
    remedy: str
    muted_by: str = ""


@dataclass(frozen=True)
class Place:
    """The deployed environment that is looked at.

    Args:
        buckets: what each is for (``mirror``, ``state``, ``trail``) → its name.
        declared: what Terraform's state says: resource type → the attributes of each.
        access: the same of what `inv oidc.bootstrap` made; empty where it never ran.
    """

    environment: Environment
    cloud: Cloud
    buckets: Mapping[str, str]
    declared: Mapping[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    access: Mapping[str, list[Mapping[str, Any]]] = field(default_factory=dict)

    @property
    def prefix(self) -> str:
        """``airbrew-dev``: begins the name of everything in it."""
        return f"{self.environment.project}-{self.environment.name}"

    @property
    def redeploy(self) -> str:
        """What puts back whatever Terraform declares."""
        return f"inv deploy --env {self.environment.name} --force, and find out who changed it"


@dataclass(frozen=True)
class Control:
    """One thing that must hold: `look` yields (resource, evidence, remedy) where it does not."""

    id: str
    severity: str
    wants: str
    look: Callable[[Place], Iterable[tuple[str, str, str]]]

    def findings(self, place: Place) -> list[Finding]:
        """Everything for which it does not hold."""
        return [Finding(self.id, self.severity, *told) for told in self.look(place)]
