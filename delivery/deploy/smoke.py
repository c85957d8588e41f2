"""Does the deployed mirror work: fetch one bottle back through it, step by step as brew would.

Written from brew's side (../lambdas is not imported): a mirror that checks itself with its
own code would pass with its own mistakes. Source of the steps: Homebrew/brew 6.0,
``resource.rb`` (BottleManifest); the signature is jws.py's, names and URLs are bottles.py's.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from delivery.errors import SmokeTestFailed
from delivery.mirror import bottles, jws
from delivery.mirror.bottles import Bottle

TIMEOUT_SECONDS = 60
CHUNK_BYTES = 1024 * 1024
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"


@dataclass(frozen=True)
class FetchedBottle:
    """The bottle that came back whole: where it is, and what it hashes to."""

    formula: str
    version: str
    tag: str
    digest: str
    size_bytes: int
    manifest_url: str
    blob_url: str


def fetch_as_brew_would(
    mirror_url: str, platform: str, formulae: Iterable[str], public_key_pem: str
) -> FetchedBottle:
    """API file → signature → manifest → tab annotation → blob → digest, over HTTP.

    Args:
        mirror_url: what HOMEBREW_ARTIFACT_DOMAIN would be; the API is at ``/api`` below it.
        platform: the bottle tag of the Mac to play, for example ``arm64_tahoe``.
        formulae: names to try; the first that has a bottle for the platform is fetched, and
            when none of them has one (or it is ``*``), the first of the API file.
        public_key_pem: the key that signs the API; empty for Homebrew's own.

    Raises:
        SmokeTestFailed: one of the steps does not hold; the message names it and its URL.
    """
    api_url = f"{mirror_url}/api/internal/packages.{platform}.jws.json"
    payload = verified_payload(_read(api_url), public_key_pem, api_url)
    name, entry = _choose(json.loads(payload)["formulae"], formulae, api_url)
    bottle = Bottle.of(name, entry, platform)

    manifest_url = bottles.manifest_url(mirror_url, bottle)
    size_bytes = _size_in_manifest(bottle, _read(manifest_url, accept=INDEX_TYPE), manifest_url)

    blob_url = bottles.blob_url(mirror_url, bottle)
    _check_blob(bottle, size_bytes, blob_url)
    return FetchedBottle(
        name, bottle.version, bottle.tag, bottle.digest, size_bytes, manifest_url, blob_url
    )


def verified_payload(body: bytes, public_key_pem: str, url: str) -> str:
    """The payload of a JWS file whose `homebrew-1` signature holds (PS512, b64 false).

    Raises:
        SmokeTestFailed: it does not; brew would refuse the file.
    """
    try:
        return jws.verified_payload(body, public_key_pem)
    except jws.BadJws as error:
        raise _broken(error.problem, url) from error


def _choose(
    entries: Mapping[str, Mapping[str, Any]], wanted: Iterable[str], url: str
) -> tuple[str, Mapping[str, Any]]:
    for name in (*wanted, *entries):
        if entries.get(name, {}).get("bottle_checksum"):
            return name, entries[name]
    raise _broken("no formula of the API file has a bottle", url)


def _size_in_manifest(bottle: Bottle, body: bytes, url: str) -> int:
    for entry in json.loads(body)["manifests"]:
        notes = entry.get("annotations", {})
        if notes.get("sh.brew.bottle.digest") != bottle.digest:
            continue
        if notes.get("org.opencontainers.image.ref.name") != bottle.ref_name:
            continue
        json.loads(notes["sh.brew.tab"])  # brew fails without it, and so must we.
        return int(notes["sh.brew.bottle.size"])
    raise _broken(f'the manifest has no "{bottle.ref_name}" with digest {bottle.digest}', url)


def _check_blob(bottle: Bottle, size_bytes: int, url: str) -> None:
    digest, received = hashlib.sha256(), 0
    with _open(Request(url)) as response:  # noqa: S310 - the scheme is that of our own server
        while chunk := response.read(CHUNK_BYTES):
            digest.update(chunk)
            received += len(chunk)
    if digest.hexdigest() != bottle.digest or received != size_bytes:
        found = f"{received} bytes that hash to {digest.hexdigest()}"
        raise _broken(f"the bottle is {found}, not the {size_bytes} that were promised", url)


def _read(url: str, accept: str = "*/*") -> bytes:
    request = Request(url, headers={"Accept": accept})  # noqa: S310 - as above
    with _open(request) as response:
        return bytes(response.read())


def _open(request: Request) -> Any:
    try:
        return urlopen(request, timeout=TIMEOUT_SECONDS)  # noqa: S310 - as above
    except URLError as error:
        if isinstance(error, HTTPError):
            error.close()  # It is the response, too, and holds the connection.
        raise _broken(f"the mirror does not answer: {error}", request.full_url) from error


def _broken(problem: str, url: str) -> SmokeTestFailed:
    return SmokeTestFailed(
        problem,
        where=url,
        remedy="inv mirror.sync mirrors again; if it stays, read syncs/<id>/report.json",
    )
