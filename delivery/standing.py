"""How an environment stands: what is deployed, what the mirror holds, how the last sync went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from delivery import state_bucket
from delivery.cloud import Cloud
from delivery.deploy import lease
from delivery.environment import Environment
from delivery.errors import BadInput
from delivery.mirror import content, executions
from delivery.mirror.content import Snapshot
from delivery.mirror.executions import ExecutionSummary
from delivery.releases import history, last_drift, under_way
from delivery.releases.history import Record


@dataclass(frozen=True)
class Standing:
    """An environment as `inv status` shows it; what is not there yet is None.

    `record` is the newest, `in_service` the newest that succeeded; `drift` is what the last
    look for drift noted; `is_under_way` says that a deploy began and has not come to its record,
    and `changed_by` who is at it, as `lease.holder` tells.
    """

    environment: str
    cloud: str
    account_id: str
    record: Record | None
    snapshot: Snapshot | None
    snapshot_age_seconds: float | None
    last_sync: ExecutionSummary | None
    public_url: str | None
    channels: Mapping[str, str] = field(default_factory=dict)
    in_service: Record | None = None
    is_under_way: bool = False
    changed_by: Mapping[str, Any] | None = None
    drift: Mapping[str, Any] | None = None


def of(environment: Environment, cloud: Cloud) -> Standing:
    """Look at the environment; nothing is changed."""
    bucket = state_bucket.name(environment.project, environment.name, cloud.account_id)
    record = history.latest(cloud, bucket, environment.name)
    outputs = record.outputs if record is not None else {}
    snapshot = last_sync = None
    channels: Mapping[str, str] = {}
    # Also before there is a record: the first deploy may take a minute.
    marked = under_way.is_marked(cloud, bucket, environment.name)
    more: dict[str, Any] = {
        "is_under_way": marked,
        "changed_by": lease.holder(cloud, bucket, environment.name) if marked else None,
    }
    if record is not None:
        more |= {
            "in_service": _in_service(record, cloud, bucket),
            "drift": last_drift.read(cloud, bucket, environment.name),
        }
    if outputs:
        snapshot = content.latest_snapshot(cloud, outputs["mirror_bucket"])
        channels = content.channels(cloud, outputs["mirror_bucket"])
        last_sync = executions.latest(cloud, outputs["state_machine_arn"])
    return Standing(
        environment=environment.name,
        cloud=cloud.describe(),
        account_id=cloud.account_id,
        record=record,
        snapshot=snapshot,
        snapshot_age_seconds=snapshot.age_seconds() if snapshot else None,
        last_sync=last_sync,
        public_url=environment.settings["mirror"]["public_url"],
        channels=channels,
        **more,
    )


def deployed(environment: Environment, cloud: Cloud) -> Mapping[str, Any]:
    """What Terraform put out when the environment was last deployed.

    Raises:
        BadInput: nothing is deployed there.
    """
    record = _record(environment, cloud)
    if record is None or not record.outputs:
        raise BadInput(
            f'nothing is deployed in "{environment.name}"',
            where=cloud.describe(),
            remedy=f"inv deploy --env {environment.name}",
        )
    return record.outputs


def _in_service(newest: Record, cloud: Cloud, bucket: str) -> Record | None:
    if newest.outcome == "succeeded":  # As nearly always; no other record is read then.
        return newest
    records = history.newest_first(cloud, bucket, newest.environment)
    return next(iter(history.good(records)), None)


def _record(environment: Environment, cloud: Cloud) -> Record | None:
    bucket = state_bucket.name(environment.project, environment.name, cloud.account_id)
    return history.latest(cloud, bucket, environment.name)
