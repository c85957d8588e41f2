"""Zips that depend on the names and bytes of their members, and on nothing else (docs/adr/0004)."""

from __future__ import annotations

import io
import re
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path

# Part of every inputs digest: raise it when the bytes that `pack` makes change.
FORMAT = 1
DAWN_OF_ZIP = (1980, 1, 1, 0, 0, 0)
UNIX = 3
SHARED_LIBRARY = re.compile(r"\.so(\.\d+)*$")


def tree(folder: Path, prefix: str = "") -> dict[str, Path]:
    """The files below `folder`, as ``prefix/relative/path`` → file; no caches, no hidden files."""
    found = (path for path in folder.rglob("*") if path.is_file())
    files = {path.relative_to(folder): path for path in found}
    return {
        f"{prefix}{relative.as_posix()}": path
        for relative, path in files.items()
        if _is_source(relative)
    }


def pack(members: Mapping[str, Path]) -> bytes:
    """A zip of these files: the same bytes on every machine, from every checkout, at any time.

    Names are sorted, dates are the format's first, modes follow from the name. Members are
    stored, not compressed: what a compressor writes depends on its version.
    """
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            archive.writestr(_entry(name), members[name].read_bytes())
    return written.getvalue()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, DAWN_OF_ZIP)
    entry.create_system = UNIX
    mode = 0o755 if SHARED_LIBRARY.search(name) else 0o644
    entry.external_attr = (stat.S_IFREG | mode) << 16
    return entry


def _is_source(relative: Path) -> bool:
    if relative.suffix == ".pyc" or "__pycache__" in relative.parts:
        return False
    return not any(part.startswith(".") for part in relative.parts)
