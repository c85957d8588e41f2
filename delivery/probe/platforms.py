"""One platform's part: from the catalogues that could be read to bottles, Ruby and dependencies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from delivery.mirror.bottles import Bottle
from delivery.probe import catalogues, downloads
from delivery.probe.clients import CLIENTS
from delivery.probe.downloads import Download
from delivery.probe.findings import Finding, Row, counted, union
from delivery.probe.parallel import at_once
from delivery.probe.readers import Reader
from delivery.probe.targets import Target
from delivery.probe.web import Web

RUBY = "portable-ruby"

ClientsByBottle = Mapping[Bottle, tuple[str, ...]]


@dataclass
class Platform:
    """What the clients of one platform ask once they have a catalogue.

    `readers` has the newest client's catalogue first; `notes` fills up with what was left out.
    """

    web: Web
    target: Target
    tag: str
    readers: Sequence[Reader]
    notes: list[str] = field(default_factory=list)

    @property
    def blocked(self) -> tuple[str, ...]:
        """The clients that have no catalogue, and so never come to a bottle."""
        reading = {client for reader in self.readers for client in reader.clients}
        return tuple(client for client in CLIENTS if client not in reading)

    def rows(self, names: Sequence[str]) -> list[Row]:
        """One row per kind of request, for the formulae of these names."""
        wanted = self._wanted(names)
        self._note_absent(names, wanted)
        rows = [*self._downloads(wanted), self._ruby()]
        if self.target.closure:
            rows.append(self._closure(names, wanted))
        return [row for row in rows if row.clients or row.blocked]

    def _wanted(self, names: Iterable[str]) -> ClientsByBottle:
        """What each client would fetch: usually one bottle for all of them."""
        found: dict[Bottle, tuple[str, ...]] = {}
        for name in names:
            for reader in self.readers:
                bottle = reader.catalogue.bottle(name)
                if bottle is not None and self._is_held(bottle):
                    found[bottle] = union([found.get(bottle, ()), reader.clients])
        return found

    def _note_absent(self, names: Iterable[str], wanted: ClientsByBottle) -> None:
        there = {bottle.name for bottle in wanted}
        absent = [name for name in names if name not in there]
        if absent and self.readers:
            self.notes.append(f"no bottle for {self.tag}: {', '.join(absent)}")

    def _downloads(self, wanted: ClientsByBottle) -> list[Row]:
        found = at_once(lambda item: downloads.check(self.web, self.target, *item), wanted.items())
        self._note_unread(found)
        manifest = [finding for each in found for finding in each.manifest]
        blob = [finding for each in found for finding in each.blob]
        count = counted(len({bottle.name for bottle in wanted}), "formula", "formulae")
        return [
            self._row(f"manifests of {count}", [one.manifest_clients for one in found], manifest),
            self._row(f"bottles of {count}", [one.clients for one in found], blob),
        ]

    def _note_unread(self, found: Iterable[Download]) -> None:
        mib = self.target.bottle_limit_bytes // 2**20
        for each in found:
            if not each.was_read:
                self.notes.append(f"over {mib} MiB, not fetched whole: {each.bottle.name}")

    def _ruby(self) -> Row:
        wanted = self._wanted([RUBY])
        findings: list[Finding] = []
        for bottle, clients in wanted.items():
            findings += downloads.ruby(self.web, self.target, bottle, clients)
        if not wanted:
            return Row("portable Ruby", ())
        return self._row("portable Ruby", wanted.values(), findings)

    def _closure(self, names: Sequence[str], seen: ClientsByBottle) -> Row:
        closures = [catalogues.closure(reader.catalogue, names) for reader in self.readers]
        needed = self._wanted(dict.fromkeys(name for each in closures for name in each))
        fresh = {bottle: clients for bottle, clients in needed.items() if bottle not in seen}
        if not fresh:
            return Row("dependencies", ())
        found = at_once(
            lambda item: downloads.dependency(self.web, self.target, *item), fresh.items()
        )
        findings = [finding for each in found for finding in each]
        label = counted(len(fresh), "more dependency", "more dependencies")
        return self._row(label, fresh.values(), findings)

    def _is_held(self, bottle: Bottle) -> bool:
        # What the selection leaves out on purpose is not the mirror's defect. Not by digest: a
        # catalogue that names another bottle than the one that is held is a defect.
        held = self.target.held
        return held is None or (bottle.name, bottle.tag) in held

    def _row(
        self, label: str, clients: Iterable[tuple[str, ...]], findings: Sequence[Finding]
    ) -> Row:
        return Row(f"{label}, {self.tag}", union(clients), tuple(findings), self.blocked)
