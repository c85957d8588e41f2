"""What the mirror did in some days: all its syncs together, from the report that each has left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from delivery.cloud import Cloud
from delivery.errors import BadInput
from delivery.mirror import content, net_changes, sync_reports

MOST_DAYS = 366
ID_FORM = "%Y-%m-%dT%H%M%SZ"
Report = Mapping[str, Any]


@dataclass(frozen=True)
class Trouble:
    """A bottle or a cask that could not be had: in how many syncs, and whether in the last, too."""

    bottle: str
    error: str
    problem: str
    syncs: int
    is_open: bool


@dataclass(frozen=True)
class Period:
    """The syncs that began in a span of time.

    Args:
        since, until: as ``2026-11-22T03:00:00Z``.
        snapshot: the newest one, whenever it was made; None where nothing was ever published.
        age_seconds: of that snapshot at `until`.
        syncs: their reports, the oldest first, as docs/reference/bucket-layout.md has them.
        unreported: ids of those without a report: they run, or were killed.
    """

    since: str
    until: str
    snapshot: content.Snapshot | None
    age_seconds: float | None
    syncs: tuple[Report, ...]
    unreported: tuple[str, ...]

    @property
    def failed(self) -> list[Report]:
        """The syncs that published nothing."""
        return [each for each in self.syncs if each["outcome"] != "published"]

    @property
    def without_news(self) -> int:
        """How many found that the newest snapshot had everything already."""
        return sum(map(_is_without_news, self.syncs))

    @property
    def copied(self) -> int:
        """Bottles and casks brought, by failed syncs, too."""
        return sum(int(each.get("counts", {}).get("copied", 0)) for each in self.syncs)

    @property
    def copied_bytes(self) -> int:
        """Bytes of those."""
        return sum(int(each.get("bytes", {}).get("copied", 0)) for each in self.syncs)

    @property
    def retries(self) -> int:
        """How often a request was tried again."""
        return sum(sum(each.get("retries", {}).values()) for each in self.syncs)

    @property
    def formulae(self) -> net_changes.Changes:
        """What is different from before the first of them."""
        return net_changes.formulae(self.syncs)

    @property
    def casks(self) -> net_changes.Changes:
        """The same of casks."""
        return net_changes.casks(self.syncs)

    @property
    def troubles(self) -> list[Trouble]:
        """What could not be had, what still cannot first."""
        return sorted(_troubles(self.syncs), key=lambda each: (not each.is_open, each.bottle))

    def as_json(self) -> dict[str, Any]:
        """One document; of each sync what tells it from the others."""
        return {
            "since": self.since,
            "until": self.until,
            "snapshot": self.snapshot.id if self.snapshot else None,
            "freshness_seconds": self.age_seconds,
            "counts": {
                "syncs": len(self.syncs) + len(self.unreported),
                "published": len(self.syncs) - len(self.failed),
                "without_news": self.without_news,
                "failed": len(self.failed),
                "unreported": len(self.unreported),
                "copied": self.copied,
                "retries": self.retries,
            },
            "bytes": {"copied": self.copied_bytes},
            "changes": {**self.formulae, "casks": self.casks},
            "syncs": [_told(each) for each in self.syncs],
            "unreported": list(self.unreported),
            "failures": [vars(each) for each in self.troubles],
        }


def of(cloud: Cloud, bucket: str, days: int, *, now: datetime | None = None) -> Period:
    """All syncs that began in the last so many days.

    Raises:
        BadInput: not a number of days for which reports may be there.
    """
    if not 0 < days <= MOST_DAYS:
        raise BadInput(
            f"{days} is no number of days to report on",
            where="--days",
            remedy=f"give 1 to {MOST_DAYS}; 7 is a week",
        )
    until = now or datetime.now(UTC)
    since = until - timedelta(days=days)
    begun = sync_reports.begun_since(cloud, bucket, since.strftime(ID_FORM))
    found = {sync: sync_reports.read(cloud, bucket, sync) for sync in begun}
    snapshot = content.latest_snapshot(cloud, bucket)
    return Period(
        since=_text(since),
        until=_text(until),
        snapshot=snapshot,
        age_seconds=snapshot.age_seconds(until) if snapshot else None,
        syncs=tuple(each for each in found.values() if each is not None),
        unreported=tuple(sync for sync, each in found.items() if each is None),
    )


def _is_without_news(report: Report) -> bool:
    # docs/adr/0012: such a sync answers with the snapshot that was there, and compares with it.
    against = (report.get("changes") or {}).get("against")
    return against is not None and against == report.get("answer", {}).get("snapshot")


def _troubles(syncs: Sequence[Report]) -> Iterator[Trouble]:
    # A sync that failed before it had a plan tells of no bottle.
    last = next((each["failed"] for each in reversed(syncs) if "failed" in each), ())
    still_failing = {each["bottle"] for each in last}
    newest = {each["bottle"]: each for sync in syncs for each in sync.get("failed", ())}
    for bottle, each in newest.items():
        yield Trouble(
            bottle=bottle,
            error=each.get("error", ""),
            problem=each["problem"],
            syncs=sum(
                any(other["bottle"] == bottle for other in sync.get("failed", ())) for sync in syncs
            ),
            is_open=bottle in still_failing,
        )


def _told(report: Report) -> dict[str, Any]:
    kept = ("sync", "outcome", "ended_at", "error", "problem", "where", "remedy")
    return {
        **{name: report[name] for name in kept if report.get(name)},
        "copied": report.get("counts", {}).get("copied", 0),
        "bytes": report.get("bytes", {}).get("copied", 0),
        "seconds": report.get("seconds", {}).get("total"),
    }


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
