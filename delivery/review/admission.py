"""The gate between plan and apply: nothing forbidden passes, and nothing that was not approved."""

from __future__ import annotations

from collections.abc import Collection

from delivery.deploy.site import Site
from delivery.errors import BadInput
from delivery.releases import history, version
from delivery.review import approval, reviewing
from delivery.review.plans import Plans
from delivery.review.reviewing import Review
from delivery.terraform.running import Plan

REFUSED = "refused"


def look(site: Site, found: Plan) -> Review:
    """What the plan does, may and costs; nothing is decided."""
    with site.steps.step("review"):
        review = reviewing.review(
            found.document(),
            site.environment,
            site.cloud,
            settings=site.settings,
            release=site.artifacts,
            bucket=site.bucket,
        )
        count = len(review.verdict.findings)
        site.steps.detail(f"{count} policies violated" if count else "nothing forbidden")
    return review


def admit(
    site: Site, found: Plan, made: Collection[str] = (), altered: Collection[str] = ()
) -> Review:
    """Let a plan pass that violates no policy: what goes back to a release needs no more.

    Args:
        made, altered: addresses that the same attempt has made, and may take away again, or has
            changed, and may change back.

    Raises:
        PolicyViolated: it does; every violation is named.
    """
    review = look(site, found)
    review.admit(made, altered)
    return review


def admit_approved(site: Site, found: Plan) -> Review:
    """Let a plan pass that violates no policy and, where that is required, was approved.

    Raises:
        PolicyViolated: see `admit`.
        NotApproved: it was not, or not this one; the differences are named.
    """
    review = admit(site, found)
    approval.demand(
        review.effects,
        plans_of(site),
        approved=site.approved,
        required=is_required(site),
        history=history.newest_first(site.cloud, site.bucket, site.environment.name),
    )
    return review


def is_uncommitted(site: Site) -> bool:
    """Whether what would be deployed has changes that are in no commit, where none may have."""
    if site.environment.settings["deploy"]["uncommitted"] != REFUSED:
        return False
    if site.origin is not None:
        return site.origin.release.dirty
    return version.describe(site.checkout.repository).dirty


def require_commit(site: Site) -> None:
    """Refuse what no commit holds, where the environment does.

    Raises:
        BadInput: it does; nothing was done.
    """
    if not is_uncommitted(site):
        return
    name = site.environment.name
    if site.origin is not None:
        told = f"release {site.origin.release.short_id} was made with changes"
        remedy = "commit them and deploy that where it was tried; then take it from there"
    else:
        told = "this checkout has changes"
        remedy = "commit them (`git status` names them) and run it again"
    raise BadInput(
        f'{told} that are in no commit, and "{name}" takes none such: nobody could make it again',
        where="deploy.uncommitted in config/airbrew.yaml",
        remedy=f"{remedy}; or, knowing that, set deploy.uncommitted: allowed for {name}",
    )


def is_required(site: Site) -> bool:
    """Whether the environment applies nothing that was not approved."""
    return bool(site.environment.settings["deploy"]["approval"] == approval.REQUIRED)


def plans_of(site: Site) -> Plans:
    """Where the environment's effects await approval."""
    return Plans(site.cloud, site.bucket, site.checkout.state_dir / "plans")
