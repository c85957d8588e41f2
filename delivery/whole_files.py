"""Files that are there whole or not at all."""

from __future__ import annotations

import tempfile
from pathlib import Path

from delivery.errors import BadInput


def write(path: Path, body: bytes) -> None:
    """Put `body` there, in the place of what there was; its folder is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Under a name of its own, then renamed: a reader, or a kill, never meets half a file.
    with tempfile.NamedTemporaryFile(
        dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as scratch:
        scratch.write(body)
    Path(scratch.name).replace(path)


def save(path: str, body: bytes, option: str) -> None:
    """Write what a user asked for where they said.

    Args:
        path: what they typed; its folder must be there, or a typing error would make one.
        option: where they typed it, as ``--html``.

    Raises:
        BadInput: nothing can be written there.
    """
    try:
        Path(path).expanduser().write_bytes(body)
    except (OSError, ValueError) as error:
        raise BadInput(
            f'"{path}" cannot be written: {getattr(error, "strerror", None) or error}',
            where=option,
            remedy="name a file in a folder of yours that is there",
        ) from error
