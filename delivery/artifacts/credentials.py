"""A registry's password for as long as a push takes: in no argument list, in no file that stays."""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Login:
    """Who pushes to a registry; `registry` is its host, and its port where it has one."""

    registry: str
    user: str
    password: str = field(repr=False)


@contextmanager
def kept_for_a_moment(login: Login | None) -> Iterator[Path]:
    """A folder with a ``config.json`` that Docker and buildah read; gone when this ends.

    Only the user can open the folder. Source: docker's cli/config, "auths".
    """
    auths = {}
    if login is not None:
        word = base64.b64encode(f"{login.user}:{login.password}".encode()).decode()
        auths[login.registry] = {"auth": word}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "config.json").write_text(json.dumps({"auths": auths}), encoding="ascii")
        yield folder
