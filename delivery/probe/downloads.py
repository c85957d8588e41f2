"""A bottle and its manifest, fetched as each client does from where the layout has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from delivery.mirror.bottles import Bottle
from delivery.probe import blobs, manifests
from delivery.probe.clients import ANONYMOUS_BEARER, BREW_4, BREW_6, INDEX_TYPE
from delivery.probe.defects import BREAKS, Sighting, Stumble
from delivery.probe.findings import Finding, met
from delivery.probe.targets import ARTIFACT, Target
from delivery.probe.web import Web, check_status

# A registry finds no index for those who do not accept one; a bottle is found all the same.
ACCEPTED = f"{INDEX_TYPE}, */*"
FIRST_BYTE = "bytes=0-0"
REFUSALS = {400, 401, 403}
ABSENT = {"manifest-missing", "flat-manifest-missing", "blob-missing"}


@dataclass(frozen=True)
class Download:
    """How a bottle and its manifest came to the clients that want them.

    `manifest_clients` are those of `clients` that ask this layout for manifests; `was_read` is
    False for a bottle over the limit.
    """

    bottle: Bottle
    clients: tuple[str, ...]
    manifest_clients: tuple[str, ...]
    manifest: tuple[Finding, ...]
    blob: tuple[Finding, ...]
    was_read: bool


def check(web: Web, target: Target, bottle: Bottle, clients: tuple[str, ...]) -> Download:
    """Fetch manifest and bottle once; ask again, without the bodies, as older clients do."""
    readers = _manifest_clients(target, clients)
    size_bytes, manifest = _manifest(web, target, bottle, readers)
    url, limit_bytes = target.blob_url(bottle), target.bottle_limit_bytes
    fetched = blobs.check(web, bottle, url, size_bytes, limit_bytes)
    sightings = _mapped(web, fetched.sightings, target.blob_url(bottle, image=bottle.name))
    blob = _met(web, target, sightings, clients, Range=FIRST_BYTE)
    if _sends_token(target, clients):
        index_url = target.manifest_url(bottle)
        manifest += met(_with_token(web, index_url, manifest, Accept=INDEX_TYPE), [BREW_4])
        blob += met(_with_token(web, url, blob, Range=FIRST_BYTE), [BREW_4])
    return Download(bottle, clients, readers, manifest, blob, fetched.was_read)


def ruby(web: Web, target: Target, bottle: Bottle, clients: tuple[str, ...]) -> tuple[Finding, ...]:
    """Whether brew's own interpreter is there: the rest of it is a bottle like others."""
    sightings = blobs.glance(web, target.blob_url(bottle), "portable-ruby-missing")
    return _met(web, target, sightings, clients, Range=FIRST_BYTE)


def dependency(
    web: Web, target: Target, bottle: Bottle, clients: tuple[str, ...]
) -> tuple[Finding, ...]:
    """Whether a dependency's manifest and bottle are there, their bodies not waited for."""
    urls = [target.blob_url(bottle)]
    if target.layout == ARTIFACT:
        urls.insert(0, target.manifest_url(bottle))
    first: dict[str, Sighting] = {}
    for url in urls:
        for sighting in blobs.glance(web, url, "dependency-missing", Accept=ACCEPTED):
            first.setdefault(sighting.defect, sighting)  # Missing in both is missing once.
    return _met(web, target, list(first.values()), clients, Accept=ACCEPTED)


def _manifest(
    web: Web, target: Target, bottle: Bottle, readers: tuple[str, ...]
) -> tuple[int | None, tuple[Finding, ...]]:
    if not readers:
        return None, ()
    missing = "manifest-missing" if target.layout == ARTIFACT else "flat-manifest-missing"
    checked = manifests.check(web, bottle, target.manifest_url(bottle), missing)
    by_own_name = target.manifest_url(bottle, image=bottle.name)
    sightings = _mapped(web, checked.sightings, by_own_name)
    return checked.size_bytes, _met(web, target, sightings, readers, Accept=INDEX_TYPE)


def _met(
    web: Web,
    target: Target,
    sightings: Sequence[Sighting],
    clients: tuple[str, ...],
    **headers: str,
) -> tuple[Finding, ...]:
    """Who meets them: not the client whose token opens what is closed to the others."""
    refused = [each for each in sightings if each.defect == "access-refused"]
    if refused and _sends_token(target, clients) and _opens(web, refused[0].url, **headers):
        clients = tuple(each for each in clients if each != BREW_4)
    return met(sightings, clients)


def _opens(web: Web, url: str, **headers: str) -> bool:
    try:
        return web.look(url, Authorization=ANONYMOUS_BEARER, **headers).status < 400
    except Stumble:  # A redirect that fails, say: the token did not help.
        return False


def _sends_token(target: Target, clients: tuple[str, ...]) -> bool:
    return target.layout == ARTIFACT and target.authorization and BREW_4 in clients


def _manifest_clients(target: Target, clients: tuple[str, ...]) -> tuple[str, ...]:
    if target.layout == ARTIFACT:
        return clients
    # Homebrew/brew#23244: before it no client asked a flat mirror for manifests.
    return tuple(each for each in clients if each == BREW_6)


def _mapped(web: Web, sightings: Sequence[Sighting], by_own_name: str) -> Sequence[Sighting]:
    """A file that is missing under its image name and there under the formula's own."""
    first = sightings[0] if sightings else None
    if first is None or first.defect not in ABSENT or by_own_name == first.url:
        return sightings
    if blobs.glance(web, by_own_name, first.defect, Accept=ACCEPTED):
        return sightings
    return [Sighting("image-name-unmapped", f"not here, but at {by_own_name}", first.url)]


def _with_token(web: Web, url: str, already: Sequence[Finding], **headers: str) -> list[Sighting]:
    if any(BREW_4 in each.clients and each.defect.level == BREAKS for each in already):
        return []
    try:
        answer = web.look(url, Authorization=ANONYMOUS_BEARER, **headers)
        if answer.status not in REFUSALS:
            check_status(answer, "authorization-refused")
            return []
    except Stumble as stumble:
        return [stumble.sighting]
    problem = f"{answer.status} with Authorization: {ANONYMOUS_BEARER}, success without"
    return [Sighting("authorization-refused", problem, url)]
