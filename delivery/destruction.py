"""Taking an environment down: the machinery always, the data only when told to."""

from __future__ import annotations

from dataclasses import dataclass

from delivery import content, deployment, lock, state_bucket
from delivery.cloud import Cloud
from delivery.environment import Environment
from delivery.errors import BadInput
from delivery.paths import STATE_DIR
from delivery.progress import Steps
from delivery.releases import history
from delivery.releases.history import Record

# The module that holds data; everything else can be made anew in a minute.
DATA_MODULE = "module.airbrew.module.storage"


@dataclass(frozen=True)
class Destruction:
    """What was taken down, and what was kept on purpose."""

    environment: str
    destroyed: tuple[str, ...]
    kept: tuple[str, ...]
    objects_deleted: int


def destroy(
    environment: Environment, cloud: Cloud, steps: Steps, *, delete_data: bool
) -> Destruction:
    """Destroy what Terraform made; the mirror's bucket only with `delete_data`.

    The state bucket stays in any case: it holds the history of what was deployed.

    Raises:
        BadInput: nothing is deployed there.
        TerraformFailed: Terraform could not; run it again.
    """
    with lock.held(STATE_DIR, environment.name):
        bucket = state_bucket.name(environment.project, environment.name, cloud.account_id)
        previous = history.latest(cloud, bucket, environment.name)
        if previous is None:
            raise BadInput(
                f'nothing was ever deployed in "{environment.name}"',
                where=cloud.describe(),
                remedy=f"inv deploy --env {environment.name}",
            )
        return _take_down(environment, cloud, steps, bucket, previous, delete_data)


def _take_down(
    environment: Environment,
    cloud: Cloud,
    steps: Steps,
    bucket: str,
    previous: Record,
    delete_data: bool,
) -> Destruction:
    mirror = str(previous.outputs.get("mirror_bucket", ""))
    deleted = 0
    if delete_data and mirror:
        with steps.step("empty"):
            deleted = content.empty(cloud, mirror)
            steps.detail(f"{deleted} objects of s3://{mirror}")
    with steps.step("destroy"):
        terraform = deployment.workspace(environment, cloud, bucket)
        doomed = terraform.destroy(keep=() if delete_data else (DATA_MODULE,), report=steps.detail)
    with steps.step("record"):
        history.append(cloud, bucket, _record(environment, previous, steps))
    kept = [f"s3://{bucket} (Terraform's state and the history)"]
    if mirror and not delete_data:
        kept.insert(0, f"s3://{mirror} (the mirror: bottles, snapshots)")
    return Destruction(environment.name, tuple(doomed), tuple(kept), deleted)


def _record(environment: Environment, previous: Record, steps: Steps) -> Record:
    return Record(
        number=history.next_number(previous),
        environment=environment.name,
        outcome="destroyed",
        fingerprint="",
        at=history.now(),
        seconds=dict(steps.seconds),
    )
