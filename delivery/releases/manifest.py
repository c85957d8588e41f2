"""What a release is: its manifest, and the id that follows from the manifest's bytes."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from delivery.artifacts.target import Target
from delivery.errors import UnknownRelease, UntrustedRelease

FORMAT = 1
SHORT_DIGITS = 12
_NAME = re.compile(r"[0-9a-f]{6,64}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_COMMIT = re.compile(r"([0-9a-f]{40}|[0-9a-f]{64})?")
_IMAGE = re.compile(r"(sha256:[0-9a-f]{64})?")
_TEXT = re.compile(r"\S+")
_TARGET_KEYS = {"architecture", "python", "system"}
_COMPONENT_KEYS = {"sha256", "size_bytes"}


@dataclass(frozen=True)
class Component:
    """One artifact of a release; `sha256` is 64 hex digits."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class Release:
    """What is built once and deployed many times (docs/reference/releases.md).

    `commit` is empty where there was no git to ask; `image` is ``sha256:…`` or empty;
    `configuration_schema` and `sbom` are the SHA-256 of those files; `layout` is the
    generation of the mirror's bucket that its code reads and writes.
    """

    version: str
    commit: str
    dirty: bool
    target: Target
    components: Mapping[str, Component]
    image: str
    configuration_schema: str
    layout: int
    sbom: str

    @property
    def body(self) -> bytes:
        """The manifest: canonical, so that equal releases are equal bytes."""
        return canonical({"format": FORMAT, **asdict(self)})

    @property
    def id(self) -> str:
        """The SHA-256 of the manifest, which names the release."""
        return hashlib.sha256(self.body).hexdigest()

    @property
    def short_id(self) -> str:
        """As many digits of the id as a person is shown."""
        return self.id[:SHORT_DIGITS]

    @property
    def sha256_by_component(self) -> dict[str, str]:
        """The components as a release record has them."""
        return {name: each.sha256 for name, each in self.components.items()}


class Package(Protocol):
    """A release that was made here: its artifacts are files, its papers are bytes."""

    @property
    def release(self) -> Release:
        """The release."""

    @property
    def paths(self) -> Mapping[str, Path]:
        """Component → its zip."""

    @property
    def sbom(self) -> bytes:
        """The bill of materials, whose SHA-256 the release names."""

    def provenance(self) -> bytes:
        """Who built it, when, from what; asked for only where none is kept yet."""


def canonical(document: Any) -> bytes:
    """JSON with sorted keys and no spaces, in ASCII: one document, one spelling."""
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode("ascii")


def check_name(name: str) -> None:
    """Refuse what cannot be a release's id or the beginning of one.

    Raises:
        UnknownRelease: it is not 6 to 64 digits of 0-9 and a-f.
    """
    if _NAME.fullmatch(name) is None:
        raise UnknownRelease(
            f'"{name}" is not the name of a release',
            where="the release that was asked for",
            remedy="give 6 to 64 digits of 0-9 and a-f, as `inv package` shows them",
        )


def parse(body: bytes, where: str) -> Release:
    """The release that a manifest speaks of.

    Args:
        where: the file or the bucket and key that it was read from, for the message.

    Raises:
        UntrustedRelease: it is no manifest, or one of a newer Airbrew.
    """
    try:
        document = json.loads(body)
    except ValueError as error:
        raise _unreadable(f"it is not JSON: {error}", where) from error
    if not isinstance(document, dict):
        raise _unreadable("it is not a JSON object", where)
    if document.get("format") != FORMAT:
        raise UntrustedRelease(
            f"the manifest has format {document.get('format')!r}, this Airbrew reads {FORMAT}",
            where=where,
            remedy="use the Airbrew that made the release, or a newer one",
        )
    wrong = [f'"{name}" is {value!r}' for name, value in _wrong(document)]
    if wrong:
        raise _unreadable(", ".join(wrong), where)
    return _release(document)


def _release(document: dict[str, Any]) -> Release:
    fields = {name: value for name, value in document.items() if name != "format"}
    fields["target"] = Target(**document["target"])
    fields["components"] = {
        name: Component(**each) for name, each in sorted(document["components"].items())
    }
    return Release(**fields)


def _wrong(document: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Each key that is absent, not as it should be, or not known, with what it holds."""
    absent = [(name, None) for name in _CHECKS.keys() - document.keys()]
    wrong = [
        (name, value)
        for name, value in document.items()
        if name not in _CHECKS or not _CHECKS[name](value)
    ]
    return sorted(absent + wrong, key=lambda each: each[0])


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_target(value: object) -> bool:
    if not isinstance(value, dict) or value.keys() != _TARGET_KEYS:
        return False
    return all(_matches(_TEXT, each) for each in value.values())


def _are_components(value: object) -> bool:
    return isinstance(value, dict) and bool(value) and all(map(_is_component, value.values()))


def _is_component(value: object) -> bool:
    if not isinstance(value, dict) or value.keys() != _COMPONENT_KEYS:
        return False
    return _matches(_DIGEST, value["sha256"]) and _is_count(value["size_bytes"])


_CHECKS: Mapping[str, Callable[[object], bool]] = {
    "format": lambda it: it == FORMAT,
    "version": partial(_matches, _TEXT),
    "commit": partial(_matches, _COMMIT),
    "dirty": lambda it: isinstance(it, bool),
    "target": _is_target,
    "components": _are_components,
    "image": partial(_matches, _IMAGE),
    "configuration_schema": partial(_matches, _DIGEST),
    "layout": _is_count,
    "sbom": partial(_matches, _DIGEST),
}


def _unreadable(problem: str, where: str) -> UntrustedRelease:
    return UntrustedRelease(
        f"this is not the manifest of a release: {problem}",
        where=where,
        remedy="make the release again: inv package",
    )
