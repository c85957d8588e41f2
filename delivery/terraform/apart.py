"""A copy of the Terraform tree with an empty state of its own, for a plan that touches nothing."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCAL_BACKEND = 'terraform {\n  backend "local" {}\n}\n'
NOT_COPIED = shutil.ignore_patterns(".terraform", "terraform.tfvars.json")


@contextmanager
def copied(tree: Path, root: Path) -> Iterator[tuple[Path, Path]]:
    """The copy of `tree`, and a data folder for Terraform; both last as long as the body.

    Args:
        root: the root module in the tree that is to be planned; it gets a local state.
    """
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / "terraform"
        shutil.copytree(tree, copy, ignore=NOT_COPIED)
        # Terraform lets a file of this name replace what others say ("Override Files").
        override = copy / root.relative_to(tree) / "backend_override.tf"
        override.write_text(LOCAL_BACKEND, encoding="utf-8")
        yield copy, Path(scratch) / "data"
