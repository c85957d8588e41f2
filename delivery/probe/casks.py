"""The files of casks: does `brew mirror-cask` get from the mirror what the catalogue names.

Source: client/brew-mirror-cask, which asks by token and digest; Homebrew/brew 6.0,
``api/cask_struct.rb`` (`internal/packages`); ``cask/cask.rb`` (to_hash_with_variations) and
``api.rb`` (merge_variations) for ``cask.jws.json``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from delivery.errors import BadInput
from delivery.mirror.bottles import cask_key
from delivery.probe import blobs
from delivery.probe.api_files import CheckedFile
from delivery.probe.defects import Sighting, Stumble
from delivery.probe.findings import Finding, Row, counted, met, union
from delivery.probe.parallel import at_once
from delivery.probe.targets import Casks
from delivery.probe.web import Stream, Web, check_status

_DIGEST = re.compile(r"[0-9a-f]{64}")
_TOTAL = re.compile(r"bytes 0-0/(?P<bytes>[0-9]{1,15})")
START_BYTES = 1024


@dataclass(frozen=True)
class CaskFile:
    """What a client asks the mirror for; `digest` is empty where the catalogue has none."""

    token: str
    digest: str


@dataclass(frozen=True)
class CaskFiles:
    """The casks of one platform: asked for once, whatever number of clients want them.

    `notes` fills up with what was left out.
    """

    web: Web
    mirror_url: str
    wanted: Casks
    limit_bytes: int
    notes: list[str] = field(default_factory=list)

    def rows(self, checked: Iterable[CheckedFile], tag: str) -> list[Row]:
        """One row, or none where no cask is to be played.

        Raises:
            BadInput: a token is in none of the catalogues.
        """
        if not self.wanted.tokens:
            return []
        offered = [
            (each.file.clients, _casks(each, tag)) for each in checked if _is_list(each, tag)
        ]
        found = self._wanted(offered, tag)
        asking = union(clients for clients, _ in offered)
        findings = at_once(lambda item: self._met(*item), found.items())
        label = counted(len({each.token for each in found}), "cask", "casks")
        return [Row(f"{label}, {tag}", asking, tuple(one for each in findings for one in each))]

    def _wanted(
        self, offered: Sequence[tuple[tuple[str, ...], Mapping[str, str]]], tag: str
    ) -> Mapping[CaskFile, tuple[str, ...]]:
        found: dict[CaskFile, tuple[str, ...]] = {}
        for token in self.wanted.tokens:
            _check_known(token, [casks for _, casks in offered])
            for clients, casks in offered:
                if token not in casks or (token, tag) in self.wanted.left_out:
                    continue
                if not casks[token]:
                    self._note(f"no checksum in the catalogue, not mirrored: cask {token}")
                    continue
                file = CaskFile(token, casks[token])
                found[file] = union([found.get(file, ()), clients])
        return found

    def _met(self, file: CaskFile, clients: tuple[str, ...]) -> tuple[Finding, ...]:
        return met(self._check(file), clients)

    def _check(self, file: CaskFile) -> list[Sighting]:
        mirror = self.mirror_url.removesuffix("/v2")
        url = f"{mirror}/{cask_key(file.token, file.digest)}"
        size_bytes = self.wanted.size_by_digest.get(file.digest)
        try:
            if (size_bytes or 0) > self.limit_bytes:
                self._note_unread(file)
                return self._glanced(url, size_bytes)
            with self.web.open(url) as stream:
                check_status(stream, "cask-missing")
                return [*stream.sightings, *self._judged(file, stream, size_bytes)]
        except Stumble as stumble:
            return [stumble.sighting]

    def _judged(self, file: CaskFile, stream: Stream, size_bytes: int | None) -> list[Sighting]:
        digest, received, start = hashlib.sha256(), 0, b""
        for chunk in stream.chunks():
            digest.update(chunk)
            received += len(chunk)
            start = start or chunk[:START_BYTES]
            if size_bytes is None and received > self.limit_bytes:
                self._note_unread(file)
                return []
        if digest.hexdigest() == file.digest:
            return []
        problem = f"{received} bytes that hash to {digest.hexdigest()}"
        return [_mismatch(stream.url, problem, received, size_bytes, start)]

    def _glanced(self, url: str, size_bytes: int | None) -> list[Sighting]:
        """The first byte of a large file, and whether the server says as many follow as should."""
        found = blobs.glance(self.web, url, "cask-missing")
        told = self.web.look(url, Range="bytes=0-0").headers.get("content-range", "")
        shape = _TOTAL.fullmatch(told)
        if found or shape is None or int(shape["bytes"]) == size_bytes:
            return found
        received = int(shape["bytes"])
        problem = f"{received} bytes, {size_bytes} are recorded"
        return [_mismatch(url, problem, received, size_bytes, b"")]

    def _note_unread(self, file: CaskFile) -> None:
        mib = self.limit_bytes // 2**20
        self._note(f"over {mib} MiB, not fetched whole: cask {file.token}")

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def _is_list(checked: CheckedFile, tag: str) -> bool:
    is_read = checked.payload is not None and checked.file.payload in {"casks", "packages"}
    return is_read and checked.file.platform in {"", tag}


def _casks(checked: CheckedFile, tag: str) -> Mapping[str, str]:
    """Token → SHA-256; empty where the cask has none, or installs nothing from a file."""
    if checked.file.payload == "packages":
        told = _object(checked.payload.get("casks"))
        return {token: _digest(_object(entry)) for token, entry in told.items()}
    return {str(each["token"]): _digest(_merged(each, tag)) for each in checked.payload}


def _merged(entry: Mapping[str, Any], tag: str) -> Mapping[str, Any]:
    return {**entry, **_object(_object(entry.get("variations")).get(tag))}


def _digest(entry: Mapping[str, Any]) -> str:
    digest = str(entry.get("sha256"))
    return digest if _DIGEST.fullmatch(digest) else ""


def _object(told: Any) -> Mapping[str, Any]:
    return told if isinstance(told, dict) else {}


def _mismatch(
    url: str, problem: str, received: int, size_bytes: int | None, start: bytes
) -> Sighting:
    if received == 0:
        return Sighting("cask-empty", "no bytes at all", url)
    if start.lstrip().lower().startswith((b"<!doctype html", b"<html")):
        return Sighting("html-instead", problem, url)
    if size_bytes is None or received == size_bytes:
        return Sighting("cask-corrupted", problem, url)
    return Sighting("cask-too-short" if received < size_bytes else "cask-too-long", problem, url)


def _check_known(token: str, offered: Sequence[Mapping[str, str]]) -> None:
    # Nothing could be read; that is a finding, not the user's mistake.
    if not offered or any(token in each for each in offered):
        return
    near = get_close_matches(token, _all(offered), n=1)
    meant = f'; did you mean "{near[0]}"?' if near else ""
    raise BadInput(
        f'the catalogue has no cask "{token}"{meant}',
        where="--cask",
        remedy="name casks as the mirror's catalogue does",
    )


def _all(offered: Iterable[Mapping[str, str]]) -> list[str]:
    def tokens() -> Iterator[str]:
        for each in offered:
            yield from each

    return sorted(set(tokens()))
