"""Zips that depend on the names and bytes of their members, and on nothing else (docs/adr/0004)."""

from __future__ import annotations

import io
import re
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path

from delivery.artifacts import trees

# Part of every inputs digest: raise it when the bytes that `pack` makes change.
FORMAT = 1
DAWN_OF_ZIP = (1980, 1, 1, 0, 0, 0)
UNIX = 3
SHARED_LIBRARY = r"\.so(\.\d+)*$"


def tree(folder: Path, prefix: str = "") -> dict[str, Path]:
    """The files below `folder`, as ``prefix/relative/path`` → file; no caches, no hidden files."""
    return dict(trees.files(folder, _is_source, prefix))


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
    mode = 0o755 if re.search(SHARED_LIBRARY, name) else 0o644
    entry.external_attr = (stat.S_IFREG | mode) << 16
    return entry


def _is_source(name: str) -> bool:
    """Whether a file, or a folder, of this name may be of an archive."""
    return not name.startswith(".") and not name.endswith(".pyc") and name != "__pycache__"
