"""What Terraform reads of its tree: a release carries it, and a deploy's fingerprint covers it."""

from __future__ import annotations

import re
from pathlib import Path

from delivery.artifacts import trees

LOCK_FILE = ".terraform.lock.hcl"
STATE = "tfstate"
SETTINGS = ".tfvars.json"
_LOCKED = r'provider "[^"/]*/([^"]+)" \{\s*version\s*=\s*"([^"]+)"'


def files(tree: Path) -> dict[str, Path]:
    """``modules/…``, ``environments/…`` → file: with the lock files, without what is generated.

    Left out is what Terraform writes itself, what a deploy writes for it, the modules' own
    tests, and the pages about them.
    """
    return dict(trees.files(tree, _is_source))


def locked_providers(tree: Path) -> dict[str, str]:
    """``hashicorp/aws`` → the version that every environment's lock file names."""
    texts = [file.read_text(encoding="utf-8") for file in tree.glob(f"environments/*/{LOCK_FILE}")]
    return {name: version for text in texts for name, version in re.findall(_LOCKED, text)}


def _is_source(name: str) -> bool:
    written_by_terraform = name == ".terraform" or STATE in name
    beside_it = name == "tests" or name.endswith(".md")
    return not (written_by_terraform or beside_it or name.endswith(SETTINGS))
