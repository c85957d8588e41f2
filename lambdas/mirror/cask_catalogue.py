"""What upstream offers one platform in casks, from the API files of either generation.

Sources: Homebrew/brew 6.0, ``api/cask_struct.rb`` (`internal/packages`); ``cask/cask.rb``
(to_hash_with_variations) and ``api.rb`` (merge_variations) for ``cask.jws.json``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from mirror import documents
from mirror.errors import UntrustedCatalogue

NO_CHECK = "no_check"
# What a `url` may say beside the address that changes nothing of what is to be fetched.
_HARMLESS = {"verified", "using"}
_PLAIN_DOWNLOADS = {"", "homebrew_curl"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One cask as one API file shows it to one platform.

    Args:
        url: empty where the cask installs nothing from a file.
        digest: SHA-256; empty where the cask says ``no_check``.
        special: what its vendor wants besides a plain GET: ``user_agent``, ``data``.
        formulae, casks: what it depends on.
        deprecated_from, disabled_from: the day, ``2026-01-31``; empty when it is not so.
    """

    token: str
    version: str
    url: str
    digest: str
    special: tuple[str, ...] = ()
    formulae: tuple[str, ...] = ()
    casks: tuple[str, ...] = ()
    deprecated_from: str = ""
    disabled_from: str = ""

    def is_disabled(self, today: date) -> bool:
        """Whether brew refuses to install it."""
        return "" < self.disabled_from <= today.isoformat()

    def is_deprecated(self, today: date) -> bool:
        """Whether brew warns of it."""
        return "" < self.deprecated_from <= today.isoformat()


@dataclass(frozen=True)
class CaskCatalogue:
    """All casks of one platform.

    Args:
        entries: token → what each API file says of it, those that say the same once.
        token_by_former: former token → token.
    """

    platform: str
    entries: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    token_by_former: Mapping[str, str] = field(default_factory=dict)

    def resolve(self, name: str) -> str | None:
        """The cask that a token or a former one means; None when there is none."""
        seen: set[str] = set()
        while name not in self.entries:
            if name in seen or name not in self.token_by_former:
                return None
            seen.add(name)
            name = self.token_by_former[name]
        return name


def of_packages(document: Mapping[str, Any], platform: str) -> CaskCatalogue:
    """From the document of ``internal/packages.<platform>.jws.json``, which brew 6 reads.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: it is not of that shape.
    """
    entries = {token: (_of_package(token, one),) for token, one in document["casks"].items()}
    return CaskCatalogue(platform, entries, dict(document.get("cask_renames", {})))


def with_list(found: Iterable[CaskCatalogue], payload: str, where: str) -> Iterator[CaskCatalogue]:
    """The same with what ``cask.jws.json`` shows to older brews, where that is different.

    Raises:
        UntrustedCatalogue: it is not of the shape that brew reads.
    """
    try:
        listed = documents.parse(payload)
        for catalogue in found:
            yield _joined(catalogue, [_of_listed(each, catalogue.platform) for each in listed])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UntrustedCatalogue(
            f"not the list of all casks: {error!r}",
            where=where,
            remedy="check upstream.api_url; if Homebrew changed the format, update Airbrew",
        ) from error


def _joined(catalogue: CaskCatalogue, listed: Iterable[Entry]) -> CaskCatalogue:
    entries = dict(catalogue.entries)
    for entry in listed:
        held = entries.get(entry.token, ())
        if not any((each.url, each.digest) == (entry.url, entry.digest) for each in held):
            entries[entry.token] = (*held, entry)
    return CaskCatalogue(catalogue.platform, entries, catalogue.token_by_former)


def _of_package(token: str, entry: Mapping[str, Any]) -> Entry:
    needed = _unmarked(entry.get("depends_on_args", {}))
    return Entry(
        token,
        _symbol(entry.get("version", "")),
        str(next(iter(entry.get("url_args", ())), "")),
        _digest(entry.get("sha256", NO_CHECK)),
        _special(_unmarked(entry.get("url_kwargs", {}))),
        tuple(needed.get("formula", ())),
        tuple(needed.get("cask", ())),
        _day(_unmarked(entry.get("deprecate_args", {}))),
        _day(_unmarked(entry.get("disable_args", {}))),
    )


def _of_listed(entry: Mapping[str, Any], platform: str) -> Entry:
    told = {**entry, **entry.get("variations", {}).get(platform, {})}
    needed = told.get("depends_on") or {}
    return Entry(
        str(told["token"]),
        str(told.get("version") or ""),
        str(told.get("url") or ""),
        _digest(told.get("sha256") or NO_CHECK),
        _special(told.get("url_specs") or {}),
        tuple(needed.get("formula", ())),
        tuple(needed.get("cask", ())),
        str(told.get("deprecation_date") or "") if told.get("deprecated") else "",
        str(told.get("disable_date") or "") if told.get("disabled") else "",
    )


def _unmarked(told: Mapping[str, Any]) -> dict[str, Any]:
    """Ruby's symbols are written with a colon in ``internal/`` files: ``:formula``."""
    return {_symbol(name): value for name, value in told.items()}


def _symbol(text: Any) -> str:
    return str(text).removeprefix(":")


def _digest(told: Any) -> str:
    digest = _symbol(told)
    return "" if digest == NO_CHECK else digest


def _special(specs: Mapping[str, Any]) -> tuple[str, ...]:
    wanted = {name for name, value in specs.items() if value and name not in _HARMLESS}
    if _symbol(specs.get("using") or "") not in _PLAIN_DOWNLOADS:
        wanted.add("using")
    return tuple(sorted(wanted))


def _day(arguments: Mapping[str, Any]) -> str:
    return str(arguments.get("date", date.min.isoformat())) if arguments else ""
