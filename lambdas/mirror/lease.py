"""One sync at a time: a document that expires, changed by conditional writes only."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from mirror import keys
from mirror.bucket import Bucket
from mirror.errors import SyncUnderWay

# The longest step is a Lambda's 15 minutes; 15 more for retries between two steps.
LASTS = timedelta(minutes=30)
# Each batch renews; a thousand of them need not all write.
RENEW_BELOW = timedelta(minutes=25)

# What moves a few pointers ends well within.
HANDOVER = timedelta(minutes=5)

# Begins the holder's name while the clock moves what has soaked.
SOAK = "soak"
# A minute in all: such a move copies a few API files for each channel.
WAITS, WAIT_SECONDS = 12, 5.0

IsRunning = Callable[[str], bool]
"""Whether an execution, given by its ARN, is still running."""


@dataclass(frozen=True)
class Lease:
    """Who is syncing, until when."""

    sync: str
    execution: str
    expires_at: datetime

    def as_json(self) -> dict[str, Any]:
        """``{"sync", "execution", "expires_at"}``, the time as ``2026-11-22T03:30:00Z``."""
        expires_at = self.expires_at.isoformat().replace("+00:00", "Z")
        return {"sync": self.sync, "execution": self.execution, "expires_at": expires_at}


def acquire(
    bucket: Bucket,
    execution: str,
    is_running: IsRunning,
    now: datetime,
    lasts: timedelta = LASTS,
) -> str:
    """The id of the sync that this execution may do; the same one if it asks again.

    A lease that has expired, or whose execution has ended without releasing it, is taken over.

    Args:
        execution: its ARN, or what else holds the lease (`held`).

    Raises:
        SyncUnderWay: another execution holds it.
    """
    held, etag = _read(bucket)
    if held and held.execution != execution and _is_alive(held, is_running, now):
        raise _taken(bucket, held)
    sync = held.sync if held and held.execution == execution else _next_id(held, now)
    _write(bucket, Lease(sync, execution, now + lasts), etag)
    return sync


def take(bucket: Bucket, sync: str, holder: str, is_running: IsRunning, now: datetime) -> str:
    """Hold the lease for a sync whose id is given: an import brings its own.

    Args:
        holder: who asks, in place of an execution's ARN; asking again is allowed.

    Returns:
        The id that the lease had before, or one for now: for `release`, when nothing comes of it.

    Raises:
        SyncUnderWay: someone else holds it.
    """
    held, etag = _read(bucket)
    if held and held.execution != holder and _is_alive(held, is_running, now):
        raise _taken(bucket, held)
    _write(bucket, Lease(sync, holder, now + LASTS), etag)
    return held.sync if held and held.execution != holder else keys.sync_id(now)


@contextlib.contextmanager
def held(
    bucket: Bucket, holder: str, is_running: IsRunning, now: datetime, lasts: timedelta
) -> Iterator[str]:
    """Keep syncs away while something else changes what is served or kept.

    Args:
        holder: what is done, and something that tells this call from any other.
        lasts: longer than the body can take.

    Raises:
        SyncUnderWay: a sync, or another such call, holds the lease.
    """
    sync = acquire(bucket, holder, is_running, now, lasts)
    try:
        yield sync
    finally:
        release(bucket, holder, datetime.now(UTC))


def outlasting_soaks(
    bucket: Bucket, act: Callable[[], dict[str, Any]], pause: Callable[[float], None]
) -> dict[str, Any]:
    """Do what needs the lease, again while nothing but a soaked snapshot's move is in its way.

    The clock starts such a move without anybody having asked; a sync must not fail for it.

    Args:
        act: may be called again when it raised `SyncUnderWay`.

    Raises:
        SyncUnderWay: something else holds the lease, or the move never ends.
    """
    for _ in range(WAITS):
        try:
            return act()
        except SyncUnderWay:
            found, _ = _read(bucket)
            if found is None or not found.execution.startswith(f"{SOAK} "):
                raise
        pause(WAIT_SECONDS)
    return act()


def is_held_by(bucket: Bucket, execution: str, now: datetime) -> bool:
    """Whether this execution holds the lease, and will for a while."""
    found, _ = _read(bucket)
    return found is not None and found.execution == execution and found.expires_at - now > HANDOVER


def renew(bucket: Bucket, sync: str, now: datetime) -> None:
    """Hold the lease for longer, unless it lasts long enough already.

    Raises:
        SyncUnderWay: another sync has taken it over.
    """
    held, etag = _read(bucket)
    if held is None or held.sync != sync:
        raise _taken(bucket, held)
    if held.expires_at - now > RENEW_BELOW:
        return
    longer = Lease(sync, held.execution, now + LASTS)
    if bucket.replace(keys.LEASE, longer.as_json(), etag):
        return
    # Another batch of the same sync may have renewed it in between.
    held, _ = _read(bucket)
    if held is None or held.sync != sync:
        raise _taken(bucket, held)


def release(bucket: Bucket, execution: str, now: datetime, sync: str = "") -> str | None:
    """Give the lease back, if this execution holds it.

    The document stays, expired, so that the next sync's id is later than this one's.

    Args:
        sync: the id that it is left with; by default that of the execution's sync.

    Returns:
        The id of the execution's sync; None when it holds no lease.
    """
    held, etag = _read(bucket)
    if held is None or held.execution != execution:
        return None
    # Lost to someone who took it over: then it is not ours to give back.
    bucket.replace(keys.LEASE, Lease(sync or held.sync, execution, now).as_json(), etag)
    return held.sync


def _read(bucket: Bucket) -> tuple[Lease | None, str | None]:
    found = bucket.find_version(keys.LEASE)
    if found is None:
        return None, None
    body, etag = found
    try:
        return _parsed(json.loads(body)), etag
    except (KeyError, TypeError, ValueError):  # Not written by us: nobody holds it.
        return None, etag


def _write(bucket: Bucket, lease: Lease, etag: str | None) -> None:
    if bucket.replace(keys.LEASE, lease.as_json(), etag):
        return
    # S3 refuses the SDK's second try, too, when the answer to the first was lost: then it is ours.
    held, _ = _read(bucket)
    if held is None or (held.sync, held.execution) != (lease.sync, lease.execution):
        raise _taken(bucket, held)


def _parsed(document: Mapping[str, Any]) -> Lease | None:
    if not keys.is_sync_id(document["sync"]):
        return None
    expires_at = datetime.fromisoformat(document["expires_at"].replace("Z", "+00:00"))
    return Lease(document["sync"], document["execution"], expires_at.astimezone(UTC))


def _is_alive(held: Lease, is_running: IsRunning, now: datetime) -> bool:
    return held.expires_at > now and is_running(held.execution)


def _next_id(held: Lease | None, now: datetime) -> str:
    """The id for now, and never that of an earlier sync: two within a second share no folder."""
    if held is None:
        return keys.sync_id(now)
    return max(keys.sync_id(now), keys.sync_id(keys.moment(held.sync) + timedelta(seconds=1)))


def _taken(bucket: Bucket, held: Lease | None) -> SyncUnderWay:
    who = f'"{held.sync}" of {held.execution}' if held else "another one"
    until = f", until {held.as_json()['expires_at']}" if held else ""
    return SyncUnderWay(
        f"the lease belongs to the sync {who}{until}",
        where=bucket.where(keys.LEASE),
        remedy="wait for that sync to end (`inv status`), then run `inv mirror.sync`",
    )
