"""The bottles of the sample Homebrew, built on this machine and kept by their digest.

A bottle is what ``brew bottle`` makes: a gzipped tar of the keg, ``<name>/<version>/…``, with
its receipt and formula. The same recipe gives the same bytes.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path

from sandbox.formulae import Bottle, Formula, default_cellar, is_linux
from sandbox.sample import RECIPES, Recipe

BUILT_AT = 1_763_000_000  # Any fixed moment: tar and gzip write it into the bytes.
# Random payloads do not shrink; trying to costs a second for the large bottle.
COMPRESSED_UP_TO_BYTES = 256 * 1024

SCRIPT = """\
#!/bin/sh
echo "{name} {version} (Airbrew sample bottle, {tag})"
"""
FORMULA_FILE = """\
class {class_name} < Formula
  desc "{desc}"
  homepage "{homepage}"
  url "https://example.org/src/{name}-{version}.tar.gz"
{dependencies}end
"""


class Cellar:
    """Bottles, built when first asked for and found on disk after that.

    Args:
        folder: holds ``<digest>`` for each bottle, and ``<recipe>.json`` with a recipe's bottles.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def fill(self, recipes: Iterable[Recipe]) -> dict[str, Formula]:
        """The formulae of these recipes by name, each with its bottles."""
        with ThreadPoolExecutor() as pool:  # zlib and hashlib let other threads run.
            filled = pool.map(self._filled, recipes)
            return {formula.name: formula for formula in filled}

    def path_of(self, bottle: Bottle) -> Path:
        """The file with the bottle's bytes."""
        return self.folder / bottle.digest

    def _filled(self, recipe: Recipe) -> Formula:
        index = self.folder / f"{_fingerprint(recipe)}.json"
        if index.exists():
            known = json.loads(index.read_text())
            bottles = {tag: Bottle(**one) for tag, one in known.items()}
        else:
            bottles = {tag: self._built(recipe, tag) for tag in recipe.platforms}
            _replace(index, json.dumps(bottles, default=asdict).encode())
        return replace(recipe.formula, bottles=bottles)

    def _built(self, recipe: Recipe, tag: str) -> Bottle:
        archive, installed_size = build(recipe, tag)
        digest = hashlib.sha256(archive).hexdigest()
        _replace(self.folder / digest, archive)
        return Bottle(digest, recipe.cellar or default_cellar(tag), len(archive), installed_size)


def build(recipe: Recipe, tag: str) -> tuple[bytes, int]:
    """One bottle, and how many bytes its files take when unpacked."""
    files = keg(recipe, tag)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(
                f"{recipe.formula.name}/{recipe.formula.package_version}/{path}"
            )
            entry.size, entry.mtime = len(content), BUILT_AT
            entry.mode = 0o755 if path.startswith("bin/") else 0o644
            archive.addfile(entry, io.BytesIO(content))
    level = 6 if packed.tell() <= COMPRESSED_UP_TO_BYTES else 0
    archive_bytes = gzip.compress(packed.getvalue(), level, mtime=BUILT_AT)
    return archive_bytes, sum(len(content) for content in files.values())


def keg(recipe: Recipe, tag: str) -> dict[str, bytes]:
    """Path below the keg → content; no two platforms get the same bytes."""
    formula = recipe.formula
    script = SCRIPT.format(name=formula.name, version=formula.package_version, tag=tag)
    files = {
        "INSTALL_RECEIPT.json": json.dumps(receipt(formula, tag), indent=2).encode(),
        f".brew/{formula.name}.rb": _formula_file(formula).encode(),
        f"bin/{formula.name}": script.encode(),
        "README": f"{formula.desc}\n".encode(),
    }
    if recipe.payload_bytes:
        seed = f"{formula.name} {formula.manifest_tag} {tag}".encode()
        files["share/payload.bin"] = hashlib.shake_128(seed).digest(recipe.payload_bytes)
    return files


def receipt(formula: Formula, tag: str) -> dict[str, object]:
    """INSTALL_RECEIPT.json. Source: brew, tab.rb, Tab.create and Tab#to_json."""
    return {
        "homebrew_version": "6.0.9",
        "used_options": [],
        "unused_options": [],
        "built_as_bottle": True,
        "poured_from_bottle": False,
        "loaded_from_api": False,
        "installed_as_dependency": False,
        "installed_on_request": False,
        "time": None,
        "aliases": list(formula.aliases),
        "source": {
            "spec": "stable",
            "versions": {"stable": formula.version, "head": None, "version_scheme": 0},
            "tap": "homebrew/core",
        },
        **tab(formula, tag),
    }


def tab(formula: Formula, tag: str) -> dict[str, object]:
    """``sh.brew.tab`` of the manifest. Source: brew, tab.rb, Tab#to_bottle_hash."""
    return {
        "homebrew_version": "6.0.9",
        "changed_files": ["bin/" + formula.name],
        "source_modified_time": BUILT_AT,
        "compiler": "gcc" if is_linux(tag) else "clang",
        "runtime_dependencies": [_as_dependency(name) for name in formula.dependencies],
        "arch": "arm64" if tag.startswith("arm64_") else "x86_64",
        "built_on": {"os": "Linux" if is_linux(tag) else "Macintosh", "os_version": tag},
    }


def _fingerprint(recipe: Recipe) -> str:
    """Another one whenever the recipe or this code changes: the bottles are built anew then."""
    code = Path(__file__).read_bytes()
    return hashlib.sha256(code + repr(recipe).encode()).hexdigest()[:32]


def _replace(file: Path, content: bytes) -> None:
    written = file.with_name(f"{file.name}.new")
    written.write_bytes(content)
    written.replace(file)


def _as_dependency(name: str) -> dict[str, object]:
    if name not in RECIPES:  # Of a catalogue that was given to the upstream.
        return {"full_name": name, "declared_directly": True}
    formula = RECIPES[name].formula
    return {
        "full_name": name,
        "version": formula.version,
        "revision": formula.revision,
        "bottle_rebuild": formula.rebuild,
        "pkg_version": formula.package_version,
        "declared_directly": True,
    }


def _formula_file(formula: Formula) -> str:
    class_name = "".join(part.capitalize() for part in formula.name.replace("@", "-AT").split("-"))
    dependencies = "".join(f'  depends_on "{name}"\n' for name in formula.dependencies)
    return FORMULA_FILE.format(
        class_name=class_name.replace("+", "x").replace(".", ""),
        name=formula.name,
        desc=formula.desc,
        homepage=formula.homepage,
        version=formula.version,
        dependencies=dependencies,
    )
