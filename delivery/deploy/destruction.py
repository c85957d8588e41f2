"""Taking an environment down: the machinery always, the data only when told to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from delivery import state_bucket
from delivery.checkout import Checkout
from delivery.cloud import Cloud
from delivery.config import rendering
from delivery.deploy import kept, lease, lock, provisioning, settings
from delivery.deploy.lease import Asked, Lease
from delivery.deploy.site import require_deployed
from delivery.environment import Environment
from delivery.errors import LeaseLost, in_words
from delivery.mirror import content
from delivery.progress import Steps
from delivery.releases import history, under_way
from delivery.releases.history import Record
from delivery.terraform import state

# What holds data; everything else can be made anew in a minute. Of what watches, the trail's bucket
# stays with all that makes it safe: it tells who did what, this destroy included.
DATA_MODULE = "module.airbrew.module.storage"
TRAIL_BUCKET = "module.airbrew.module.monitoring[0].aws_s3_bucket"
KINDS = ("", "_policy", "_public_access_block", "_server_side_encryption_configuration")
KEPT = (DATA_MODULE, *(f"{TRAIL_BUCKET}{kind}" for kind in (*KINDS, "_versioning")))


@dataclass(frozen=True)
class Destruction:
    """What was taken down, and what was kept on purpose; of a dry run, what would be.

    Args:
        destroyed: addresses of resources.
        objects_deleted: objects and their older versions.
    """

    environment: str
    destroyed: tuple[str, ...]
    kept: tuple[str, ...]
    objects_deleted: int
    dry_run: bool = False


def preview(environment: Environment, cloud: Cloud, *, delete_data: bool) -> Destruction:
    """What `destroy` would do, by Terraform's state; nothing is changed, no lease is taken.

    Raises:
        BadInput: nothing is deployed there.
    """
    bucket = state_bucket.name(environment.project, environment.name, cloud.account_id)
    newest = require_deployed(environment, cloud, bucket)
    place = _Place(environment, cloud, bucket, newest, delete_data)
    keep = () if delete_data else KEPT
    stands = (each.address for each in state.resources(state.read(cloud, bucket, environment.name)))
    return Destruction(
        environment.name,
        tuple(each for each in stands if not state.is_under(each, keep)),
        tuple(place.kept()),
        sum(content.versions(cloud, each) for each in place.doomed_buckets),
        dry_run=True,
    )


def destroy(
    environment: Environment,
    cloud: Cloud,
    steps: Steps,
    *,
    delete_data: bool,
    patience_seconds: float = 0,
    checkout: Checkout | None = None,
) -> Destruction:
    """Destroy what Terraform made; the mirror's bucket only with `delete_data`.

    The state bucket stays in any case: it holds the history, and Terraform's state, by which
    a later deploy takes a bucket that was kept into its care again. So does what no deploy
    made: images, secrets, GitHub's roles. Whatever stays is named.

    Raises:
        BadInput: nothing is deployed there.
        ToolMissing: there is no Terraform; nothing was changed, no bucket was emptied.
        TerraformFailed: Terraform could not; it is recorded, and can be run again.
    """
    checkout = checkout or Checkout()
    with lock.held(checkout.state_dir, environment.name, patience_seconds=patience_seconds) as turn:
        bucket = state_bucket.name(environment.project, environment.name, cloud.account_id)
        require_deployed(environment, cloud, bucket)
        provisioning.require_terraform(checkout, cloud)
        asked = Asked(environment.name, "destroy", turn.token, turn.before, patience_seconds)
        with lease.held(cloud, bucket, asked, steps) as held:
            # Somebody else's by now, if we had to wait.
            previous = require_deployed(environment, cloud, bucket)
            return _take_down(
                _Site(environment, cloud, bucket, previous, delete_data, checkout, steps, held)
            )


@dataclass(frozen=True)
class _Place:
    environment: Environment
    cloud: Cloud
    bucket: str
    previous: Record
    delete_data: bool

    @property
    def mirror(self) -> str:
        """The mirror's bucket: as last deployed, else as configured, if it is there; else empty."""
        deployed = self.previous.outputs.get("mirror_bucket")
        name = str(deployed or self.environment.bucket_name(self.cloud.account_id))
        return name if state_bucket.exists(self.cloud, name) else ""

    @property
    def trail(self) -> str:
        """The bucket of who did what; empty where there is none."""
        name = self.environment.trail_bucket_name(self.cloud.account_id)
        return name if state_bucket.exists(self.cloud, name) else ""

    @property
    def doomed_buckets(self) -> list[str]:
        """Those that are emptied first."""
        return [each for each in (self.mirror, self.trail) if each and self.delete_data]

    def kept(self) -> Iterator[str]:
        """What stays, and what it is."""
        if not self.delete_data and (mirror := self.mirror):
            yield f"s3://{mirror} (the mirror: bottles, snapshots)"
        if not self.delete_data and (trail := self.trail):
            yield f"s3://{trail} (the trail: who did what)"
        yield from kept.beside_terraform(self.environment, self.cloud, self.bucket)


@dataclass(frozen=True)
class _Site(_Place):
    checkout: Checkout
    steps: Steps
    lease: Lease

    def record(self, outcome: str, **more: Any) -> None:
        record = Record(
            number=history.next_number(self.previous),
            environment=self.environment.name,
            outcome=outcome,
            fingerprint="",
            at=history.now(),
            seconds=dict(self.steps.seconds),
            artifacts=self.previous.artifacts,
            kind="destroy",
            by=self.lease.by,
            lease=self.lease.number,
            **more,
        )
        history.append(self.cloud, self.bucket, record)


def _take_down(site: _Site) -> Destruction:
    name, left = site.environment.name, tuple(site.kept())
    try:
        with site.steps.step("mark"):
            _mark(site)
        deleted = sum(_empty(site, each) for each in site.doomed_buckets)
        doomed = _destroy(site)
        with site.steps.step("record"):
            site.lease.check()
            site.record("destroyed")
            under_way.clear(site.cloud, site.bucket, site.environment.name)
    # Whatever it is, Ctrl-C included, the next deploy and `inv status` have to know.
    except BaseException as error:
        error.add_note(f"what was not destroyed stands; go on: inv destroy --env {name}")
        if not isinstance(error, LeaseLost):
            problem = f"{site.steps.current}: {in_words(error)}"
            site.record(
                "failed",
                outputs=site.previous.outputs,
                versions=site.previous.versions,
                error=problem,
            )
        raise
    return Destruction(site.environment.name, tuple(doomed), left, deleted)


def _mark(site: _Site) -> None:
    site.lease.check()
    under_way.mark(
        site.cloud, site.bucket, site.environment.name, kind="destroy", lease=site.lease.number
    )


def _empty(site: _Site, bucket: str) -> int:
    with site.steps.step("empty"):
        site.lease.check()
        deleted = content.empty(site.cloud, bucket)
        site.steps.detail(f"{deleted} objects of s3://{bucket}")
    return deleted


def _destroy(site: _Site) -> list[str]:
    with site.steps.step("destroy"):
        _write_settings(site)
        site.lease.check()
        terraform = provisioning.workspace(site.checkout, site.environment, site.cloud, site.bucket)
        keep = () if site.delete_data else KEPT
        return terraform.destroy(keep=keep, report=site.steps.detail)


def _write_settings(site: _Site) -> None:
    """Terraform wants its variables to destroy, too, and this may be another checkout's deploy."""
    wanted = settings.of(
        site.environment, site.cloud.account_id, site.cloud.upstream, site.previous.artifacts
    )
    rendering.write(site.checkout.settings_file(site.environment), wanted)
