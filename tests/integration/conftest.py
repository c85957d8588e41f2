"""A checkout of one's own, used as a person would: `inv` as a process, real Terraform."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from delivery.artifacts.image import Image
from tests.integration import images
from tests.integration.images import Workshop

ROOT = Path(__file__).parents[2]
# A deploy takes a minute on two slow cores; a hang must end before CI's patience does.
PATIENCE_SECONDS = 600
REPOSITORY = "airbrew-dev-sync-worker"


@dataclass(frozen=True)
class Checkout:
    """A copy of the working tree, with a state folder of its own."""

    root: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    def inv(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run `inv` in the checkout, with no terminal."""
        return subprocess.run(
            self.command(*words),
            cwd=self.root,
            env=self.environment(variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    def command(self, *words: str) -> list[str]:
        """The command line of an `inv`; Python is this one, the code is the checkout's."""
        return [sys.executable, "-m", "invoke", *words]

    def environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        """What a person's shell would hand over: nothing of the tests' own."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {**kept, **self.variables, **variables}

    def answer(self, *words: str, **variables: str) -> Any:
        """Run a verb with --json and return its document; its failure is the test's."""
        ended = self.inv(*words, "--json", **variables)
        assert ended.returncode == 0, f"{words}: {ended.stdout}{ended.stderr}"
        return json.loads(ended.stdout)

    def configure(self, change: Mapping[str, Any]) -> None:
        """Change settings of `dev` in config/airbrew.yaml, as an editor would."""
        file = self.root / "config" / "airbrew.yaml"
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        document["environments"]["dev"] |= change
        file.write_text(yaml.safe_dump(document), encoding="utf-8")


def copied(target: Path, files: Sequence[str]) -> Path:
    """The files git knows or would add, as they are in the working tree."""
    for name in files:
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, place)
    return target


def listed() -> list[str]:
    """What git tracks, and what it does not ignore."""
    asked = subprocess.check_output(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, text=True
    )
    return [name for name in asked.splitlines() if (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory, terraform: str) -> Any:
    """A fresh checkout; its sandbox is stopped in the end."""
    root = copied(tmp_path_factory.mktemp("checkout"), listed())
    # Each Terraform that is started leaves a line: "no Terraform was started" can be seen.
    programs = root / ".airbrew" / "programs"
    programs.mkdir(parents=True)
    wrapper = programs / "terraform"
    wrapper.write_text(
        f'#!/bin/sh\necho "$@" >> "{root}/.airbrew/terraform.log"\nexec "{terraform}" "$@"\n'
    )
    wrapper.chmod(0o755)
    found = Checkout(root, {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"})
    yield found
    found.inv("sandbox.down")


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """Where images are built, with a base to build them from."""
    images.programs()
    wheels, folder = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("workshop")
    with images.index(wheels) as index, images.workshop(folder, index) as made:
        yield made


@pytest.fixture(scope="session")
def registry(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real registry of this machine, empty: ``127.0.0.1:40123``."""
    with images.registry(tmp_path_factory.mktemp("registry")) as address:
        yield address


@pytest.fixture(scope="session")
def pushed(workshop: Workshop, registry: str) -> Image:
    """The sync worker's image as the registry has it."""
    return workshop.push(workshop.build(), f"{registry}/{REPOSITORY}")


@contextmanager
def served(checkout: Checkout) -> Iterator[str]:
    """The mirror at a local URL, as `inv mirror.serve` serves it."""
    with subprocess.Popen(
        checkout.command("mirror.serve", "--env", "dev", "--port", "0"),
        cwd=checkout.root,
        env=checkout.environment({}),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        lines = iter(process.stdout.readline, "")
        told = next(line for line in lines if "serving" in line)
        yield told.split(" at ")[1].split()[0]
        process.send_signal(signal.SIGINT)
