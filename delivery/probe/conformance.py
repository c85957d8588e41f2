"""The probe itself: every client's requests in their order, as far as each client gets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import TypeVar

from delivery.bottles import Bottle
from delivery.probe import api_files, catalogues, downloads, sampling
from delivery.probe.api_files import CheckedFile
from delivery.probe.catalogues import Catalogue, Formulae, Packages
from delivery.probe.clients import CLIENTS, OLDER
from delivery.probe.clients import api_files as files_asked
from delivery.probe.defects import Sighting
from delivery.probe.downloads import Download, Target
from delivery.probe.findings import Finding, Report, Row, met
from delivery.probe.web import Web

# As many as brew's own download queue opens to one server.
AT_ONCE = 8
EXAMPLES = 3

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True)
class _Reader:
    """A catalogue, and the clients that read it."""

    catalogue: Catalogue
    clients: tuple[str, ...]
    url: str


def probe(target: Target) -> Report:
    """Play every client against the target; nothing is changed there.

    Raises:
        BadInput: a formula was asked for that no catalogue of the mirror names.
    """
    with closing(Web(target.timeout_seconds, target.ca_file)) as web:
        checked = _at_once(
            lambda file: api_files.check(web, target.api_url, file, target.public_key_pem),
            files_asked(target.platforms),
        )
        rows = [_api_row(each) for each in checked]
        names: dict[str, None] = {}
        notes: list[str] = []
        for platform in target.platforms:
            readers = _readers(checked, platform)
            chosen = sampling.chosen([each.catalogue for each in readers], target.formulae)
            names |= dict.fromkeys(chosen)
            more, told = _platform_rows(web, target, platform, readers, chosen)
            rows += more
            notes += told
    return Report(
        target.url,
        target.api_url,
        target.layout,
        tuple(target.platforms),
        tuple(names),
        tuple(rows),
        tuple(notes),
    )


def _api_row(checked: CheckedFile) -> Row:
    clients = checked.file.clients
    return Row(checked.file.path, clients, met(checked.sightings, clients))


def _readers(checked: Sequence[CheckedFile], platform: str) -> list[_Reader]:
    """The catalogues that could be read, the newest client's first."""
    found: list[_Reader] = []
    for each in checked:
        if each.payload is None or each.file.platform not in {"", platform}:
            continue
        if each.file.payload == "packages":
            newest = Packages(each.payload, platform)
            found.insert(0, _Reader(newest, each.file.clients, each.url))
        elif each.file.payload == "formulae":
            found.append(_Reader(Formulae(each.payload, platform), OLDER, each.url))
    return found


def _platform_rows(
    web: Web, target: Target, platform: str, readers: Sequence[_Reader], names: Sequence[str]
) -> tuple[list[Row], list[str]]:
    blocked = tuple(each for each in CLIENTS if not any(each in one.clients for one in readers))
    rows = [_catalogue_row(platform, readers, blocked)]
    clients_by_bottle = _clients_by_bottle(readers, names)
    downloaded = _at_once(
        lambda item: downloads.check(web, target, *item), list(clients_by_bottle.items())
    )
    rows += downloads.rows(downloaded, platform, blocked)
    rows.append(_ruby_row(web, target, platform, readers, blocked))
    if target.closure:
        needed = _clients_by_bottle(readers, _needed(readers, names))
        rows.append(_closure_row(web, target, platform, needed, set(clients_by_bottle), blocked))
    return [row for row in rows if row.clients or row.findings], _notes(downloaded, target)


def _needed(readers: Sequence[_Reader], names: Sequence[str]) -> list[str]:
    closures = [catalogues.closure(each.catalogue, names) for each in readers]
    return list(dict.fromkeys(name for each in closures for name in each))


def _clients_by_bottle(
    readers: Sequence[_Reader], names: Iterable[str]
) -> dict[Bottle, tuple[str, ...]]:
    found: dict[Bottle, tuple[str, ...]] = {}
    for name in names:
        for reader in readers:
            bottle = reader.catalogue.bottle(name)
            if bottle is not None:
                clients = {*found.get(bottle, ()), *reader.clients}
                found[bottle] = tuple(each for each in CLIENTS if each in clients)
    return found


def _catalogue_row(platform: str, readers: Sequence[_Reader], blocked: tuple[str, ...]) -> Row:
    findings: list[Finding] = []
    for reader in readers:
        names = reader.catalogue.names()
        if not any(reader.catalogue.bottle(name) for name in names):
            problem = f'no formula has a bottle for "{platform}"'
            sighting = Sighting("no-bottle-for-platform", problem, reader.url)
            findings += met([sighting], reader.clients)
    if len(readers) > 1:
        findings += met(_disagreements(*readers[:2]), CLIENTS)
    clients = tuple(each for each in CLIENTS if each not in blocked)
    return Row(f"catalogue for {platform}", clients, tuple(findings), blocked)


def _disagreements(newer: _Reader, older: _Reader) -> list[Sighting]:
    names = [
        name
        for name in newer.catalogue.names()
        if _differ(newer.catalogue.bottle(name), older.catalogue.bottle(name))
    ]
    if not names:
        return []
    shown = ", ".join(names[:EXAMPLES])
    return [Sighting("generations-disagree", f"{len(names)} formulae: {shown}", newer.url)]


def _differ(one: Bottle | None, other: Bottle | None) -> bool:
    # A client's own rules decide when a bottle of an older macOS stands in: no disagreement.
    return one is not None and other is not None and one.tag == other.tag and one != other


def _ruby_row(
    web: Web,
    target: Target,
    platform: str,
    readers: Sequence[_Reader],
    blocked: tuple[str, ...],
) -> Row:
    wanted = _clients_by_bottle(readers, ["portable-ruby"])
    findings: list[Finding] = []
    for bottle, clients in wanted.items():
        findings += met(downloads.ruby(web, target, bottle), clients)
    clients = tuple({client: None for clients in wanted.values() for client in clients})
    return Row(f"portable Ruby for {platform}", clients, tuple(findings), blocked)


def _closure_row(
    web: Web,
    target: Target,
    platform: str,
    needed: dict[Bottle, tuple[str, ...]],
    seen: set[Bottle],
    blocked: tuple[str, ...],
) -> Row:
    fresh = {bottle: clients for bottle, clients in needed.items() if bottle not in seen}
    found = _at_once(lambda bottle: downloads.dependency(web, target, bottle), list(fresh))
    findings: list[Finding] = []
    for (_, clients), sightings in zip(fresh.items(), found, strict=True):
        findings += met(sightings, clients)
    clients = tuple({client: None for clients in fresh.values() for client in clients})
    label = f"{len(fresh)} more dependencies for {platform}"
    return Row(label, clients, tuple(findings), blocked)


def _notes(downloaded: Iterable[Download], target: Target) -> list[str]:
    mib = target.bottle_limit_bytes // 2**20
    return [
        f"{each.bottle.name} is over {mib} MiB: its manifest was checked, its bytes were not"
        for each in downloaded
        if not each.was_read
    ]


def _at_once(do: Callable[[In], Out], items: Sequence[In]) -> list[Out]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(do, items))
