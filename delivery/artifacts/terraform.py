"""What Terraform reads of its tree: a release carries it, and a deploy's fingerprint covers it."""

from __future__ import annotations

import re
from pathlib import Path

LOCK_FILE = ".terraform.lock.hcl"
STATE = "tfstate"
SETTINGS = ".tfvars.json"
_LOCKED = re.compile(r'provider "[^"/]*/([^"]+)" \{\s*version\s*=\s*"([^"]+)"')


def files(tree: Path) -> dict[str, Path]:
    """``modules/…``, ``environments/…`` → file: with the lock files, without what is generated.

    Left out is what Terraform writes itself, what a deploy writes for it, the modules' own
    tests, and the pages about them.
    """
    found = {path.relative_to(tree): path for path in tree.rglob("*") if path.is_file()}
    return {name.as_posix(): path for name, path in found.items() if _is_source(name)}


def locked_providers(tree: Path) -> dict[str, str]:
    """``hashicorp/aws`` → the version that every environment's lock file names."""
    texts = [file.read_text(encoding="utf-8") for file in tree.glob(f"environments/*/{LOCK_FILE}")]
    return {name: version for text in texts for name, version in _LOCKED.findall(text)}


def _is_source(name: Path) -> bool:
    written_by_terraform = ".terraform" in name.parts or STATE in name.name
    beside_it = "tests" in name.parts or name.suffix == ".md"
    return not (written_by_terraform or beside_it or name.name.endswith(SETTINGS))
