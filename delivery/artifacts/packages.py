"""Which third-party packages pip installed: from which wheels, under which licences."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote

if TYPE_CHECKING:
    from email.message import Message

_NAME = r"[A-Za-z0-9][\w.-]*"


@dataclass(frozen=True)
class Installed:
    """One package of a layer.

    `licence` is an SPDX expression where the package tells one, else its own words;
    `requires` are the packages beside it that it needs; `sha256` is that of the wheel.
    """

    name: str
    version: str
    wheel: str
    sha256: str
    licence: str
    requires: tuple[str, ...]

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """What `dataclasses.asdict` wrote."""
        return cls(**{**document, "requires": tuple(document["requires"])})


@dataclass(frozen=True)
class Installation:
    """What one run of pip installed, and with which pip and Python."""

    tools: Mapping[str, str]
    packages: tuple[Installed, ...]

    def as_json(self) -> dict[str, Any]:
        """``{"tools": {"pip", "python"}, "packages": […]}``."""
        return {"tools": dict(self.tools), "packages": [asdict(each) for each in self.packages]}

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """What `as_json` wrote."""
        found = (Installed.parse(each) for each in document.get("packages", ()))
        return cls(dict(document.get("tools", {})), tuple(found))


NOTHING = Installation({}, ())


def of_report(report: Path, folder: Path) -> Installation:
    """What a run of pip says that it installed into `folder`.

    Source: pip, "Installation Report", version 1; "Core metadata specifications", 2.4.
    """
    told = json.loads(report.read_text(encoding="utf-8"))
    notes = {_normal(each.name.split("-")[0]): each for each in folder.glob("*.dist-info")}
    names = {_normal(each["metadata"]["name"]) for each in told["install"]}
    found = [_installed(each, notes, names) for each in told["install"]]
    tools = {
        "pip": told["pip_version"],
        "python": told.get("environment", {}).get("python_full_version", ""),
    }
    return Installation(tools, tuple(sorted(found, key=lambda each: each.name)))


def _installed(told: Mapping[str, Any], notes: Mapping[str, Path], names: set[str]) -> Installed:
    from email.parser import HeaderParser  # noqa: PLC0415 - only where pip has run

    name = _normal(told["metadata"]["name"])
    text = (notes[name] / "METADATA").read_text(encoding="utf-8")
    metadata = HeaderParser().parsestr(text)
    needed = {_normal(re.findall(_NAME, each)[0]) for each in metadata.get_all("Requires-Dist", ())}
    download = told["download_info"]
    return Installed(
        name,
        told["metadata"]["version"],
        # The name only: where it came from differs between machines, its digest does not.
        unquote(download["url"].rpartition("/")[2]),
        download["archive_info"]["hashes"]["sha256"],
        _licence(metadata),
        tuple(sorted(needed & names)),
    )


def _licence(metadata: Message) -> str:
    expression = metadata["License-Expression"] or metadata["License"] or ""
    if expression:
        return str(expression).strip().splitlines()[0]
    named = [
        each.rpartition("::")[2].strip()
        for each in metadata.get_all("Classifier", ())
        if each.startswith("License ::")
    ]
    return ", ".join(named)


def _normal(name: str) -> str:
    # Source: PyPA, "Names and normalization".
    return re.sub(r"[-_.]+", "-", name).lower()
