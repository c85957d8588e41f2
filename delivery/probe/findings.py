"""What the probe found, as values: requests, how each client fared, defects with their remedy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from delivery.probe.clients import CLIENTS
from delivery.probe.defects import BREAKS, WARNS, Defect, Sighting, defects
from delivery.probe.targets import Target

OK = "ok"
NOT_ASKED = "-"
NOT_REACHED = "not reached"


@dataclass(frozen=True)
class Finding:
    """A defect, where it was met, and the clients that meet it."""

    defect: Defect
    problem: str
    url: str
    clients: tuple[str, ...]

    @classmethod
    def of(cls, sighting: Sighting, clients: Sequence[str]) -> Finding:
        """What a sighting means to these clients."""
        known = defects()[sighting.defect]
        return cls(known, sighting.problem, sighting.url, tuple(clients))


@dataclass(frozen=True)
class Row:
    """A request, or several of a kind: what each client of `clients` got out of it.

    A client of `blocked` would ask, too, but did not get as far.
    """

    request: str
    clients: tuple[str, ...]
    findings: tuple[Finding, ...] = ()
    blocked: tuple[str, ...] = ()

    def outcome(self, client: str) -> str:
        """``ok``, ``warns``, ``breaks``, ``not reached``, or ``-`` where it does not ask."""
        levels = {each.defect.level for each in self.findings if client in each.clients}
        for level in (BREAKS, WARNS):
            if level in levels:
                return level
        if client in self.clients:
            return OK
        return NOT_REACHED if client in self.blocked else NOT_ASKED


@dataclass(frozen=True)
class Report:
    """The whole answer, after so many requests: `works` only when no client breaks anywhere."""

    target: Target
    formulae: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    requests: int = 0

    @property
    def findings(self) -> list[Finding]:
        """Every finding once, in the order of the requests."""
        return list(dict.fromkeys(each for row in self.rows for each in row.findings))

    @property
    def broken_clients(self) -> list[str]:
        """The clients that cannot live on the mirror."""
        broken = {
            client
            for finding in self.findings
            if finding.defect.level == BREAKS
            for client in finding.clients
        }
        return [client for client in CLIENTS if client in broken]

    @property
    def works(self) -> bool:
        """Whether every client can live on the mirror."""
        return not self.broken_clients

    def as_json(self) -> dict[str, Any]:
        """The document of --json; docs/reference/probe.md describes it."""
        return {
            "mirror_url": self.target.url,
            "api_url": self.target.api_url,
            "layout": self.target.layout,
            "platforms": self.target.platforms,
            "formulae": self.formulae,
            "works": self.works,
            "broken_clients": self.broken_clients,
            "requests": [
                {
                    "request": row.request,
                    "outcomes": {client: row.outcome(client) for client in CLIENTS},
                }
                for row in self.rows
            ],
            "findings": [
                {
                    **asdict(finding.defect),
                    "problem": finding.problem,
                    "url": finding.url,
                    "clients": finding.clients,
                }
                for finding in self.findings
            ],
            "notes": self.notes,
            "sent": self.requests,
        }


def met(sightings: Iterable[Sighting], clients: Sequence[str]) -> tuple[Finding, ...]:
    """What these clients meet, each once."""
    return tuple(dict.fromkeys(Finding.of(each, clients) for each in sightings))


def union(groups: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """The clients that are in any of the groups, oldest first."""
    members = {client for group in groups for client in group}
    return tuple(client for client in CLIENTS if client in members)


def counted(count: int, singular: str, plural: str) -> str:
    """``1 formula``, ``2 formulae``."""
    return f"{count} {singular if count == 1 else plural}"
