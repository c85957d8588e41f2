"""Which earlier deploy a rollback goes to, and why another one is out of reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from delivery.deploy.site import Site
from delivery.errors import CannotRollBack, UnknownDeploy
from delivery.releases import history, store, under_way
from delivery.releases.history import Record

SHORTEST_ID = 6


def choose(site: Site, records: Sequence[Record], to: str) -> Record:
    """The record to go back to.

    Args:
        records: the newest first.
        to: the number of a deploy or the beginning of a release's id; empty: the last good
            deploy before what stands now, or where a deploy was left half done, that last one.

    Raises:
        UnknownDeploy: there is none like that.
        CannotRollBack: it did not succeed, was destroyed since, or stands already.
    """
    good = [record for record in history.good(records) if record.versions]
    if not good:
        raise _refusal(site, "nothing that is deployed has ever worked here", records)
    stands = None if _is_half_done(site) else good[0]
    if to:
        return _named(site, records, good, stands, to)
    if stands is None:
        return good[0]
    origin = _origin(good)
    earlier = [record for record in good if record.number < origin and not _same(record, stands)]
    if not earlier:
        raise _refusal(site, "there is no earlier deploy to go back to", records)
    return earlier[0]


def require_layout(
    site: Site,
    records: Sequence[Record],
    target: Record,
    *,
    by: Mapping[str, Any] | None = None,
) -> None:
    """Return when the target's release reads what releases since have written.

    Args:
        by: a release that has written and is not in the history yet.

    Raises:
        CannotRollBack: the mirror's layout has moved on since.
    """
    since = [record.release for record in records if record.number > target.number]
    reads = _layout(site, target.release)
    # Most deploys share a release with another: each manifest is read once.
    for release in {each.get("id"): each for each in [*since, by or {}]}.values():
        written = _layout(site, release)
        if written > reads:
            raise CannotRollBack(
                f"release {release['version']} wrote the mirror in generation {written} of its"
                f" layout, and that of deploy {target.number} reads {reads}",
                where="docs/reference/bucket-layout.md",
                remedy="roll back to a release of the same generation, or correct it and deploy",
            )


def named(record: Record) -> str:
    """`` (1.2.3)``, behind a deploy's number; empty where its release has no name."""
    version = record.release.get("version")
    return f" ({version})" if version else ""


def _named(
    site: Site, records: Sequence[Record], good: Sequence[Record], stands: Record | None, to: str
) -> Record:
    found = [record for record in records if _is_meant(record, to, records[0].number)]
    if not found:
        told = f'no deploy of "{site.environment.name}" is called "{to}"'
        raise _refusal(site, told, records, UnknownDeploy)
    within = [record for record in found if record in good]
    if not within:
        raise _refusal(site, _why_not(found[0], records), records)
    if stands is not None and _same(within[0], stands):
        raise _refusal(site, f"deploy {within[0].number} is what stands", records)
    return within[0]


def _is_meant(record: Record, to: str, newest: int) -> bool:
    if to.isdecimal() and int(to) <= newest:
        return record.number == int(to)
    return len(to) >= SHORTEST_ID and str(record.release.get("id", "")).startswith(to)


def _why_not(record: Record, records: Sequence[Record]) -> str:
    if record.outcome != "succeeded":
        return f"deploy {record.number} {record.outcome}: {record.error or 'nothing is left of it'}"
    destroyed = [each.number for each in records if each.outcome == "destroyed"]
    if destroyed and destroyed[0] > record.number:
        return f"deploy {record.number} was destroyed by {destroyed[0]}, with its versions"
    return f"deploy {record.number} was made before versions were recorded"


def _is_half_done(site: Site) -> bool:
    return under_way.is_marked(site.cloud, site.bucket, site.environment.name)


def _origin(good: Sequence[Record]) -> int:
    """The deploy that first had what stands now: who goes back twice goes back further."""
    return min(record.number for record in good if _same(record, good[0]))


def _same(one: Record, other: Record) -> bool:
    return (one.artifacts, one.settings) == (other.artifacts, other.settings)


def _layout(site: Site, release: Mapping[str, Any]) -> int:
    release_id = str(release.get("id", ""))
    return store.find(site.cloud, site.bucket, release_id).layout if release_id else 0


def _refusal(
    site: Site,
    problem: str,
    records: Sequence[Record],
    kind: type[CannotRollBack] = CannotRollBack,
) -> CannotRollBack:
    reachable = [record.number for record in history.good(records)][:5]
    shown = f" (good: {', '.join(map(str, reachable))})" if reachable else ""
    return kind(
        problem,
        where=f"s3://{site.bucket}/releases/{site.environment.name}/",
        remedy=f"inv history --env {site.environment.name} shows every deploy{shown}",
    )
