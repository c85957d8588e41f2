"""The files below a folder, by their names in it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path


def files(
    folder: Path, is_source: Callable[[str], bool], above: str = ""
) -> Iterator[tuple[str, Path]]:
    """``relative/path`` and place of each file; links to folders are not followed.

    Args:
        folder: what to look through; one that is not there has no files.
        is_source: whether to take a file, or to look into a folder, of this name.
        above: what each name begins with.
    """
    if not folder.is_dir():
        return
    # Path.rglob takes four times as long, and each `inv build` and `inv deploy` looks everywhere.
    with os.scandir(folder) as entries:
        for entry in entries:
            if not is_source(entry.name):
                continue
            path, name = Path(entry.path), f"{above}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                yield from files(path, is_source, f"{name}/")
            elif entry.is_file():
                yield name, path
