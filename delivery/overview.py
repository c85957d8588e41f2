"""All environments side by side: one that cannot be looked at says so, and holds up no other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from delivery import standing
from delivery.cloud import Cloud
from delivery.environment import Environment
from delivery.errors import DeliveryError
from delivery.standing import Standing

Reach = Callable[[Environment], Cloud]
# One that answers does so in 2 s, and the sandbox may have to be started first.
PATIENCE_SECONDS = 30


@dataclass(frozen=True)
class Column:
    """One environment as the table of all shows it.

    `state` is ``deployed``, ``undeployed`` or ``unreachable``; `note` is why it is not
    deployed; `release` is that of the newest deploy that succeeded, made `age_seconds` ago;
    `freshness_seconds` is the age of what the mirror serves.
    """

    environment: str
    state: str
    cloud: str = ""
    note: str = ""
    number: int = 0
    release: Mapping[str, Any] = field(default_factory=dict)
    age_seconds: float | None = None
    health: str = ""
    drift: Mapping[str, Any] | None = None
    last_sync: Mapping[str, Any] | None = None
    freshness_seconds: float | None = None


def of(
    environments: Iterable[Environment],
    reach: Reach,
    *,
    unreachable: tuple[type[Exception], ...],
    patience_seconds: float = PATIENCE_SECONDS,
) -> list[Column]:
    """Look at all environments at the same time, in their order; nothing is changed.

    Args:
        reach: leads to an environment's cloud; each is asked in a thread of its own.
        unreachable: what it raises, besides the delivery's own errors, where it does not.
        patience_seconds: after that long, who has not answered is out of reach.
    """
    caught = (DeliveryError, BotoCoreError, ClientError, *unreachable)
    looks = [(each, _begun(each, reach, caught)) for each in environments]
    since = time.monotonic()
    wait([look for _, look in looks], patience_seconds)
    waited = f"no answer in {time.monotonic() - since:.0f} s"
    return [
        look.result() if look.done() else Column(each.name, "unreachable", note=waited)
        for each, look in looks
    ]


def _begun(
    environment: Environment, reach: Reach, caught: tuple[type[Exception], ...]
) -> Future[Column]:
    found: Future[Column] = Future()

    def look() -> None:
        try:
            found.set_result(_column(environment, reach, caught))
        except Exception as error:  # noqa: BLE001 - whoever asks for the result gets it
            found.set_exception(error)

    # Not of a pool, whose threads keep the program from ending while one of them waits.
    threading.Thread(target=look, name=f"status of {environment.name}", daemon=True).start()
    return found


def _column(environment: Environment, reach: Reach, caught: tuple[type[Exception], ...]) -> Column:
    try:
        return _shown(standing.of(environment, reach(environment)))
    except caught as error:
        problem = str(getattr(error, "problem", error))
        return Column(environment.name, "unreachable", note=problem)


def _shown(found: Standing) -> Column:
    record = found.in_service
    if found.record is None or (record is None and not found.record.outputs):
        note = "nothing was ever deployed" if found.record is None else _ended(found)
        return Column(found.environment, "undeployed", found.cloud, note, health=_at_it(found))
    return Column(
        environment=found.environment,
        state="deployed",
        cloud=found.cloud,
        number=found.record.number,
        release=record.release if record else {},
        age_seconds=_age(record.at) if record else None,
        health=_health(found),
        drift=found.drift,
        last_sync=_sync(found),
        freshness_seconds=found.snapshot_age_seconds,
    )


def _ended(found: Standing) -> str:
    record = found.record
    assert record is not None  # noqa: S101 - the caller has looked; this tells mypy
    verb = "it was destroyed" if record.outcome == "destroyed" else f"{record.kind} failed"
    return f"{verb} ({record.number}, {record.at})"


def _health(found: Standing) -> str:
    """The first thing that is wrong, the gravest first; ``ok`` where nothing is."""
    record, sync = found.record, found.last_sync
    assert record is not None  # noqa: S101 - as above
    if found.changed_by or (found.is_under_way and record.outcome == "succeeded"):
        return _at_it(found)
    if record.outcome != "succeeded":
        undone = record.rollback.get("outcome") == "succeeded"
        return f"{record.kind} {record.number} {record.outcome}{', rolled back' if undone else ''}"
    if sync is not None and sync.status not in {"SUCCEEDED", "RUNNING"}:
        return f"last sync {sync.status}"
    return "ok" if found.snapshot else "nothing published yet"


def _at_it(found: Standing) -> str:
    """Who is changing it, or that somebody has begun to; empty where nobody has."""
    if found.changed_by:
        return f"{found.changed_by['reason']} under way, by {found.changed_by['holder']}"
    if not found.is_under_way:
        return ""
    record = found.record
    since = f"something began after {record.kind} {record.number}" if record else "it began"
    return f"half done, {since} and has not ended"


def _sync(found: Standing) -> Mapping[str, Any] | None:
    sync = found.last_sync
    if sync is None:
        return None
    return {"status": sync.status, "age_seconds": _seconds_since(sync.started)}


def _age(at: str) -> float:
    return _seconds_since(datetime.fromisoformat(at.replace("Z", "+00:00")))


def _seconds_since(moment: datetime) -> float:
    return (datetime.now(UTC) - moment).total_seconds()
