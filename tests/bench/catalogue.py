"""A catalogue of the real shape: from Homebrew's own data where it is at hand, else made up."""

from __future__ import annotations

import hashlib
import json
import lzma
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

REAL = Path(__file__).parents[3] / "shared" / "data" / "homebrew-core-2026-08-22.json.xz"
FORMULAE = 8548
TAGS = (
    *("arm64_tahoe", "arm64_sequoia", "arm64_sonoma", "sonoma", "arm64_linux", "x86_64_linux"),
    "arm64_ventura",
)


def formulae(count: int = FORMULAE) -> tuple[list[dict[str, Any]], str]:
    """Formulae as the data file has them, and where they are from.

    A count above what there is repeats them under other names, each in its place: brew writes
    them in the order of their files. Source: Homebrew/brew 6.0, ``tap.rb``, ``formula_files``.
    """
    if REAL.exists():
        known = json.loads(lzma.decompress(REAL.read_bytes()))["formulae"]
        source = "the real catalogue of 2026-08-22"
    else:
        known, source = list(_made_up()), "a catalogue made up in the real shape"
    found = known[:count]
    while len(found) < count:
        copy = len(found) // len(known)
        found += [_renamed(each, copy) for each in known[: count - len(found)]]
    return sorted(found, key=lambda each: _path(each["name"])), source


def _path(name: str) -> str:
    """``lib/libpng.rb``, ``j/jq.rb``.

    Source: Homebrew/brew 6.0, ``tap.rb``, ``new_formula_subdirectory``.
    """
    return f"{'lib' if name.startswith('lib') else name[0]}/{name}.rb"


def payloads(found: list[dict[str, Any]]) -> dict[str, str]:
    """Platform → the payload of ``internal/packages.<platform>.jws.json``."""
    tags = sorted({tag for each in found for tag in each["bottles"]} - {"all"})
    return {tag: json.dumps(_payload(found, tag)) for tag in tags}


def bottles(found: list[dict[str, Any]]) -> int:
    """How many there are."""
    return sum(len(each["bottles"]) for each in found)


def _payload(found: list[dict[str, Any]], tag: str) -> dict[str, Any]:
    entries = {each["name"]: _entry(each, tag) for each in found}
    aliases = {alias: each["name"] for each in found for alias in each.get("aliases", ())}
    return {"metadata": {"bottle_tag": tag}, "formulae": entries, "formula_aliases": aliases}


def _entry(formula: dict[str, Any], tag: str) -> dict[str, Any]:
    own = tag if tag in formula["bottles"] else "all"
    bottle = formula["bottles"].get(own)
    entry = {
        "desc": formula.get("desc"),
        "homepage": formula.get("homepage"),
        "license": formula.get("license"),
        "stable_version": str(formula["version"] or "0"),
        "revision": formula.get("revision") or 0,
        "bottle_rebuild": formula.get("rebuild") or 0,
        "stable_dependencies": formula.get("dependencies", []),
        "aliases": formula.get("aliases", []),
        "ruby_source_checksum": hashlib.sha256(formula["name"].encode()).hexdigest(),
        "stable_url_args": [f"https://example.org/{formula['name']}.tar.gz"],
    }
    if bottle:
        entry["bottle_checksum"] = bottle["sha256"]
        entry["bottle_cellar"] = bottle.get("cellar")
    if own == "all":
        entry["bottle_tag"] = ":all"
    return {name: value for name, value in entry.items() if value}


def _renamed(formula: dict[str, Any], copy: int) -> dict[str, Any]:
    return {
        **formula,
        "name": f"{formula['name']}-{copy}",
        "aliases": [],
        "dependencies": [f"{each}-{copy}" for each in formula.get("dependencies", ())],
    }


def _made_up() -> Iterator[dict[str, Any]]:
    drawn = random.Random(2026)
    for number in range(FORMULAE):
        names = [f"formula-{drawn.randrange(number)}" for _ in range(min(number, 3))]
        yield {
            "name": f"formula-{number}",
            "version": f"1.{number}.0",
            "desc": "What the formula is good for, in some fifty characters",
            "homepage": f"https://example.org/formula-{number}",
            "license": "MIT",
            "dependencies": names,
            "bottles": {
                tag: {
                    "cellar": ":any",
                    "sha256": hashlib.sha256(f"{number}{tag}".encode()).hexdigest(),
                }
                for tag in TAGS
                if drawn.random() < 0.91
            },
        }
