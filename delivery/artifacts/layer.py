"""The third-party packages of the Lambda layer: installed once per set of pins and target."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from delivery.artifacts import archives, packages
from delivery.artifacts.packages import Installation
from delivery.artifacts.target import Target
from delivery.errors import BuildFailed
from delivery.paths import shown

# Where Lambda's Python looks inside a layer. Source: AWS Lambda, "Packaging your layer content".
FOLDER = "python/"
# Notes of installers, programs and type stubs: machine-dependent, or of no use in a Lambda.
# METADATA and licences stay: scanners find vulnerable packages by the one, the law wants the other.
LEFT_OUT = r"^bin/|\.dist-info/(RECORD|INSTALLER|REQUESTED|direct_url\.json)$|\.pyi$|/py\.typed$"
LAST_LINES = 4


def members(folder: Path) -> dict[str, Path]:
    """The installed packages under their names in the layer: ``python/cryptography/…``."""
    found = archives.tree(folder)
    return {FOLDER + name: path for name, path in found.items() if not re.search(LEFT_OUT, name)}


def installed(
    requirements: Path, target: Target, wheels_dir: Path, pip: Sequence[str]
) -> tuple[Path, Installation]:
    """The folder with the packages of `requirements` for `target`; pip runs only if need be.

    The folder is named by the digest of requirements and target, appears whole or not at
    all, and is made anew when a file in it is missing or damaged. Beside it lies what pip
    told of the wheels.

    Args:
        requirements: pinned, with hashes.
        pip: the command, up to and without ``install``.

    Raises:
        BuildFailed: pip could not; its last lines are in the problem.
    """
    recipe = f"{target}\0{requirements.read_text(encoding='utf-8')}"
    place = wheels_dir / hashlib.sha256(recipe.encode()).hexdigest()[:32]
    note = place.with_suffix(".json")
    if place.is_dir():
        if note.is_file() and _is_whole(place):
            return place, _noted(note)
        shutil.rmtree(place)
    wheels_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=wheels_dir, prefix=".installing-") as scratch:
        folder, report = Path(scratch) / "packages", Path(scratch) / "report.json"
        _install(requirements, target, folder, pip, report)
        written = Path(scratch) / "note.json"
        written.write_text(json.dumps(packages.of_report(report, folder).as_json(), indent=1))
        written.replace(note)
        try:
            folder.rename(place)
        except OSError:  # Another build of the same was faster; either of the two will do.
            if not _is_whole(place):
                raise
    return place, _noted(note)


def _noted(note: Path) -> Installation:
    return Installation.parse(json.loads(note.read_text(encoding="utf-8")))


def _install(
    requirements: Path, target: Target, folder: Path, pip: Sequence[str], report: Path
) -> None:
    command = [
        *(*pip, "install", "--quiet", "--no-input", "--disable-pip-version-check"),
        *("--no-deps", "--no-compile", "--only-binary=:all:", "--require-hashes"),
        *target.pip_options,
        *("--target", str(folder), "--report", str(report), "--requirement", str(requirements)),
    ]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode == 0 and folder.is_dir():
        return
    lines = [line for line in ended.stderr.splitlines() if line.strip()][-LAST_LINES:]
    told = "; ".join(lines) or f"it ended with {ended.returncode} and without a word"
    raise BuildFailed(
        f"pip could not install the layer's packages for {target.architecture},"
        f" Python {target.python}: {told}",
        where=shown(requirements),
        remedy=_remedy(told),
    )


def _remedy(told: str) -> str:
    if "No module named pip" in told:
        return "python -m ensurepip"
    if "HASHES" in told or "--require-hashes" in told:
        return "pin it with hashes: compile requirements/layer.in with --generate-hashes"
    return "reach the package index (`pip config list` names it), or pin versions with such a wheel"


def _is_whole(folder: Path) -> bool:
    """Whether every file that its wheels installed is there with the digest they recorded.

    Source: PyPA, "Recording installed projects": path, ``sha256=`` + URL-safe base64, size.
    """
    records = list(folder.glob("*.dist-info/RECORD"))
    return bool(records) and all(_holds(folder, record) for record in records)


def _holds(folder: Path, record: Path) -> bool:
    with record.open(newline="", encoding="utf-8") as file:
        rows = [(row[0], row[1]) for row in csv.reader(file) if len(row) > 1 and row[1]]
    # `--target` moves programs to bin/ and leaves the record's own path, which leads out of it.
    return all(
        _digest(folder / name) == expected for name, expected in rows if not name.startswith("..")
    )


def _digest(file: Path) -> str:
    if not file.is_file():
        return ""
    digest = hashlib.sha256(file.read_bytes()).digest()
    return f"sha256={base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"
