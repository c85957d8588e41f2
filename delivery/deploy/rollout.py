"""A deploy that changes something, from the lease to the record; undone where it fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from delivery import state_bucket
from delivery.deploy import (
    aliases,
    custody,
    health,
    provisioning,
    rehearsal,
    service,
    supplies,
    trial,
    undoing,
)
from delivery.deploy.attempt import Attempt
from delivery.deploy.lock import Turn
from delivery.deploy.site import Outcome, Site
from delivery.releases import history, recall
from delivery.releases.history import Record
from delivery.review import admission, approval
from delivery.terraform.running import Plan


@dataclass(frozen=True)
class Order:
    """How a deploy is to be carried out.

    Args:
        turn: this process's turn in this checkout.
        force: even if somebody else has done the same meanwhile.
        patience_seconds: how long to wait for somebody else's deploy to end.
    """

    turn: Turn
    force: bool = False
    patience_seconds: float = 0


def plan(site: Site, *, keep: bool = False) -> Outcome:
    """What `carry_out` would do; nothing is created or changed in the cloud.

    Args:
        keep: whether to keep the effects where an approval of them is looked up.
    """
    if state_bucket.exists(site.cloud, site.bucket):
        return _looked_at(site, provisioning.planned(site), keep=keep)
    with provisioning.first_plan(site) as found:
        return _looked_at(site, found, keep=keep)


def _looked_at(site: Site, found: Plan, *, keep: bool) -> Outcome:
    site = supplies.named(site)
    review = admission.look(site, found)
    told = review.as_json() | {"uncommitted_refused": admission.is_uncommitted(site)}
    if keep:
        told["kept"] = admission.plans_of(site).keep(review.effects)
    return site.outcome(
        "planned",
        number=site.number,
        changes=found.counts,
        change_lines=found.lines,
        review=told,
    )


def check(site: Site) -> None:
    """Refuse, before anything is begun, what could only be refused later.

    Raises:
        BadInput: what was approved is no digest; or no commit holds what would be deployed, and
            the environment takes none such.
        NotApproved: nothing was approved although it must be; the message tells the digest.
    """
    approval.check_form(site.approved)
    admission.require_commit(site)
    if admission.is_required(site) and not site.approved:
        raise approval.nothing_approved(
            site.environment.name, plan(site, keep=True).review["digest"]
        )


def carry_out(site: Site, order: Order, is_unchanged: Callable[[Site], bool]) -> Outcome | None:
    """Do it and record how it ended; a failure and Ctrl-C are undone, recorded, then raised on.

    Args:
        is_unchanged: asked again once nobody else can change the environment any more.

    Returns:
        None when somebody else did the same while this waited for the lease.

    Raises:
        ToolMissing: there is no Terraform; nothing was changed, no bucket was made.
    """
    with site.steps.step("bootstrap"):
        provisioning.require_terraform(site.checkout, site.cloud)
        if state_bucket.ensure(site.cloud, site.bucket):
            site.steps.detail(f"created s3://{site.bucket}")
    with custody.leased(site, order.turn, "deploy", order.patience_seconds) as (newest, held):
        if is_unchanged(newest) and not order.force:
            return None
        attempt = Attempt.of(newest, held)
        with custody.recorded(attempt, undoing.undo):
            return _deliver(attempt, order)


def _deliver(attempt: Attempt, order: Order) -> Outcome:
    site = attempt.site
    earlier = _earlier(site)
    attempt.versions = dict(aliases.in_service(site.cloud, aliases.functions(attempt.outputs)))
    with site.steps.step("upload"):
        attempt.site = site = supplies.bring(site)
    # What was approved was planned by what is there, not by what the state says of it.
    asked = order.force or bool(site.approved) or admission.is_required(site)
    if not asked and _is_code_only(site, earlier):
        provisioning.provision_code(attempt)
    else:
        provisioning.provision(attempt, admit=admission.admit_approved)
    trial.try_new(attempt)
    service.forward(attempt)
    health.check(attempt)
    if earlier is not None and site.environment.settings["deploy"]["rehearse_rollback"]:
        rehearsal.rehearse(attempt, earlier)
    custody.record_success(attempt)
    return attempt.outcome("deployed")


def _earlier(site: Site) -> Record | None:
    """What one would go back to; None where nothing good stands."""
    records = history.newest_first(site.cloud, site.bucket, site.environment.name)
    return next((record for record in history.good(records) if record.versions), None)


def _is_code_only(site: Site, earlier: Record | None) -> bool:
    """Whether only artifacts differ from a deploy that ended well, and nothing came since.

    Then what Terraform's state says holds, and AWS need not be asked about every resource.
    """
    if earlier is None or site.previous is None or earlier.number != site.previous.number:
        return False
    if earlier.artifacts.get(recall.TREE) != site.artifacts.get(recall.TREE):
        return False
    before = recall.settings_of(site.cloud, site.bucket, earlier)
    return _without_artifacts(before) == _without_artifacts(site.settings)


def _without_artifacts(settings: object) -> object:
    assert isinstance(settings, dict)  # noqa: S101 - settings are; this tells mypy
    return {name: value for name, value in settings.items() if name != "artifacts"}
