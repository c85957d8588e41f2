"""A base image, a package index and a registry, all of this machine: what an image needs."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from delivery.artifacts import builders, image
from delivery.artifacts.builders import Builder
from delivery.artifacts.image import Company, Image
from delivery.artifacts.target import Target
from delivery.paths import ROOT
from sandbox import ports
from tests.conftest import needed

BASE = "localhost/airbrew-test/base"
SUITE, PYTHON = "bookworm", "3.11"
PACKAGES = "python3-minimal,python3-pip,ca-certificates"
TARGET = Target(Target.for_host().architecture, PYTHON)
START_SECONDS = 30


class Workshop:
    """A place to build images in: its own store, with a base made of Debian's packages."""

    def __init__(self, folder: Path, index: str) -> None:
        self.folder = folder
        pip_conf = folder / "pip.conf"
        pip_conf.write_text(f"[global]\nno-index = true\nfind-links = {index}\n")
        self.company = Company(pip_conf)

    @property
    def builder(self) -> Builder:
        return builders.found(builders.on_this_machine, self.folder)

    def make_base(self) -> None:
        """What `python:3.13-slim` is elsewhere; debootstrap puts it where it stays."""
        container = self.buildah("from", "scratch")
        place = self.buildah("mount", container)
        made = subprocess.run(
            ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, place],
            capture_output=True,
            text=True,
            check=False,
        )
        assert made.returncode == 0, made.stdout[-2000:] + made.stderr[-2000:]
        self.buildah("umount", container)
        self.buildah("commit", "--quiet", container, BASE)
        self.buildah("rm", container)

    def buildah(self, *words: str) -> str:
        command = [*self.builder.program, *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def build(self, *, force: bool = False) -> Image:
        return image.build(
            TARGET, state_dir=self.folder, base=BASE, company=self.company, force=force
        )

    def push(self, built: Image, repository: str) -> Image:
        return image.push(built, TARGET, repository, state_dir=self.folder)


@contextmanager
def workshop(folder: Path, index: str) -> Iterator[Workshop]:
    """A workshop with a base; what it mounted is unmounted in the end, so that it can go."""
    made = Workshop(folder, index)
    made.make_base()
    yield made
    subprocess.run(["umount", str(folder / "images" / "overlay")], capture_output=True, check=False)
    subprocess.run(["rm", "-rf", folder / "images", folder / "images-run"], check=False)


@contextmanager
def index(folder: Path) -> Iterator[str]:
    """The wheels of requirements/container.txt at a local URL; this machine's pip brings them."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    asked = ["--only-binary=:all:", *TARGET.pip_options, f"--dest={folder}"]
    locked = f"--requirement={ROOT / 'requirements' / 'container.txt'}"
    subprocess.run([*command, *asked, locked], check=True)
    handler = partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """pytest shows what tests print."""


@contextmanager
def registry(folder: Path) -> Iterator[str]:
    """Debian's docker-registry at a port of its own: ``127.0.0.1:40123``."""
    address = f"127.0.0.1:{ports.free_port()}"
    file = folder / "registry.yml"
    file.write_text(
        "version: 0.1\n"
        f"storage: {{filesystem: {{rootdirectory: {folder}}}}}\n"
        f'http: {{addr: "{address}"}}\n'
    )
    log = (folder / "log").open("wb")
    with log, subprocess.Popen(["docker-registry", "serve", file], stdout=log, stderr=log) as run:
        _wait_for(f"http://{address}/v2/")
        yield address
        run.terminate()


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(url, timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, url
            time.sleep(0.1)
        else:
            return


def programs() -> None:
    """Where one of the programs is missing, skip at a desk and fail in CI."""
    if os.geteuid() != 0:
        pytest.skip("debootstrap makes a base image as root only")
    for program in ("buildah", "debootstrap", "docker-registry"):
        needed(program)
