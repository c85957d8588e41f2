"""The catalogues that came through, for one platform: can they be used, and do they agree."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from delivery.mirror.bottles import Bottle
from delivery.probe.api_files import CheckedFile
from delivery.probe.catalogues import Catalogue, Formulae, Packages
from delivery.probe.clients import CLIENTS
from delivery.probe.defects import Sighting
from delivery.probe.findings import Finding, Row, counted, met, union

EXAMPLES = 3


@dataclass(frozen=True)
class Reader:
    """A catalogue, where it was read, and the clients that read it."""

    catalogue: Catalogue
    url: str
    clients: tuple[str, ...]


def opened(checked: Iterable[CheckedFile], tag: str) -> tuple[list[Reader], Row]:
    """The catalogues of a platform, the newest client's first, and how each client fared."""
    readers: list[Reader] = []
    findings: list[Finding] = []
    for each in checked:
        if each.payload is None or each.file.platform not in {"", tag}:
            continue
        try:
            reader = _reader(each, tag)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            problem = f"an entry cannot be read: {error!r}"
            findings += met([Sighting("payload-malformed", problem, each.url)], each.file.clients)
            continue
        if reader is not None:
            readers.insert(0, reader)
    findings += _empty(readers, tag) + _disagreeing(readers)
    asking = union(reader.clients for reader in readers)
    lost = tuple(client for client in CLIENTS if client not in asking)
    return readers, Row(f"catalogue, {tag}", asking, tuple(findings), lost)


def _reader(checked: CheckedFile, tag: str) -> Reader | None:
    """A catalogue of which every entry has been read once; None for a file that is none."""
    catalogue: Catalogue
    if checked.file.payload == "packages":
        catalogue = Packages(checked.payload, tag)
    elif checked.file.payload == "formulae":
        catalogue = Formulae(checked.payload, tag)
    else:
        return None
    for name in catalogue.names():
        catalogue.bottle(name)
        list(catalogue.dependencies(name))
    return Reader(catalogue, checked.url, checked.file.clients)


def _empty(readers: Iterable[Reader], tag: str) -> list[Finding]:
    findings: list[Finding] = []
    for reader in readers:
        if not any(reader.catalogue.bottle(name) for name in reader.catalogue.names()):
            problem = f'no formula has a bottle for "{tag}"'
            sighting = Sighting("no-bottle-for-platform", problem, reader.url)
            findings += met([sighting], reader.clients)
    return findings


def _disagreeing(readers: list[Reader]) -> list[Finding]:
    if len(readers) < 2:
        return []
    newer, older = readers
    names = [
        name
        for name in newer.catalogue.names()
        if _differ(newer.catalogue.bottle(name), older.catalogue.bottle(name))
    ]
    if not names:
        return []
    problem = f"{counted(len(names), 'formula', 'formulae')}: {', '.join(names[:EXAMPLES])}"
    return list(met([Sighting("generations-disagree", problem, newer.url)], CLIENTS))


def _differ(one: Bottle | None, other: Bottle | None) -> bool:
    # A client's own rules decide when a bottle of an older macOS stands in: no disagreement.
    return one is not None and other is not None and one.tag == other.tag and one != other
