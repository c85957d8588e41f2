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
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path

from sandbox import formulae, sample
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
    """All bottles of the sample, built when first asked for and found on disk after that.

    Args:
        folder: holds ``<digest>`` for each bottle, and an index for each state of the recipes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.formulae: Mapping[str, Formula] = self._load() or self._build()

    def path_of(self, bottle: Bottle) -> Path:
        """The file with the bottle's bytes."""
        return self.folder / bottle.digest

    def _index(self) -> Path:
        return self.folder / f"index-{recipes_digest()[:16]}.json"

    def _load(self) -> Mapping[str, Formula] | None:
        if not self._index().exists():
            return None
        index = json.loads(self._index().read_text())
        if not all((self.folder / one["digest"]).exists() for one in _entries(index)):
            return None
        return {
            name: replace(
                recipe.formula, bottles={tag: Bottle(**one) for tag, one in index[name].items()}
            )
            for name, recipe in RECIPES.items()
        }

    def _build(self) -> Mapping[str, Formula]:
        self.folder.mkdir(parents=True, exist_ok=True)
        wanted = [(recipe, tag) for recipe in RECIPES.values() for tag in recipe.platforms]
        with ThreadPoolExecutor() as pool:  # zlib and hashlib let other threads run.
            built = list(pool.map(lambda pair: self._keep(*pair), wanted))
        index: dict[str, dict[str, Bottle]] = {name: {} for name in RECIPES}
        for (recipe, tag), bottle in zip(wanted, built, strict=True):
            index[recipe.formula.name][tag] = bottle
        written = self._index().with_suffix(".new")
        written.write_text(json.dumps(index, default=asdict))
        written.replace(self._index())
        return {
            name: replace(recipe.formula, bottles=index[name]) for name, recipe in RECIPES.items()
        }

    def _keep(self, recipe: Recipe, tag: str) -> Bottle:
        archive, installed_size = build(recipe, tag)
        digest = hashlib.sha256(archive).hexdigest()
        written = self.folder / f"{digest}.new"
        written.write_bytes(archive)
        written.replace(self.folder / digest)
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


def recipes_digest() -> str:
    """Changes whenever the code that makes the bottles does: they are built anew then."""
    sources = [Path(str(module.__file__)) for module in (formulae, sample)] + [Path(__file__)]
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()


def _entries(index: Mapping[str, Mapping[str, dict[str, str]]]) -> list[dict[str, str]]:
    return [one for bottles in index.values() for one in bottles.values()]


def _as_dependency(name: str) -> dict[str, object]:
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
