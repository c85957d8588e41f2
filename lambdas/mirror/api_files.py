"""The signed API files: fetched, verified and kept byte for byte."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from mirror import cask_catalogue, catalogue, keys
from mirror.bucket import Bucket
from mirror.cask_catalogue import CaskCatalogue
from mirror.catalogue import Catalogue
from mirror.connections import Connections
from mirror.errors import BucketRefused, NotUpstream
from mirror.fetching import Validators
from mirror.signature import SigningKey
from mirror.snapshots import Snapshot

LIMIT_BYTES = 256 * 1024 * 1024
ALL_CASKS = "cask.jws.json"
# What brew asks for, by generation: docs/reference/bucket-layout.md names the sources.
_FOR_ALL = (
    "formula.jws.json",
    ALL_CASKS,
    "formula_tap_migrations.jws.json",
    "cask_tap_migrations.jws.json",
)
_ACCEPT = {"Accept-Encoding": "gzip"}
_PER_PLATFORM = ("internal/formula.{}.jws.json", "internal/cask.{}.jws.json")


@dataclass(frozen=True)
class Staged:
    """The API files of one sync.

    Args:
        catalogues: what they offer, per platform.
        casks: the same of casks, for all generations of clients; none unless any is selected.
        digest_by_path: each path's SHA-256.
        validators: path → what a later sync asks upstream with, so that it answers 304.
        kept: paths whose bytes are those of the newest snapshot, and are not staged yet.
    """

    catalogues: tuple[Catalogue, ...]
    digest_by_path: dict[str, str]
    validators: dict[str, Validators]
    kept: frozenset[str]
    casks: tuple[CaskCatalogue, ...] = ()


def catalogues(connections: Connections) -> Iterator[Catalogue]:
    """The catalogue of each selected platform, verified; nothing is written.

    Raises:
        NotUpstream: upstream has no such file for a platform.
        UntrustedCatalogue: a signature does not hold.
    """
    wanted = connections.settings.selection
    for platform in wanted.platforms:
        path = packages(platform)
        yield catalogue.parse(
            _payload(connections, path),
            platform,
            _url(connections, path),
            with_casks=bool(wanted.casks),
        )


def casks(connections: Connections, found: Sequence[Catalogue]) -> tuple[CaskCatalogue, ...]:
    """The casks of the same platforms, as any generation of clients sees them.

    Raises:
        UntrustedCatalogue: a signature does not hold.
    """
    if not connections.settings.selection.casks:
        return ()
    return _with_list(connections, found, lambda path: _payload(connections, path))


def _with_list(
    connections: Connections, found: Sequence[Catalogue], payload_of: Callable[[str], str]
) -> tuple[CaskCatalogue, ...]:
    shown = tuple(each.casks for each in found)
    try:
        listed = payload_of(ALL_CASKS)
    except NotUpstream:  # Only brews before 6 read it.
        return shown
    return tuple(cask_catalogue.with_list(shown, listed, _url(connections, ALL_CASKS)))


def stage(connections: Connections, sync: str, newest: Snapshot | None) -> Staged:
    """Put every API file that is not the newest snapshot's under ``syncs/<id>/api/``, verified.

    Raises:
        NotUpstream: a platform's catalogue is missing; the other files are optional.
        UntrustedCatalogue: a signature does not hold.
    """
    stage = _Stage(connections, sync, newest)
    wanted = connections.settings.selection
    found = [
        catalogue.parse(
            stage.payload(path), platform, _url(connections, path), with_casks=bool(wanted.casks)
        )
        for platform in wanted.platforms
        for path in (packages(platform),)
    ]
    casks = _with_list(connections, found, stage.payload) if wanted.casks else ()
    older = (each.format(tag) for each in _PER_PLATFORM for tag in wanted.platforms)
    for path in (*_FOR_ALL, *older):
        if path not in stage.digests:
            with contextlib.suppress(NotUpstream):  # Of a generation that upstream has given up.
                stage.take(path)
    return Staged(tuple(found), stage.digests, stage.validators, frozenset(stage.kept), casks)


def stage_kept(bucket: Bucket, sync: str, staged: Staged, newest: Snapshot) -> None:
    """Stage what `stage` left out, once it is known that there will be another snapshot."""
    for path in sorted(staged.kept):
        body = _read_kept(bucket, newest, path)
        bucket.write(keys.staged_api_file(sync, path), body)


class _Stage:
    """The API files of one sync in the making, beside those of the newest snapshot."""

    def __init__(self, connections: Connections, sync: str, newest: Snapshot | None) -> None:
        self._connections, self._sync, self._newest = connections, sync, newest
        self._key = SigningKey(connections.settings.upstream.signing_key_pem)
        self.digests: dict[str, str] = {}
        self.validators: dict[str, Validators] = {}
        self.kept: set[str] = set()

    def payload(self, path: str) -> str:
        """Take a file, and give what is in it."""
        body = self.take(path)
        if body is None:
            assert self._newest is not None  # noqa: S101 - only its files are kept; for mypy
            body = _read_kept(self._connections.bucket, self._newest, path)
        return self._key.payload(body, _url(self._connections, path))

    def take(self, path: str) -> bytes | None:
        """Stage a file, unless it is the newest snapshot's: then None."""
        known = self._known(path)
        answer = self._connections.fetcher.read_unless_known(
            _url(self._connections, path), _ACCEPT, known, limit_bytes=LIMIT_BYTES
        )
        if answer is None:
            self._keep(path, known)
            return None
        self._key.payload(answer.body, _url(self._connections, path))
        digest = hashlib.sha256(answer.body).hexdigest()
        validators = {**answer.validators, "source": self._source(path)}
        if known and digest == self._digest_kept(path):
            self._keep(path, validators)
            return None
        self.digests[path], self.validators[path] = digest, validators
        self._connections.bucket.write(keys.staged_api_file(self._sync, path), answer.body)
        return answer.body

    def _keep(self, path: str, validators: Validators) -> None:
        self.digests[path], self.validators[path] = self._digest_kept(path), validators
        self.kept.add(path)

    def _digest_kept(self, path: str) -> str:
        return str(self._newest.document["api_files"][path]) if self._newest else ""

    def _known(self, path: str) -> Validators:
        """Empty unless the newest snapshot's file is from the same URL, by the same key."""
        recorded = self._newest.document.get("validators", {}) if self._newest else {}
        found: Validators = recorded.get(path, {})
        return found if found.get("source") == self._source(path) else {}

    def _source(self, path: str) -> str:
        pem = self._connections.settings.upstream.signing_key_pem
        return hashlib.sha256(f"{_url(self._connections, path)}\n{pem}".encode()).hexdigest()


def _read_kept(bucket: Bucket, newest: Snapshot, path: str) -> bytes:
    key = keys.snapshot_api_file(newest.id, path)
    body = bucket.read(key)
    if hashlib.sha256(body).hexdigest() != newest.document["api_files"][path]:
        raise BucketRefused(
            "the API file is not the one that was published",
            where=bucket.where(key),
            remedy="find out who writes below snapshots/; remove that snapshot, then sync again",
        )
    return body


def _payload(connections: Connections, path: str) -> str:
    url = _url(connections, path)
    key = SigningKey(connections.settings.upstream.signing_key_pem)
    return key.payload(connections.fetcher.read(url, _ACCEPT, limit_bytes=LIMIT_BYTES), url)


def _url(connections: Connections, path: str) -> str:
    return f"{connections.settings.upstream.api_url.rstrip('/')}/{path}"


def packages(platform: str) -> str:
    """Path below ``api/`` of the catalogue of one platform."""
    return f"internal/packages.{platform}.jws.json"
