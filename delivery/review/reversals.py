"""What no way back may do, told before anything is moved: what goes, and what would be changed.

A plan tells that, too, but takes longer than the aliases may: they move before Terraform runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from botocore.exceptions import ClientError

from delivery.cloud import Cloud
from delivery.deploy.site import Site
from delivery.errors import CannotRollBack
from delivery.releases.history import Record
from delivery.review.plans import DENIED
from delivery.terraform import state
from delivery.terraform.plan_document import HELD_DATA, PlanDocument, ResourceChange
from delivery.terraform.state import Standing

# What holds data, watches, or keeps a bucket safe: no policy minds the end of anything else.
PROTECTED = {
    *HELD_DATA,
    "aws_cloudtrail",
    "aws_s3_bucket_public_access_block",
    "aws_s3_bucket_server_side_encryption_configuration",
    "aws_s3_bucket_versioning",
}
# Another name is another resource: what holds data under the old one goes.
NAMES = ("bucket", "name")


def noted(cloud: Cloud, bucket: str, environment: str) -> tuple[list[str], str]:
    """What a record keeps, so that a way back to it can be judged.

    Returns:
        The addresses of what stands and is protected; and S3's name of the state's version.
    """
    found, version = state.read_versioned(cloud, bucket, environment)
    return sorted(e.address for e in state.resources(found) if e.type in PROTECTED), version


def require(site: Site, target: Record) -> None:
    """Return when no policy forbids what going back would destroy, change or make again.

    Args:
        target: where to go back to; of one that was made before records told how Terraform's
            state was, only what would be destroyed is judged, and the plan's own review
            decides on the rest.

    Raises:
        CannotRollBack: one does; the message names each resource and what is wrong with it.
    """
    now = _standing(state.read(site.cloud, site.bucket, site.environment.name))
    then = _then(site, target.state_version)
    changes = tuple(_between(now, then) if then else _lost(now, target))
    if changes:
        _judge(site, target, PlanDocument(changes))


def _then(site: Site, version: str) -> Mapping[str, Standing]:
    """What stood then; empty where that was not noted, is gone, or may not be read."""
    if not version:
        return {}
    try:
        found = state.read(site.cloud, site.bucket, site.environment.name, version)
    except ClientError as error:
        if error.response["Error"]["Code"] not in DENIED:
            raise
        site.steps.detail("s3:GetObjectVersion is denied: what the plan alone tells comes later")
        return {}
    return _standing(found)


def _standing(found: Mapping[str, object]) -> Mapping[str, Standing]:
    return {each.address: each for each in state.resources(found)}


def _lost(now: Mapping[str, Standing], target: Record) -> Iterator[ResourceChange]:
    """What is protected and was not there, where all that is known is what was."""
    for address, each in now.items():
        if target.protected and each.type in PROTECTED and address not in target.protected:
            yield _change(each, None)


def _between(now: Mapping[str, Standing], then: Mapping[str, Standing]) -> Iterator[ResourceChange]:
    for address in sorted(now.keys() | then.keys()):
        yield _change(now.get(address), then.get(address))


def _change(now: Standing | None, then: Standing | None) -> ResourceChange:
    either = now or then
    assert either is not None  # noqa: S101 - one of the two has the address; this tells mypy
    return ResourceChange(
        either.address,
        either.type,
        _action(now, then),
        before=now.attributes if now else {},
        after=then.attributes if then else {},
    )


def _action(now: Standing | None, then: Standing | None) -> str:
    if now is None or then is None:
        return "create" if now is None else "delete"
    if any(now.attributes.get(name) != then.attributes.get(name) for name in NAMES):
        return "replace"
    return "none" if now.attributes == then.attributes else "update"


def _judge(site: Site, target: Record, document: PlanDocument) -> None:
    from delivery.cost import estimate  # noqa: PLC0415 - a deploy reads what was noted, no more
    from delivery.review import reviewing  # noqa: PLC0415 - as above

    environment = site.environment
    cost = estimate.estimate(document, environment.settings, environment.region)
    found = reviewing.verdict(document, environment, site.cloud, cost).findings
    if not found:
        return
    told = "".join(f"\n  {each}" for each in found)
    raise CannotRollBack(
        f"going back to deploy {target.number} would do what no plan may:{told}",
        where="Terraform's state; nothing was moved",
        remedy="do what stands beside each, accept it in deploy.exceptions with a reason, or"
        " correct the release that stands and deploy it",
    )
