"""The formulae of the sample Homebrew: real names and shapes, small bottles of our own.

Among them every case that a mirror must get right: ``@`` and ``+`` in names, revisions, rebuilds,
an ``all`` bottle, older and missing platforms, aliases and renames, what macOS brings along.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.formulae import ALL, CELLAR_ANY, CELLAR_ANYWHERE, Formula, Use

KIB = 1024
MIB = 1024 * KIB

PLATFORMS = ("arm64_tahoe", "arm64_sequoia", "tahoe", "x86_64_linux")
USUAL_PAYLOAD_BYTES = 48 * KIB

FORMULA_RENAMES = {"oniguruma5": "oniguruma", "python3.13": "python@3.13"}
FORMULA_TAP_MIGRATIONS = {"airbrew-sample-gone": "homebrew/cask"}


@dataclass(frozen=True)
class Recipe:
    """A formula, and how its bottles are to be made.

    Args:
        platforms: for which bottle tags there is a bottle.
        payload_bytes: pseudo-random bytes in each bottle, which make its size.
    """

    formula: Formula
    platforms: tuple[str, ...] = PLATFORMS
    payload_bytes: int = USUAL_PAYLOAD_BYTES
    cellar: str = CELLAR_ANY


def _uses(*names: str) -> tuple[Use, ...]:
    return tuple(Use(name) for name in names)


def _recipe(
    name: str,
    version: str,
    desc: str,
    *,
    platforms: tuple[str, ...] = PLATFORMS,
    payload_bytes: int = USUAL_PAYLOAD_BYTES,
    cellar: str = CELLAR_ANY,
    **more: object,
) -> Recipe:
    homepage = f"https://example.org/{name.replace('@', '/')}"
    formula = Formula(name, version, desc, homepage, **{"license": "MIT", **more})  # type: ignore[arg-type] # a literal table, checked by the tests
    return Recipe(formula, platforms, payload_bytes, cellar)


_RECIPES = (
    _recipe("jq", "1.8.1", "Lightweight JSON processor", dependencies=("oniguruma",)),
    _recipe(
        *("oniguruma", "6.9.10", "Regular expressions library"),
        license="BSD-2-Clause",
        oldnames=("oniguruma5",),
    ),
    _recipe(
        *("wget", "1.25.0", "Internet file retriever"),
        license="GPL-3.0-or-later",
        revision=1,
        dependencies=("gettext", "libidn2", "openssl@3"),
        build_dependencies=("pkgconf",),
        uses_from_macos=_uses("zlib"),
        payload_bytes=700 * KIB,
    ),
    _recipe(
        *("git", "2.55.0", "Distributed revision control system"),
        license="GPL-2.0-only",
        dependencies=("gettext", "pcre2"),
        uses_from_macos=(Use("curl"), Use("expat", since="sequoia"), Use("zlib")),
        payload_bytes=2 * MIB,
    ),
    _recipe(
        *("python@3.13", "3.13.9", "Interpreted, interactive, object-oriented language"),
        license="Python-2.0",
        revision=1,
        rebuild=1,
        aliases=("python3", "python"),
        oldnames=("python3.13",),
        dependencies=("mpdecimal", "openssl@3", "sqlite", "xz"),
        build_dependencies=("pkgconf",),
        uses_from_macos=(
            *_uses("bzip2", "libffi", "ncurses", "zlib"),
            Use("expat", since="sequoia"),
        ),
        payload_bytes=3 * MIB,
        cellar="",
    ),
    _recipe(
        *("openssl@3", "3.6.0", "Cryptography and SSL/TLS toolkit"),
        license="Apache-2.0",
        aliases=("openssl",),
        dependencies=("ca-certificates",),
        payload_bytes=MIB,
        cellar="",
    ),
    _recipe(
        *("ca-certificates", "2026-09-09", "Mozilla CA certificate store"),
        license="MPL-2.0",
        platforms=(ALL,),
        payload_bytes=120 * KIB,
        cellar=CELLAR_ANYWHERE,
    ),
    _recipe(
        *("gettext", "0.26", "GNU internationalization and localization library"),
        license="GPL-3.0-or-later",
        rebuild=2,
        dependencies=("libunistring",),
        uses_from_macos=_uses("libxml2", "ncurses"),
        payload_bytes=500 * KIB,
    ),
    _recipe("libunistring", "1.4.1", "C string library for manipulating Unicode strings"),
    _recipe(
        *("libidn2", "2.3.8", "International domain name library"),
        dependencies=("gettext", "libunistring"),
        build_dependencies=("pkgconf",),
    ),
    _recipe(
        "pcre2", "10.47", "Perl compatible regular expressions library", license="BSD-3-Clause"
    ),
    _recipe(
        *("sqlite", "3.51.0", "Command-line interface for SQLite"),
        license="blessing",
        dependencies=("readline",),
        uses_from_macos=_uses("zlib"),
        payload_bytes=300 * KIB,
    ),
    _recipe(
        *("readline", "8.3.1", "Library for command-line editing"),
        uses_from_macos=_uses("ncurses"),
    ),
    _recipe("xz", "5.8.1", "General-purpose data compression", aliases=("lzma",)),
    _recipe("mpdecimal", "4.0.1", "Library for decimal floating point arithmetic"),
    _recipe("zlib", "1.3.1", "General-purpose lossless data-compression library", license="Zlib"),
    _recipe("bzip2", "1.0.8", "Freely available high-quality data compressor", rebuild=1),
    _recipe("expat", "2.7.3", "XML 1.0 parser"),
    _recipe("libffi", "3.5.2", "Portable Foreign Function Interface library"),
    _recipe("ncurses", "6.5", "Text-based UI library", revision=1),
    _recipe(
        *("libxml2", "2.15.1", "GNOME XML library"),
        dependencies=("xz",),
        uses_from_macos=_uses("zlib"),
    ),
    _recipe(
        *("curl", "8.17.0", "Get a file from an HTTP, HTTPS or FTP server"),
        license="curl",
        dependencies=("openssl@3", "zstd"),
        build_dependencies=("pkgconf",),
        uses_from_macos=_uses("zlib"),
    ),
    _recipe("zstd", "1.5.7", "Zstandard is a real-time compression algorithm"),
    _recipe("pkgconf", "2.5.1", "Package compiler and linker metadata toolkit", license="ISC"),
    _recipe("libsigc++", "3.6.0", "Callback framework for C++", license="LGPL-3.0-or-later"),
    _recipe("libsigc++@2", "2.12.1", "Callback framework for C++", license="LGPL-3.0-or-later"),
    _recipe(
        *("gtkmm@3", "3.24.10", "C++ interfaces for GTK+ and GNOME"),
        revision=1,
        dependencies=("libsigc++@2",),
        payload_bytes=900 * KIB,
    ),
    _recipe(
        *("hello", "2.12.2", "Program providing model for GNU coding standards"),
        payload_bytes=0,
        cellar=CELLAR_ANYWHERE,
    ),
    _recipe(
        *("llvm-toy", "21.1.5", "A bottle as large as a compiler's"),
        platforms=("arm64_tahoe",),
        payload_bytes=64 * MIB,
    ),
    _recipe(
        *("tree", "2.2.1", "Display directories as trees"),
        # Not rebuilt for the newest macOS: brew pours the older bottle there.
        platforms=("arm64_sequoia", "x86_64_linux"),
    ),
    _recipe(
        *("container", "0.6.0", "Create and run Linux containers on a Mac"),
        platforms=("arm64_tahoe",),
    ),
    _recipe("strace", "6.17", "Diagnostic tool for the Linux kernel", platforms=("x86_64_linux",)),
    _recipe("head-only", "1.0.0", "A formula that nobody builds bottles of", platforms=()),
    _recipe(
        *("aria2", "1.37.0", "Download with resuming and segmented downloading"),
        revision=2,
        rebuild=1,
        uses_from_macos=(Use("libxml2", since="tahoe"), Use("zlib")),
    ),
    _recipe(
        *("portable-ruby", "4.0.6", "Powerful, clean, object-oriented scripting language"),
        license="Ruby",
        # Built for the oldest systems, and poured on all newer ones.
        platforms=("arm64_big_sur", "catalina", "arm64_linux", "x86_64_linux"),
        payload_bytes=400 * KIB,
        cellar=CELLAR_ANYWHERE,
    ),
    _recipe("exa", "0.10.1", "Modern replacement for ls", deprecated="unmaintained"),
    _recipe("youtube-dl", "2021.12.17", "Download videos", disabled="unmaintained"),
    _recipe(
        *("notes++", "1.0.0", "A name with two plus signs"),
        platforms=(ALL,),
        cellar=CELLAR_ANYWHERE,
    ),
)

# No API file names these any more; the registry keeps them for brews of their time.
ARCHIVED = (
    _recipe(
        *("portable-ruby", "3.1.4", "Powerful, clean, object-oriented scripting language"),
        license="Ruby",
        platforms=("arm64_big_sur", "el_capitan", "x86_64_linux"),
        payload_bytes=300 * KIB,
        cellar=CELLAR_ANYWHERE,
    ),
)

RECIPES: Mapping[str, Recipe] = {recipe.formula.name: recipe for recipe in _RECIPES}
