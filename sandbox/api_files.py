"""The payloads of Homebrew's API files, made from formulae.

Source: brew 6.0.9, api/internal.rb and formula_struct.rb for ``internal/``, formula.rb
(Formula#to_hash) for ``formula.jws.json``.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.casks import Offer
from sandbox.formulae import CELLAR_ANYWHERE, TAGS, Formula, Use

ROOT_URL = "https://ghcr.io/v2/homebrew/core"
GIT_HEAD = "0" * 40
PER_PLATFORM = re.compile(r"internal/(packages|formula|cask)\.([a-z0-9_]+)\.jws\.json")


@dataclass(frozen=True)
class Catalogue:
    """All that one upstream says at one moment."""

    formulae: Mapping[str, Formula]
    renames: Mapping[str, str] = field(default_factory=dict)
    tap_migrations: Mapping[str, str] = field(default_factory=dict)
    casks: Offer = field(default_factory=Offer)


def payload_of(path: str, catalogue: Catalogue) -> str | None:
    """What the API file of this path, below ``api/``, says; None when there is no such file."""
    per_platform = PER_PLATFORM.fullmatch(path)
    if per_platform:
        kind, tag = per_platform.groups()
        return _as_json(_INTERNAL[kind](tag, catalogue)) if tag in TAGS else None
    if path == "formula.jws.json":
        return _as_json([formula(one) for one in catalogue.formulae.values()])
    if path == "cask.jws.json":
        return _as_json(catalogue.casks.listed())
    if path == "formula_tap_migrations.jws.json":
        return _as_json(catalogue.tap_migrations)
    if path == "cask_tap_migrations.jws.json":
        return _as_json({})
    return None


def packages(tag: str, catalogue: Catalogue) -> dict[str, Any]:
    """``internal/packages.<tag>.jws.json``: all that a client of brew 6 reads."""
    return {
        "metadata": {"bottle_tag": tag},
        "formulae": {name: package(one, tag) for name, one in catalogue.formulae.items()},
        "casks": catalogue.casks.packages(tag),
        "formula_aliases": _by_alias(catalogue.formulae.values()),
        "formula_renames": dict(catalogue.renames),
        "formula_tap_migrations": dict(catalogue.tap_migrations),
        "cask_renames": catalogue.casks.renames,
        "cask_tap_migrations": {},
        "formula_tap_git_head": GIT_HEAD,
        "cask_tap_git_head": GIT_HEAD,
    }


def package(one: Formula, tag: str) -> dict[str, Any]:
    """One entry of it; blank values are left out, as brew leaves them out."""
    entry = {
        "desc": one.desc,
        "homepage": one.homepage,
        "license": one.license,
        "stable_version": one.version,
        "revision": one.revision,
        "bottle_rebuild": one.rebuild,
        **_bottle_of(one, tag),
        "stable_dependencies": [
            *one.dependencies,
            *({name: ":build"} for name in one.build_dependencies),
        ],
        "stable_uses_from_macos": [_use(use) for use in one.uses_from_macos],
        "deprecate_args": _because(one.deprecated),
        "disable_args": _because(one.disabled),
        "aliases": list(one.aliases),
        "oldnames": list(one.oldnames),
        "ruby_source_checksum": _source_checksum(one),
        "stable_url_args": [_source_url(one)],
        "stable_checksum": _source_checksum(one),
    }
    return {key: value for key, value in entry.items() if value}


def formula(one: Formula) -> dict[str, Any]:
    """One entry of ``formula.jws.json``."""
    return {
        "name": one.name,
        "full_name": one.name,
        "tap": "homebrew/core",
        "oldnames": list(one.oldnames),
        "aliases": list(one.aliases),
        "versioned_formulae": [],
        "desc": one.desc,
        "license": one.license,
        "homepage": one.homepage,
        "versions": {"stable": one.version, "head": None, "bottle": bool(one.bottles)},
        "urls": {"stable": {"url": _source_url(one), "checksum": _source_checksum(one)}},
        "revision": one.revision,
        "version_scheme": 0,
        "bottle": _bottle(one),
        "keg_only": False,
        "build_dependencies": list(one.build_dependencies),
        "dependencies": list(one.dependencies),
        "uses_from_macos": [use.name for use in one.uses_from_macos],
        "uses_from_macos_bounds": [
            {"since": use.since} if use.since else {} for use in one.uses_from_macos
        ],
        "deprecated": bool(one.deprecated),
        "deprecation_reason": one.deprecated or None,
        "disabled": bool(one.disabled),
        "disable_reason": one.disabled or None,
        "variations": {},
    }


def _formulae_of(tag: str, catalogue: Catalogue) -> dict[str, Any]:
    wanted = ("formulae", "formula_aliases", "formula_renames", "formula_tap_migrations")
    everything = packages(tag, catalogue)
    return {key.removeprefix("formula_"): everything[key] for key in wanted} | {
        "tap_git_head": GIT_HEAD
    }


def _casks_of(tag: str, catalogue: Catalogue) -> dict[str, Any]:
    return {
        "casks": catalogue.casks.packages(tag),
        "renames": catalogue.casks.renames,
        "tap_migrations": {},
        "tap_git_head": GIT_HEAD,
    }


_INTERNAL = {"packages": packages, "formula": _formulae_of, "cask": _casks_of}


def _bottle_of(one: Formula, tag: str) -> dict[str, str]:
    found = one.bottle_for(tag)
    if found is None:
        return {}
    own_tag, bottle = found
    return {
        "bottle_checksum": bottle.digest,
        "bottle_tag": "" if own_tag == tag else f":{own_tag}",
        "bottle_cellar": "" if bottle.cellar == CELLAR_ANYWHERE else bottle.cellar,
    }


def _bottle(one: Formula) -> dict[str, Any]:
    if not one.bottles:
        return {}
    files = {
        tag: {
            "cellar": bottle.cellar,
            "url": f"{ROOT_URL}/{one.image}/blobs/sha256:{bottle.digest}",
            "sha256": bottle.digest,
        }
        for tag, bottle in one.bottles.items()
    }
    return {"stable": {"rebuild": one.rebuild, "root_url": ROOT_URL, "files": files}}


def _use(use: Use) -> list[Any]:
    return [use.name, {":since": f":{use.since}"}] if use.since else [use.name]


def _because(reason: str) -> dict[str, str]:
    return {":date": "2026-01-01", ":because": f":{reason}"} if reason else {}


def _by_alias(formulae: Iterable[Formula]) -> dict[str, str]:
    return {alias: one.name for one in formulae for alias in one.aliases}


def _source_url(one: Formula) -> str:
    return f"https://example.org/src/{one.name}-{one.version}.tar.gz"


def _source_checksum(one: Formula) -> str:
    return hashlib.sha256(_source_url(one).encode()).hexdigest()


def _as_json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
