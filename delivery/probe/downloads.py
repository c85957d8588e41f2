"""A bottle and its manifest, fetched as each client does from where the layout has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from delivery import bottles
from delivery.bottles import Bottle
from delivery.probe import blobs, manifests
from delivery.probe.clients import ANONYMOUS_BEARER, BREW_4, BREW_6
from delivery.probe.defects import Sighting, Stumble
from delivery.probe.findings import Finding, Row, met
from delivery.probe.web import Web

ARTIFACT = "artifact"
BOTTLE = "bottle"
LAYOUTS = (ARTIFACT, BOTTLE)
BOTTLE_LIMIT_BYTES = 100 * 2**20
TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True)
class Target:
    """What to probe, and as whom.

    `url` is HOMEBREW_ARTIFACT_DOMAIN, or HOMEBREW_BOTTLE_DOMAIN in the layout ``bottle``;
    `api_url` is HOMEBREW_API_DOMAIN; `formulae` are names or globs, empty for a sample;
    `public_key_pem` is empty for Homebrew's own; without `authorization` older clients are
    set to send none; without `closure` dependencies are not looked for.
    """

    url: str
    api_url: str
    platforms: Sequence[str]
    formulae: Sequence[str] = ()
    layout: str = ARTIFACT
    public_key_pem: str = ""
    authorization: bool = True
    closure: bool = True
    timeout_seconds: float = TIMEOUT_SECONDS
    bottle_limit_bytes: int = BOTTLE_LIMIT_BYTES
    ca_file: str | None = None


@dataclass(frozen=True)
class Download:
    """How a bottle and its manifest came to the clients that want them."""

    bottle: Bottle
    clients: tuple[str, ...]
    manifest_clients: tuple[str, ...]
    manifest: tuple[Finding, ...]
    blob: tuple[Finding, ...]
    was_read: bool


def check(web: Web, target: Target, bottle: Bottle, clients: tuple[str, ...]) -> Download:
    """Fetch manifest and bottle once; ask again, without the bodies, as older clients do."""
    readers = _manifest_clients(target, clients)
    size_bytes: int | None = None
    manifest: tuple[Finding, ...] = ()
    if readers:
        checked = manifests.check(web, bottle, _manifest_url(target, bottle), _missing(target))
        size_bytes = checked.size_bytes
        seen = _mapped(web, bottle, checked.sightings, _raw_manifest_url(target, bottle))
        manifest = met(seen, readers)
    fetched = blobs.check(
        web, bottle, _blob_url(target, bottle), size_bytes, target.bottle_limit_bytes
    )
    seen = _mapped(web, bottle, fetched.sightings, _raw_blob_url(target, bottle))
    blob = met(seen, clients)
    if target.layout == ARTIFACT and target.authorization and BREW_4 in clients:
        manifest += met(_with_bearer(web, _manifest_url(target, bottle), manifest), [BREW_4])
        blob += met(_with_bearer(web, _blob_url(target, bottle), blob), [BREW_4])
    return Download(bottle, clients, readers, manifest, blob, fetched.was_read)


def rows(downloads: Sequence[Download], platform: str, blocked: tuple[str, ...]) -> list[Row]:
    """One row for the manifests, one for the bottles."""
    names = f"of {len({each.bottle.name for each in downloads})} formulae for {platform}"
    manifests_of = tuple({client: None for each in downloads for client in each.manifest_clients})
    blobs_of = tuple({client: None for each in downloads for client in each.clients})
    manifest = tuple(finding for each in downloads for finding in each.manifest)
    blob = tuple(finding for each in downloads for finding in each.blob)
    return [
        Row(f"manifests {names}", manifests_of, manifest, blocked),
        Row(f"bottles {names}", blobs_of, blob, blocked),
    ]


def ruby(web: Web, target: Target, bottle: Bottle) -> list[Sighting]:
    """Whether brew's own interpreter is there: the rest of it is a bottle like others."""
    return blobs.glance(web, _blob_url(target, bottle), "portable-ruby-missing")


def dependency(web: Web, target: Target, bottle: Bottle) -> list[Sighting]:
    """Whether a dependency's manifest and bottle are there, their bodies not waited for."""
    urls = [_blob_url(target, bottle)]
    if target.layout == ARTIFACT:
        urls.insert(0, _manifest_url(target, bottle))
    found = [each for url in urls for each in blobs.glance(web, url, "dependency-missing")]
    # One missing dependency is one finding, at the first URL that shows it.
    first: dict[str, Sighting] = {}
    for sighting in found:
        first.setdefault(sighting.defect, sighting)
    return list(first.values())


def _manifest_clients(target: Target, clients: tuple[str, ...]) -> tuple[str, ...]:
    if target.layout == ARTIFACT:
        return clients
    # Homebrew/brew#23244: before it no client asked a flat mirror for manifests.
    return tuple(each for each in clients if each == BREW_6)


def _missing(target: Target) -> str:
    return "manifest-missing" if target.layout == ARTIFACT else "flat-manifest-missing"


def _mapped(
    web: Web, bottle: Bottle, sightings: Sequence[Sighting], raw_url: str
) -> Sequence[Sighting]:
    """A file that is missing under its image name and there under the formula's own."""
    absent = {"manifest-missing", "flat-manifest-missing", "blob-missing"}
    first = sightings[0] if sightings else None
    if first is None or first.defect not in absent or bottle.image == bottle.name or not raw_url:
        return sightings
    if blobs.glance(web, raw_url, first.defect):
        return sightings
    problem = f"not here, but at {raw_url}"
    return [Sighting("image-name-unmapped", problem, first.url)]


def _with_bearer(web: Web, url: str, already: Sequence[Finding]) -> list[Sighting]:
    if any(finding.defect.level == "breaks" for finding in already):
        return []
    try:
        answer = web.look(url, Authorization=ANONYMOUS_BEARER, Range="bytes=0-0")
    except Stumble as stumble:
        return [stumble.sighting]
    if answer.status < 400:
        return []
    problem = f"{answer.status} with Authorization: {ANONYMOUS_BEARER}, success without"
    return [Sighting("authorization-refused", problem, url)]


def _manifest_url(target: Target, bottle: Bottle) -> str:
    if target.layout == BOTTLE:
        return f"{target.url}/{bottle.image}/manifests/{bottle.manifest_tag}"
    return bottles.manifest_url(target.url, bottle)


def _blob_url(target: Target, bottle: Bottle) -> str:
    if target.layout == BOTTLE:
        return f"{target.url}/{bottle.file_name}"
    return bottles.blob_url(target.url, bottle)


def _raw_manifest_url(target: Target, bottle: Bottle) -> str:
    if target.layout == BOTTLE:
        return f"{target.url}/{bottle.name}/manifests/{bottle.manifest_tag}"
    return bottles.manifest_url(target.url, bottle, image=bottle.name)


def _raw_blob_url(target: Target, bottle: Bottle) -> str:
    if target.layout == BOTTLE:
        return ""
    return bottles.blob_url(target.url, bottle, image=bottle.name)
