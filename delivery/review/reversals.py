"""What an earlier release does not know of and must not take away, told before anything is moved.

A plan tells that, too, but takes longer than the aliases may: they move before Terraform runs.
"""

from __future__ import annotations

from delivery.cloud import Cloud
from delivery.deploy.site import Site
from delivery.errors import CannotRollBack
from delivery.releases.history import Record
from delivery.terraform import state
from delivery.terraform.plan_document import HELD_DATA, PlanDocument, ResourceChange

# What holds data, watches, or keeps a bucket safe: no policy minds the end of anything else.
PROTECTED = {
    *HELD_DATA,
    "aws_cloudtrail",
    "aws_s3_bucket_public_access_block",
    "aws_s3_bucket_server_side_encryption_configuration",
    "aws_s3_bucket_versioning",
}


def protected(cloud: Cloud, bucket: str, environment: str) -> list[str]:
    """The addresses of what stands and is protected, as a record keeps them."""
    found = state.resources(state.read(cloud, bucket, environment))
    return sorted(each.address for each in found if each.type in PROTECTED)


def require(site: Site, target: Record) -> None:
    """Return when no policy keeps what was made since from being destroyed.

    Args:
        target: where to go back to; of one that was made before records told what they protect,
            nothing is known, and the plan's own review decides.

    Raises:
        CannotRollBack: one does; the message names each resource and what it holds.
    """
    if not target.protected:
        return
    stands = state.resources(state.read(site.cloud, site.bucket, site.environment.name))
    guarded = [each for each in stands if each.type in PROTECTED]
    lost = [each for each in guarded if each.address not in target.protected]
    if lost:
        _judge(site, target, lost)


def _judge(site: Site, target: Record, lost: list[state.Standing]) -> None:
    from delivery.review import reviewing  # noqa: PLC0415 - nothing is lost by most rollbacks

    doomed = [
        ResourceChange(each.address, each.type, "delete", before=each.attributes) for each in lost
    ]
    found = reviewing.verdict(PlanDocument(tuple(doomed)), site.environment, site.cloud).findings
    if not found:
        return
    told = "".join(f"\n  {each}" for each in found)
    raise CannotRollBack(
        f"the release of deploy {target.number} knows nothing of what was made since, and to go"
        f" back would destroy it:{told}",
        where="Terraform's state; nothing was moved",
        remedy="do what stands beside each, accept it in deploy.exceptions with a reason, or"
        " correct the release that stands and deploy it",
    )
