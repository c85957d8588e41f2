"""The probe itself: every client's requests in their order, as far as each client gets."""

from __future__ import annotations

from collections.abc import Sequence

from delivery.probe import api_files, clients, sampling, taps
from delivery.probe.api_files import CheckedFile
from delivery.probe.casks import CaskFiles
from delivery.probe.findings import Report, Row, met
from delivery.probe.parallel import at_once
from delivery.probe.platforms import Platform
from delivery.probe.readers import opened
from delivery.probe.targets import ARTIFACT, Target
from delivery.probe.web import Web


def probe(target: Target) -> Report:
    """Play every client against the target; nothing is changed there.

    Raises:
        BadInput: a formula or cask was asked for that no catalogue of the mirror names.
    """
    web = Web(target.timeout_seconds, target.ca_file)
    asked = clients.api_files(target.platforms)
    checked = at_once(
        lambda file: api_files.check(web, target.api_url, file, target.public_key_pem), asked
    )
    rows = [_api_row(each) for each in checked]
    names: dict[str, None] = {}
    notes: list[str] = []
    for tag in target.platforms:
        readers, row = opened(checked, tag)
        platform = Platform(web, target, tag, readers)
        chosen = sampling.chosen([each.catalogue for each in readers], target.formulae)
        rows += [row, *platform.rows(chosen)]
        names |= dict.fromkeys(chosen)
        notes += platform.notes
    # Flat mirrors are asked for neither: HOMEBREW_BOTTLE_DOMAIN stands in for homebrew/core alone.
    if target.layout == ARTIFACT:
        more, told = _besides(web, target, checked)
        rows, notes = [*rows, *more], [*notes, *told]
    return Report(target, tuple(names), tuple(rows), tuple(notes), web.sent)


def _besides(
    web: Web, target: Target, checked: Sequence[CheckedFile]
) -> tuple[list[Row], list[str]]:
    """Casks and bottles of other taps, where any are to be played."""
    casks = CaskFiles(web, target.url, target.casks, target.bottle_limit_bytes)
    rows = [row for tag in target.platforms for row in casks.rows(checked, tag)]
    tapped, notes = taps.rows(web, target)
    return [*rows, *tapped], [*casks.notes, *notes]


def _api_row(checked: CheckedFile) -> Row:
    asking = checked.file.clients
    return Row(checked.file.path, asking, met(checked.sightings, asking))
