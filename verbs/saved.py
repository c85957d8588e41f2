"""What a verb writes to a file because an option says so."""

from __future__ import annotations

from pathlib import Path

from delivery.errors import BadInput


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
