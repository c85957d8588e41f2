"""Runs one container to its end, with buildah: pulled by digest, on this machine's network.

There need be no Docker. What Fargate does with a container, this does with a process: its
variables and no others, SIGTERM when it is to stop, its exit code.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.process_environment import inherited

# Of the image; `buildah run` does not look at what it says of its entry point.
ENTRY_POINT = ("python3", "/app/entrypoint.py")

log = logging.getLogger("sandbox.container")


def command(image: str, variables: Sequence[str], folder: Path) -> list[str]:
    """The command line of a process that runs `image`.

    Args:
        image: ``registry/name@sha256:…``.
        variables: names in that process's environment which the container is to have, too.
        folder: where images are kept.
    """
    given = [f"--variable={name}" for name in variables]
    return [sys.executable, "-m", "sandbox.container", f"--folder={folder}", *given, image]


def main() -> int:
    """Run it; the exit code is the container's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--variable", action="append", default=[])
    parser.add_argument("image")
    given = parser.parse_args()
    store = _Store(given.folder)
    environment = inherited()
    logging.basicConfig(level=logging.INFO)
    container = store.container_of(given.image)
    log.info("running %s as %s", given.image, container)
    try:
        return store.run(container, {name: environment[name] for name in given.variable})
    finally:
        store.remove(container)


class _Store:
    """The images that were pulled, and the containers made of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._buildah = self._working()

    def container_of(self, image: str) -> str:
        """A container of the image, pulled unless it is here."""
        host = image.partition("/")[0].partition(":")[0]
        plain = ["--tls-verify=false"] if host in {"127.0.0.1", "localhost"} else []
        return self._done("from", "--quiet", "--pull", *plain, f"docker://{image}")

    def run(self, container: str, variables: Mapping[str, str]) -> int:
        """Run its entry point; SIGTERM to this process is one to the container's own."""
        given = [f"--env={name}={value}" for name, value in variables.items()]
        words = ["run", "--isolation=chroot", *given, container, "--", *ENTRY_POINT]
        with subprocess.Popen([*self._buildah, *words]) as process:
            signal.signal(signal.SIGTERM, lambda *_: _terminate(process.pid))
            return process.wait()

    def remove(self, container: str) -> None:
        """Leave nothing of it, and nothing mounted: a folder with a mount cannot be deleted."""
        self._done("rm", container)
        subprocess.run(
            ["umount", str(self._folder / "images" / "overlay")], capture_output=True, check=False
        )

    def _working(self) -> list[str]:
        store = ["--root", str(self._folder / "images"), "--runroot", str(self._folder / "run")]
        for driver in ("overlay", "vfs"):
            buildah = ["buildah", "--storage-driver", driver, *store]
            with suppress(FileNotFoundError, subprocess.CalledProcessError):
                subprocess.run([*buildah, "images"], capture_output=True, check=True)
                return buildah
        raise SandboxError(
            "no image can be run here: buildah is not installed, or does not work",
            where=str(self._folder),
            remedy="install it (Debian, Ubuntu: apt-get install buildah), or unset task.image",
        )

    def _done(self, *words: str) -> str:
        ended = subprocess.run(
            [*self._buildah, *words], stdout=subprocess.PIPE, text=True, check=True
        )
        return ended.stdout.strip()


def _terminate(pid: int) -> None:
    """Send SIGTERM to the innermost process: buildah's own would die of it, with the container."""
    children = [pid]
    while children:
        pid = children[0]
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
        children = [int(child) for child in text.split()]
    os.kill(pid, signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
