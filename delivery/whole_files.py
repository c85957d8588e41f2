"""Files that are there whole or not at all."""

from __future__ import annotations

import tempfile
from pathlib import Path


def write(path: Path, body: bytes) -> None:
    """Put `body` there, in the place of what there was; its folder is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Under a name of its own, then renamed: a reader, or a kill, never meets half a file.
    with tempfile.NamedTemporaryFile(
        dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as scratch:
        scratch.write(body)
    Path(scratch.name).replace(path)
