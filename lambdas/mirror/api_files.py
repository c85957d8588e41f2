"""The signed API files: fetched, verified and kept byte for byte."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from mirror import catalogue, keys
from mirror.catalogue import Catalogue
from mirror.connections import Connections
from mirror.errors import NotUpstream
from mirror.signature import SigningKey

LIMIT_BYTES = 256 * 1024 * 1024
# What brew asks for, by generation: docs/reference/bucket-layout.md names the sources.
_FOR_ALL = (
    "formula.jws.json",
    "cask.jws.json",
    "formula_tap_migrations.jws.json",
    "cask_tap_migrations.jws.json",
)
_PER_PLATFORM = ("internal/formula.{}.jws.json", "internal/cask.{}.jws.json")


@dataclass(frozen=True)
class Staged:
    """The API files of one sync: what they offer, and each path's SHA-256."""

    catalogues: tuple[Catalogue, ...]
    digest_by_path: dict[str, str]


def catalogues(connections: Connections) -> Iterator[Catalogue]:
    """The catalogue of each selected platform, verified; nothing is written.

    Raises:
        NotUpstream: upstream has no such file for a platform.
        UntrustedCatalogue: a signature does not hold.
    """
    key = SigningKey(connections.settings.upstream.signing_key_pem)
    for platform in connections.settings.selection.platforms:
        path = _packages(platform)
        payload = key.payload(_fetch(connections, path), _url(connections, path))
        yield catalogue.parse(payload, platform, _url(connections, path))


def stage(connections: Connections, sync: str) -> Staged:
    """Put every API file that upstream offers under ``syncs/<id>/api/``, once it is verified.

    Raises:
        NotUpstream: a platform's catalogue is missing; the other files are optional.
        UntrustedCatalogue: a signature does not hold.
    """
    key = SigningKey(connections.settings.upstream.signing_key_pem)
    platforms = connections.settings.selection.platforms
    found, digests = [], {}
    for platform in platforms:
        path = _packages(platform)
        payload, digests[path] = _stage_one(connections, key, sync, path)
        found.append(catalogue.parse(payload, platform, _url(connections, path)))
    for path in (*_FOR_ALL, *(each.format(tag) for each in _PER_PLATFORM for tag in platforms)):
        try:
            _, digests[path] = _stage_one(connections, key, sync, path)
        except NotUpstream:  # A file of another generation of brew, which upstream has given up.
            continue
    return Staged(tuple(found), digests)


def _stage_one(connections: Connections, key: SigningKey, sync: str, path: str) -> tuple[str, str]:
    """Payload and SHA-256 of one file, which is in the bucket afterwards."""
    body = _fetch(connections, path)
    payload = key.payload(body, _url(connections, path))
    connections.bucket.write(keys.staged_api_file(sync, path), body)
    return payload, hashlib.sha256(body).hexdigest()


def _fetch(connections: Connections, path: str) -> bytes:
    return connections.fetcher.read(
        _url(connections, path), {"Accept-Encoding": "gzip"}, limit_bytes=LIMIT_BYTES
    )


def _url(connections: Connections, path: str) -> str:
    return f"{connections.settings.upstream.api_url.rstrip('/')}/{path}"


def _packages(platform: str) -> str:
    return f"internal/packages.{platform}.jws.json"
