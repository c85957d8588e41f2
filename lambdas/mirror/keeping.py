"""Which snapshots are kept, and why each of them is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from mirror import keys, pointers
from mirror.pointers import Pointer
from mirror.settings import Channels, Retention
from mirror.snapshots import Document


def kept(
    documents: Sequence[Document],
    served: Sequence[Pointer],
    channels: Channels,
    retention: Retention,
    now: datetime,
) -> dict[str, str]:
    """The id of each kept snapshot, and the first reason for it.

    Args:
        documents: all finished snapshots, oldest first.
        served: the pointers of all channels, configured or not.
    """
    ids = [str(document["id"]) for document in documents]
    reasons: dict[str, str] = {}
    # The strongest reason of each counts, so those of one kind come before all of the next.
    for told in (_served_as, _before):
        for pointer in served:
            for snapshot, reason in told(pointer, ids):
                reasons.setdefault(snapshot, reason)
    for snapshot, reason in _soaking({each.channel: each for each in served}, channels):
        reasons.setdefault(snapshot, reason)
    for snapshot in ids[-retention.keep_snapshots :]:
        reasons.setdefault(snapshot, f"one of the newest {retention.keep_snapshots}")
    since = now - timedelta(days=retention.keep_days)
    for document in documents:
        if pointers.moment(document["created_at"]) > since:
            reasons.setdefault(document["id"], f"younger than {retention.keep_days} days")
    return {snapshot: reasons[snapshot] for snapshot in ids if snapshot in reasons}


def _served_as(pointer: Pointer, _: Sequence[str]) -> Iterable[tuple[str, str]]:
    for snapshot in _served(pointer):
        yield snapshot, f"served as {_name(pointer)}"


def _before(pointer: Pointer, ids: Sequence[str]) -> Iterable[tuple[str, str]]:
    for snapshot in _served(pointer):
        before = [each for each in ids if each < snapshot]
        if before:
            yield before[-1], f"the one before what {_name(pointer)} serves"


def _served(pointer: Pointer) -> Iterable[str]:
    return filter(None, (pointer.snapshot, pointer.moving_to))


def _name(pointer: Pointer) -> str:
    return "api/" if pointer.channel == keys.DEFAULT_CHANNEL else f'"{pointer.channel}"'


def _soaking(served: dict[str, Pointer], channels: Channels) -> Iterable[tuple[str, str]]:
    """What is in a channel, or was, and has still to reach the next one."""
    for name, after in zip(channels.names, channels.names[1:], strict=False):
        if name not in served or after not in served:
            continue
        for stay in served[name].stays:
            if stay.snapshot > (served[after].snapshot or ""):
                yield stay.snapshot, f'on its way from "{name}" to "{after}"'
