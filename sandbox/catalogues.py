"""Whole catalogues of homebrew/core, served by the sample upstream beside its own.

A catalogue is a JSON file, ``.json`` or ``.json.xz``: ``formulae`` (name, version, revision,
rebuild, bottles by tag with cellar and sha256, dependencies, aliases), ``formula_renames``
and ``tap_migrations``. Published, it has no bottles to fetch: it is for plans. Stocked, it takes
the place of the sample, with a small bottle for each that it names, and can be mirrored.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import re
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sandbox.api_files import Catalogue
from sandbox.errors import BadCatalogue, NotRunning
from sandbox.formulae import Bottle, Formula, default_cellar

PUBLISH_PATH = "/_sandbox/catalogues"
STOCK_PATH = "/_sandbox/stock"
PUBLISH_SECONDS = 120
# All of homebrew/core is tens of thousands of bottles to build.
STOCK_SECONDS = 1200
SHA256 = re.compile(r"[0-9a-f]{64}")


class NotACatalogue(Exception):
    """What is not right about the given bytes, in one clause."""


def publish(api_url: str, file: Path) -> str:
    """Have the running sample upstream serve this catalogue, signed with its key.

    Args:
        api_url: the sample upstream's own API, as `cloud.Sandbox.api_url` gives it.

    Returns:
        The API address of the catalogue, the same for the same content.

    Raises:
        BadCatalogue: the file cannot be read, or is not a catalogue.
        NotRunning: no sample upstream answers at that address.
    """
    return str(_posted(api_url, PUBLISH_PATH, file, PUBLISH_SECONDS)["api_url"])


def stock(api_url: str, file: Path) -> int:
    """Have the running sample upstream offer this catalogue, bottles included, as its own.

    Until the upstream is started anew, or makes a release. The digests in the file are not
    those of the bottles, which the upstream makes itself.

    Returns:
        How many formulae it has.

    Raises:
        BadCatalogue, NotRunning: as in `publish`.
    """
    return int(_posted(api_url, STOCK_PATH, file, STOCK_SECONDS)["formulae"])


def name_of(raw: bytes) -> str:
    """The folder and path segment of a catalogue: the same for the same bytes."""
    return hashlib.sha256(raw).hexdigest()[:16]


def parse(raw: bytes) -> Catalogue:
    """A catalogue file's content as formulae.

    Raises:
        NotACatalogue: it is something else.
    """
    found = _unpacked(raw)
    if not isinstance(found, dict) or not isinstance(found.get("formulae"), list):
        raise NotACatalogue("it has no list named 'formulae'")
    formulae = [_formula(entry) for entry in found["formulae"]]
    return Catalogue(
        formulae={formula.name: formula for formula in formulae},
        renames=found.get("formula_renames", {}),
        tap_migrations=found.get("tap_migrations", {}),
    )


def _posted(api_url: str, path: str, file: Path, seconds: int) -> Any:
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise _bad(str(error.strerror), file) from error
    status, answer = _post(api_url, path, raw, seconds)
    if status != 200:
        raise _bad(answer["problem"], file)
    return answer


def _post(api_url: str, path: str, raw: bytes, seconds: int) -> tuple[int, Any]:
    address = urlsplit(api_url)
    connection = HTTPConnection(address.netloc, timeout=seconds)
    try:
        connection.request("POST", path, body=raw)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    except (OSError, HTTPException, ValueError) as error:
        raise NotRunning(
            f"no sample upstream answers: {error}", where=api_url, remedy="inv sandbox.up"
        ) from error
    finally:
        connection.close()


def _bad(problem: str, file: Path) -> BadCatalogue:
    return BadCatalogue(
        f"not a catalogue of homebrew/core: {problem}",
        where=str(file),
        remedy="give a .json or .json.xz file with formulae, their versions and bottles",
    )


def _unpacked(raw: bytes) -> Any:
    try:
        text = lzma.decompress(raw) if raw.startswith(b"\xfd7zXZ\x00") else raw
        return json.loads(text)
    except (lzma.LZMAError, ValueError) as error:
        raise NotACatalogue(f"it is neither JSON nor JSON in xz ({error})") from error


def _formula(entry: Any) -> Formula:
    try:
        return Formula(
            name=_text(entry["name"]),
            version=_text(entry["version"]),
            desc=entry.get("desc") or "",
            homepage=entry.get("homepage") or "",
            license=entry.get("license"),
            revision=int(entry.get("revision") or 0),
            rebuild=int(entry.get("rebuild") or 0),
            dependencies=tuple(entry.get("dependencies", ())),
            aliases=tuple(entry.get("aliases", ())),
            deprecated="unmaintained" if entry.get("deprecated") else "",
            disabled="unmaintained" if entry.get("disabled") else "",
            bottles={tag: _bottle(tag, one) for tag, one in entry.get("bottles", {}).items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        name = entry.get("name") if isinstance(entry, Mapping) else None
        raise NotACatalogue(f"the formula {name!r} has a bad or missing value: {error}") from error


def _bottle(tag: str, one: Mapping[str, Any]) -> Bottle:
    if not SHA256.fullmatch(one["sha256"]):
        raise ValueError(f"sha256 of {tag} is {one['sha256']!r}")
    return Bottle(one["sha256"], one.get("cellar") or default_cellar(tag))


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{value!r} is not a text")
    return value
