"""Going back to what an earlier record deployed: the aliases at once, Terraform after."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from delivery.deploy import provisioning, service
from delivery.deploy.attempt import Attempt
from delivery.deploy.site import Site
from delivery.releases import recall
from delivery.releases.history import Record
from delivery.review import admission


@dataclass(frozen=True)
class Retreat:
    """How going back went: seconds until the old versions answered, and in all."""

    alias_seconds: float
    seconds: float

    def as_json(self) -> Mapping[str, float]:
        """As a record has it."""
        return {
            "alias_seconds": round(self.alias_seconds, 3),
            "seconds": round(self.seconds, 3),
        }


def aliases_back(attempt: Attempt, record: Record) -> float:
    """Let the versions of `record` serve; returns the seconds until they answered."""
    attempt.outputs = dict(record.outputs)
    return service.back(attempt, record.versions)


def terraform_back(attempt: Attempt, wanted: Site) -> None:
    """Bring the resources to what `wanted` has, under the aliases as they are.

    Terraform publishes the old code as a new version; the one that has proven itself serves on.
    """
    asked = attempt.site
    attempt.site = wanted
    try:
        # What this attempt has made itself is no loss; it was not there before.
        made, altered = frozenset(attempt.made), frozenset(attempt.altered)
        admit = partial(admission.admit, made=made, altered=altered)
        provisioning.provision(attempt, admit=admit)
    finally:
        attempt.site = asked


def go_back(attempt: Attempt, record: Record) -> Retreat:
    """Both; the aliases before anything else is fetched or asked for.

    Raises:
        CannotRollBack: parts of that release are gone; the aliases were moved all the same.
    """
    since = time.monotonic()
    alias_seconds = aliases_back(attempt, record)
    with attempt.site.steps.step("recall"):
        wanted = recall.site_of(attempt.site, record)
    terraform_back(attempt, wanted)
    return Retreat(alias_seconds, time.monotonic() - since)
