"""Bringing an environment to this checkout: build, compare, and only if they differ, roll out.

What a deploy that changes nothing needs is all that is imported here: Terraform, the smoke
test and its cryptography come with `delivery.deploy.rollout`, when there is something to do.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from delivery import state_bucket, task_image
from delivery.checkout import Checkout
from delivery.cloud import Cloud
from delivery.deploy import lock, settings
from delivery.deploy.site import Outcome, Site
from delivery.environment import Environment
from delivery.progress import Steps
from delivery.releases import history, under_way

if TYPE_CHECKING:
    from delivery.releases.origin import Origin


@dataclass(frozen=True)
class Wish:
    """What is asked of a deploy besides where; by default, this checkout's release.

    Args:
        origin: a release from a store, instead of one of this checkout: its artifacts and its
            Terraform tree under this checkout's configuration.
        approved: the digest of the effects that were approved, as `plan` told it.
        dry_run: only make the plan; nothing is created or changed in the cloud, not even the
            state bucket.
        force: even if nothing changed since a deploy that succeeded.
        patience_seconds: how long to wait for somebody else's deploy of it to end.
    """

    origin: Origin | None = None
    approved: str = ""
    dry_run: bool = False
    force: bool = False
    patience_seconds: float = 0


def deploy(
    environment: Environment,
    cloud: Cloud,
    steps: Steps,
    wish: Wish = Wish(),
    *,
    checkout: Checkout | None = None,
) -> Outcome:
    """Bring the environment to what the checkout says, and prove that it works.

    Nothing changed since a deploy that succeeded: nothing is done (docs/adr/0005), unless
    that is the wish.

    Raises:
        BadInput: no commit holds what would be deployed, and the environment takes none such.
        PolicyViolated: the plan would do what no plan may; nothing was changed.
        NotApproved: the environment wants an approval and there is none, or one of something
            else; nothing was changed.
        DeployUnderWay: another deploy of it is running, and did not end in time.
        TerraformFailed, SyncFailed, SmokeTestFailed: the step that ended the deploy; the
            environment went back to its last good release where there is one, the record says
            so, and the error's note how it stands now.
    """
    checkout = checkout or Checkout()
    patience = wish.patience_seconds
    with lock.held(checkout.state_dir, environment.name, patience_seconds=patience) as turn:
        site = _compare(checkout, environment, cloud, steps, wish.origin)
        if _is_unchanged(site) and not wish.force:
            return _unchanged(site)
        from delivery.deploy import rollout  # noqa: PLC0415 - see the module's docstring

        site = replace(site, approved=wish.approved)
        if wish.dry_run:
            return rollout.plan(site)
        rollout.check(site)
        order = rollout.Order(turn, wish.force, patience)
        return rollout.carry_out(site, order, _is_unchanged) or _unchanged(_again(site))


def plan(
    environment: Environment,
    cloud: Cloud,
    steps: Steps,
    *,
    origin: Origin | None = None,
    patience_seconds: float = 0,
    checkout: Checkout | None = None,
) -> Outcome:
    """What a deploy would do now, with the digest that approves it; kept for that approval.

    Args:
        patience_seconds: how long to wait for a deploy of it from this checkout to end.

    Raises:
        DeployUnderWay: it did not end in time.
        TerraformFailed: Terraform cannot plan it.
    """
    from delivery.deploy import rollout  # noqa: PLC0415 - see the module's docstring

    checkout = checkout or Checkout()
    with lock.held(checkout.state_dir, environment.name, patience_seconds=patience_seconds):
        return rollout.plan(_compare(checkout, environment, cloud, steps, origin), keep=True)


def _compare(
    checkout: Checkout,
    environment: Environment,
    cloud: Cloud,
    steps: Steps,
    origin: Origin | None,
) -> Site:
    if origin is None:
        with steps.step("build"):
            built = checkout.build(environment, steps.detail)
            digests = {name: each.sha256 for name, each in built.items()}
            image = task_image.of_checkout(environment, cloud, checkout)
    else:
        with steps.step("fetch"):
            origin.require_target(environment)
            if "seconds" in origin.rehearsal:
                steps.detail(_rehearsed(origin.rehearsal))
            checkout = checkout.with_tree(_tree_of(checkout, origin))
            digests = origin.release.sha256_by_component
            image = task_image.reference(environment, cloud, origin.release.image, str)
    wanted = settings.of(environment, cloud.account_id, cloud.upstream, digests, image=image)
    with steps.step("compare"):
        bucket = state_bucket.name(environment.project, environment.name, cloud.account_id)
        previous = history.latest(cloud, bucket, environment.name)
        decisive = {
            "settings": wanted,
            "terraform": digests["terraform"],
            "cloud": [cloud.kind, cloud.account_id, cloud.region],
        }
    fingerprint = hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()
    return Site(
        checkout=checkout,
        environment=environment,
        cloud=cloud,
        steps=steps,
        settings=wanted,
        artifacts=digests,
        bucket=bucket,
        fingerprint=fingerprint,
        previous=previous,
        release=origin.named if origin else {},
        origin=origin,
    )


def _rehearsed(found: Mapping[str, Any]) -> str:
    """What one wants to know before one needs it."""
    answered, seconds = found["alias_seconds"], found["seconds"]
    return (
        f"going back was rehearsed where it stands: {answered:.1f} s until the old release"
        f" answered, {seconds:.1f} s in all"
    )


def _tree_of(checkout: Checkout, origin: Origin) -> Path:
    from delivery.releases import recall  # noqa: PLC0415 - a deploy of the checkout needs no zip

    sha256 = origin.release.sha256_by_component[recall.TREE]
    return recall.unpacked(checkout, origin.cloud, origin.bucket, sha256)


def _is_unchanged(site: Site) -> bool:
    """Whether the last deploy did the same and ended well, and nothing has begun since."""
    last = site.previous
    if last is None or last.outcome != "succeeded" or last.fingerprint != site.fingerprint:
        return False
    return not under_way.is_marked(site.cloud, site.bucket, site.environment.name)


def _again(site: Site) -> Site:
    """The site after somebody else has brought it to the same."""
    newest = history.latest(site.cloud, site.bucket, site.environment.name)
    return replace(site, previous=newest)


def _unchanged(site: Site) -> Outcome:
    last = site.previous
    assert last is not None  # noqa: S101 - _is_unchanged has looked; this tells mypy
    return site.outcome(
        "unchanged",
        number=last.number,
        outputs=last.outputs,
        sync=last.sync,
        versions=last.versions,
        rehearsal=last.rehearsal,
    )
