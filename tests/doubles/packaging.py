"""A checkout small enough to be built in no time, in git, with a pip that installs one package."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from delivery.artifacts.build import Places
from delivery.checkout import Checkout

LOCK = """\
provider "registry.terraform.io/hashicorp/aws" {
  version     = "5.100.0"
  hashes = []
}
"""
SOURCES = {
    "config/schema.yaml": "schema: {}\n",
    "lambdas/orchestrator/handler.py": "handle = 1\n",
    "lambdas/sync_worker/handler.py": "handle = 2\n",
    "lambdas/mirror/keys.py": "blob = 3\n",
    "lambdas/mirror/layout.txt": "1\n",
    "requirements/layer.txt": "sealed==1 --hash=sha256:5e\n",
    "terraform/environments/dev/main.tf": "module {}\n",
    "terraform/environments/dev/.terraform.lock.hcl": LOCK,
}
# Installs what pip would, with the record and the report that pip leaves; counts its runs.
PIP = """
import base64, hashlib, json, pathlib, sys
folder = pathlib.Path(sys.argv[sys.argv.index("--target") + 1])
log = pathlib.Path(__file__).with_name("pip.log")
log.open("a").write(" ".join(sys.argv[1:]) + "\\n")
files = {"sealed/__init__.py": b"seal = 1\\n", "sealed/_rust.abi3.so": b"\\x7fELF",
         "sealed/_rust.pyi": b"stub", "sealed/py.typed": b"", "bin/seal": b"#!/usr/bin/python\\n",
         "sealed-1.dist-info/METADATA": b"Name: sealed\\nLicense-Expression: MIT OR Apache-2.0\\n",
         "sealed-1.dist-info/INSTALLER": b"pip\\n", "sealed-1.dist-info/REQUESTED": b"",
         "sealed-1.dist-info/direct_url.json": str(folder).encode()}
rows = ["../../bin/seal,sha256=x,1", "sealed-1.dist-info/RECORD,,"]
for name, body in files.items():
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(body)
    digest = base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode()
    rows += [] if name.startswith("bin/") else [f"{name},sha256={digest},{len(body)}"]
(folder / "sealed-1.dist-info/RECORD").write_text("\\n".join(rows) + "\\n")
report = pathlib.Path(sys.argv[sys.argv.index("--report") + 1])
report.write_text(json.dumps({"pip_version": "25", "install": [{
    "metadata": {"name": "sealed", "version": "1"},
    "download_info": {"url": "https://index/sealed-1-py3-none-any.whl",
                      "archive_info": {"hashes": {"sha256": "5e" * 32}}}}]}))
"""


def checkout_in(folder: Path, *, lay_out: bool = True) -> Checkout:
    """The checkout in `folder`; unless it is there already, laid out and tagged v1.2.3."""
    if lay_out:
        for name, text in {**SOURCES, "pip.py": PIP}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        (folder / ".gitignore").write_text("/.airbrew/\n/pip.log\n")
        _commit(folder)
    return Checkout(
        repository=folder,
        terraform_dir=folder / "terraform",
        schema_file=folder / "config" / "schema.yaml",
        state_dir=folder / ".airbrew",
        places=Places(
            lambdas=folder / "lambdas",
            requirements=folder / "requirements" / "layer.txt",
            state_dir=folder / ".airbrew",
            pip=(sys.executable, str(folder / "pip.py")),
        ),
    )


def _commit(folder: Path) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@b")
    for words in (
        ("init", "--quiet", "--initial-branch=main"),
        ("add", "--all"),
        (*who, "commit", "--quiet", "--message=one"),
        (*who, "tag", "v1.2.3"),
    ):
        subprocess.run(["git", *words], cwd=folder, check=True)
