"""What brew 4, 5 and 6 do for a cask: where its file is looked for, and how it is proven.

Written from Homebrew/brew's sources: ``api/cask.rb``, ``api/cask_struct.rb``, ``api.rb``
(merge_variations), ``cask/download.rb``, ``download_strategy/abstract_file_download_strategy.rb``
(cached_location, parse_basename), ``cmd/info.rb`` and ``cmd/--cache.rb``.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from delivery.mirror import jws
from tests.doubles.brew_client import GENERATIONS, Brew, BrewError
from tests.doubles.brew_line import Unreachable


@dataclass(frozen=True)
class Cask:
    """What a client knows of one; `sha256` is ``no_check`` where there is none."""

    token: str
    version: str
    url: str
    sha256: str


def known(brew: Brew) -> dict[str, Cask]:
    """What the cached API file of this client says, token by token."""
    name = next(
        each
        for each in GENERATIONS[brew.generation].api_files
        if "packages" in each or "cask" in each
    )
    body = (brew.home / "cache" / name.format(tag=brew.tag)).read_bytes()
    told = json.loads(jws.verified_payload(body, brew.public_key_pem))
    if isinstance(told, list):
        merged = [{**each, **each["variations"].get(brew.tag, {})} for each in told]
        return {
            each["token"]: Cask(each["token"], each["version"], each["url"], each["sha256"])
            for each in merged
        }
    return {
        token: Cask(token, each["version"], each["url_args"][0], each["sha256"].lstrip(":"))
        for token, each in told["casks"].items()
    }


def info(cask: Cask) -> str:
    """``brew info --cask --json=v2 <token>``, as far as it matters here."""
    entry: dict[str, Any] = {
        **vars(cask),
        "artifacts": [{"app": ["Some.app"]}],
        "ruby_source_checksum": {"sha256": "f" * 64},
    }
    return json.dumps({"formulae": [], "casks": [entry]}, indent=2)


def cached_location(brew: Brew, cask: Cask) -> Path:
    """``brew --cache --cask <token>``, where the vendor cannot be asked for a better name."""
    folder = brew.home / "cache" / "downloads"
    digest = hashlib.sha256(cask.url.encode()).hexdigest()
    there = [each for each in folder.glob(f"{digest}--*") if each.suffix != ".incomplete"]
    return there[0] if len(there) == 1 else folder / f"{digest}--{_basename(cask.url)}"


def install(brew: Brew, token: str) -> bytes:
    """``brew install --cask <token>``: the bytes that would be unpacked."""
    cask = known(brew)[token]
    file = cached_location(brew, cask)
    try:
        brew.line.send(cask.url, {}, "HEAD")
    except Unreachable as error:
        if not file.exists():
            raise BrewError(f"Download failed on Cask '{token}': {cask.url}") from error
    body = file.read_bytes()
    if cask.sha256 != "no_check" and hashlib.sha256(body).hexdigest() != cask.sha256:
        raise BrewError(f"SHA256 mismatch of {token}")
    return body


def _basename(url: str) -> str:
    """The last part of path and query that has an extension, else the last of the path."""
    parts = urlsplit(url)
    path = [unquote(each) for each in parts.path.split("/") if each]
    query = [value for _, value in parse_qsl(parts.query)]
    named = (each for each in reversed([*path, *query]) if Path(each).suffix)
    return Path(next(named, path[-1])).name
