"""Canary, pilot, stable: who gets which snapshot when, by a sync, by soaking or by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from mirror import keys, pointers, snapshots, telemetry
from mirror.bucket import Bucket
from mirror.connections import Connections
from mirror.errors import DamagedRecord, IncompleteSnapshot, UnknownChannel, UnknownSnapshot
from mirror.pointers import Pointer
from mirror.settings import Channels
from mirror.snapshots import Document


@dataclass(frozen=True)
class Moved:
    """A move of one channel; `files` are the API files that were, or would be, written."""

    channel: str
    snapshot: str
    was: str | None
    files: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """As docs/reference/state-machine.md has it."""
        return vars(self) | {"files": list(self.files)}


def advance(
    connections: Connections, newest: Document, inventory: Mapping[str, int], now: datetime
) -> list[Moved]:
    """After a publish: the newest snapshot enters, what has soaked goes on, ``api/`` follows.

    A channel that has nothing yet gets the newest, whatever its place: serving nothing helps
    nobody. The caller holds the lease and knows `newest` to be complete.

    Args:
        inventory: key → bytes of everything below ``v2/``, as it was before this publish.
    """
    bucket, configured = connections.bucket, connections.settings.channels
    moved: list[Moved] = []
    for number, name in enumerate(configured.names):
        pointer = pointers.read(bucket, name)
        if number == 0 or pointer.snapshot is None:
            target, by = newest["id"], pointers.BY_SYNC
        else:
            earlier = pointers.read(bucket, configured.names[number - 1])
            target, by = soaked(earlier, configured.soak_hours, now), pointers.BY_SOAK
        if target is not None and _may_move(pointer, target):
            document = newest if target == newest["id"] else _sound(bucket, target, inventory)
            moved += _moved(bucket, pointer, document, by, now)
    return [*moved, *_follow(bucket, configured, newest, now)]


def due(connections: Connections, now: datetime) -> bool:
    """Whether `go_on` would move anything; reads the pointers alone."""
    bucket, configured = connections.bucket, connections.settings.channels
    return any(_due(bucket, configured, now)) or _lags(bucket, configured)


def go_on(connections: Connections, now: datetime) -> list[Moved]:
    """Between syncs: what has soaked goes on, and ``api/`` follows; nothing enters.

    Neither a sync that fails nor an upstream without news keeps a snapshot back. The caller
    holds the lease.
    """
    bucket, configured = connections.bucket, connections.settings.channels
    inventory = bucket.sizes(keys.V2)
    moved: list[Moved] = []
    for pointer, target in _due(bucket, configured, now):
        document = _sound(bucket, target, inventory)
        moved += _moved(bucket, pointer, document, pointers.BY_SOAK, now)
    return [*moved, *(_follow(bucket, configured, None, now) if _lags(bucket, configured) else [])]


def soaked(pointer: Pointer, soak_hours: int, now: datetime) -> str | None:
    """The newest snapshot that has been in the channel for long enough.

    A newer one that replaced it meanwhile does not send it back to the start; else a channel
    that gets a snapshot each night would never have any soak for two days.
    """
    since = now - timedelta(hours=soak_hours)
    return max((each.snapshot for each in pointer.stays if each.since <= since), default=None)


def promote(
    connections: Connections, channel: str, snapshot: str, now: datetime, *, dry_run: bool
) -> list[Moved]:
    """Let a channel serve a newer snapshot, by hand; ``api/`` goes along if it follows.

    Args:
        channel: ``default`` for ``api/``, where that follows no channel: takes a rollback back.
        snapshot: its id; empty: what the channel before this one serves, or the newest for
            the first.

    Raises:
        UnknownChannel: there is no such channel.
        UnknownSnapshot: there is no such snapshot, or it is older than what is served.
        IncompleteSnapshot: bottles of it are gone.
    """
    bucket, configured = connections.bucket, connections.settings.channels
    by_itself = () if configured.followed else (keys.DEFAULT_CHANNEL,)
    if channel not in (*by_itself, *configured.names):
        raise _unknown(channel, configured)
    pointer = pointers.read(bucket, channel)
    document = snapshots.read(bucket, snapshot or _next_for(bucket, configured, channel))
    if pointer.snapshot is not None and document["id"] < pointer.snapshot:
        raise UnknownSnapshot(
            f'{document["id"]} is older than {pointer.snapshot}, which "{channel}" serves',
            where=bucket.where(keys.pointer(channel)),
            remedy=f"inv mirror.rollback --channel {channel} --to {document['id']}",
        )
    return _by_hand(connections, pointer, document, pointers.BY_HAND, now, dry_run=dry_run)


def rollback(
    connections: Connections, channel: str, snapshot: str, now: datetime, *, dry_run: bool
) -> list[Moved]:
    """Let a channel serve an older snapshot again; newer ones up to now do not come back.

    Only a snapshot that is newer than all that were taken back moves the channel by itself.

    Args:
        channel: ``default`` for ``api/``.

    Raises:
        UnknownChannel, UnknownSnapshot, IncompleteSnapshot: as `promote`.
    """
    bucket, configured = connections.bucket, connections.settings.channels
    if channel not in (keys.DEFAULT_CHANNEL, *configured.names):
        raise _unknown(channel, configured)
    pointer = pointers.read(bucket, channel)
    document = snapshots.read(bucket, snapshot)
    served = max(pointer.snapshot or "", pointer.moving_to or "") or document["id"]
    if document["id"] > served:
        raise UnknownSnapshot(
            f'{document["id"]} is newer than {served}, which "{channel}" serves',
            where=bucket.where(keys.pointer(channel)),
            remedy="choose an older one that `inv mirror.snapshots` lists, or `inv mirror.promote`",
        )
    return _by_hand(connections, pointer, document, pointers.BY_ROLLBACK, now, dry_run=dry_run)


def _by_hand(
    connections: Connections,
    pointer: Pointer,
    document: Document,
    by: str,
    now: datetime,
    *,
    dry_run: bool,
) -> list[Moved]:
    bucket, followed = connections.bucket, connections.settings.channels.followed
    snapshots.check_complete(bucket, document, bucket.sizes(keys.V2))
    names = [pointer.channel, *([keys.DEFAULT_CHANNEL] if followed == pointer.channel else [])]
    moved = []
    for name in names:
        was = pointers.read(bucket, name).snapshot
        act = pointers.differing if dry_run else _mover(by, now)
        moved.append(Moved(name, document["id"], was, tuple(act(bucket, name, document))))
    if not dry_run:
        _tell(moved, by)
    return moved


def _mover(by: str, now: datetime) -> Any:
    return lambda bucket, name, document: pointers.move(
        bucket, pointers.read(bucket, name), document, by, now
    )


def _next_for(bucket: Bucket, configured: Channels, channel: str) -> str:
    """What promoting without an id means."""
    if channel in configured.names[1:]:
        before = configured.names[configured.names.index(channel) - 1]
        return pointers.read(bucket, before).snapshot or ""
    newest = snapshots.newest(bucket)
    return newest.id if newest else ""


def _due(bucket: Bucket, configured: Channels, now: datetime) -> Iterator[tuple[Pointer, str]]:
    """The channels that serve something, each with the snapshot that has soaked before it."""
    for before, name in pairwise(configured.names):
        pointer = pointers.read(bucket, name)
        target = soaked(pointers.read(bucket, before), configured.soak_hours, now)
        if pointer.snapshot is not None and target is not None and _may_move(pointer, target):
            yield pointer, target


def _lags(bucket: Bucket, configured: Channels) -> bool:
    """Whether ``api/`` is behind the channel that it follows: a move was cut off in between."""
    if configured.followed is None:
        return False
    target = pointers.read(bucket, configured.followed).snapshot or ""
    default = pointers.read(bucket, keys.DEFAULT_CHANNEL)
    return target > max(default.snapshot or "", default.passed_over) or default.moving_to == target


def _may_move(pointer: Pointer, target: str) -> bool:
    return target > max(pointer.snapshot or "", pointer.passed_over) or target == pointer.moving_to


def _sound(bucket: Bucket, snapshot: str, inventory: Mapping[str, int]) -> Document | None:
    """Its document, unless it lost something: then it stays where it is; the publish goes on."""
    try:
        document = snapshots.find(bucket, snapshot)
        if document is not None:
            snapshots.check_complete(bucket, document, inventory)
    except (IncompleteSnapshot, DamagedRecord) as error:
        telemetry.tell("not_promoted", snapshot=snapshot, problem=error.problem)
        return None
    return document


def _moved(
    bucket: Bucket, pointer: Pointer, document: Document | None, by: str, now: datetime
) -> list[Moved]:
    if document is None:
        return []
    files = pointers.move(bucket, pointer, document, by, now)
    moved = [Moved(pointer.channel, document["id"], pointer.snapshot, tuple(files))]
    _tell(moved, by)
    return moved


def _follow(
    bucket: Bucket, configured: Channels, newest: Document | None, now: datetime
) -> list[Moved]:
    followed, known = configured.followed, newest["id"] if newest else None
    target = pointers.read(bucket, followed).snapshot if followed else known
    pointer = pointers.read(bucket, keys.DEFAULT_CHANNEL)
    document = newest if target == known else snapshots.find(bucket, target or "")
    if document is None or document["id"] <= pointer.passed_over:
        return []
    by = pointers.BY_SOAK if followed else pointers.BY_SYNC
    return _moved(bucket, pointer, document, by, now)


def _tell(moved: list[Moved], by: str) -> None:
    for each in moved:
        if each.snapshot == each.was and not each.files:
            continue
        telemetry.tell(
            "channel_moved", channel=each.channel, snapshot=each.snapshot, was=each.was, by=by
        )


def _unknown(channel: str, configured: Channels) -> UnknownChannel:
    if channel == keys.DEFAULT_CHANNEL and configured.followed:
        return UnknownChannel(
            f'api/ serves what "{configured.followed}" does',
            where="publish.default_channel in config/airbrew.yaml",
            remedy=f"inv mirror.promote --to {configured.followed}",
        )
    known = ", ".join(configured.names) or "there are none"
    return UnknownChannel(
        f'there is no channel "{channel}" ({known})',
        where="publish.channels in config/airbrew.yaml",
        remedy="name one that is configured, or add it and run `inv deploy`",
    )
