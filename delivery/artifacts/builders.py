"""The programs that build and push an image: Docker, or buildah where there is none."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from delivery.artifacts.credentials import Login, kept_for_a_moment
from delivery.errors import BuildFailed
from delivery.paths import ROOT, shown

DOCKERFILE = ROOT / "docker" / "sync-worker" / "Dockerfile"
LAST_LINES = 4
# How `docker push` ends; it has no other way to tell.
PUSHED = re.compile(r"digest: (sha256:[0-9a-f]{64})")

Run = Callable[[Sequence[str]], "subprocess.CompletedProcess[str]"]


@dataclass(frozen=True)
class Builder:
    """One of them, and how it is called here.

    Args:
        name: as people are told.
        program: the words that each of its commands begins with.
        build: the words that a build begins with; every time in the image is that of 1970, so
            that equal inputs are equal bytes.
        inspect: the words that ask for an image of this machine.
    """

    name: str
    program: tuple[str, ...]
    build: tuple[str, ...]
    inspect: tuple[str, ...]
    run: Run

    def has(self, image_id: str) -> bool:
        """Whether an image is still on this machine."""
        return self.run([*self.program, *self.inspect, image_id]).returncode == 0

    def push(self, image_id: str, reference: str, login: Login | None) -> str:
        """Push an image under ``registry/name:tag`` and return its digest, ``sha256:…``.

        Layers that the registry has are not sent. A registry on this machine is spoken to
        without TLS; no other is.

        Raises:
            BuildFailed: the registry, or the way to it, said no.
        """
        with kept_for_a_moment(login) as folder:
            if self.program[0] == "docker":
                return self._docker_push(image_id, reference, folder)
            return self._buildah_push(image_id, reference, folder)

    def _docker_push(self, image_id: str, reference: str, folder: Path) -> str:
        told = self._done(["docker", "context", "inspect", "-f", "{{.Endpoints.docker.Host}}"])
        # Another folder for credentials is another one for contexts: it must be told the engine.
        docker = ["docker", f"--config={folder}", f"--host={told.stdout.strip()}"]
        self._done([*docker, "tag", image_id, reference])
        ended = self._done([*docker, "push", reference])
        return str(PUSHED.findall(ended.stdout)[-1])

    def _buildah_push(self, image_id: str, reference: str, folder: Path) -> str:
        told = folder / "digest"
        self._done(
            [
                *(*self.program, "push", "--quiet", f"--authfile={folder / 'config.json'}"),
                *(f"--digestfile={told}", *_plain_on_this_machine(reference)),
                *(image_id, f"docker://{reference}"),
            ]
        )
        return told.read_text(encoding="ascii").strip()

    def _done(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        ended = self.run(command)
        if ended.returncode != 0:
            raise failed(f"{self.name} could not push the image", ended)
        return ended


def found(run: Run, state_dir: Path) -> Builder:
    """The first that works: a client without its engine does not.

    Raises:
        BuildFailed: there is neither.
    """
    if run(["docker", "version", "--format={{.Server.Version}}"]).returncode == 0:
        build = ("docker", "build", "--provenance=false", "--build-arg=SOURCE_DATE_EPOCH=0")
        return Builder("docker", ("docker",), build, ("image", "inspect"), run)
    store = ("--root", str(state_dir / "images"), "--runroot", str(state_dir / "images-run"))
    # Overlay builds a changed file in half a second, vfs copies each layer and takes fourteen.
    for driver, options in (("overlay", ("--layers",)), ("vfs", ())):
        buildah = ("buildah", "--storage-driver", driver, *store)
        if run([*buildah, "images", "--quiet"]).returncode == 0:
            build = (*buildah, "bud", "--isolation=chroot", "--timestamp=0", *options)
            return Builder(f"buildah ({driver})", buildah, build, ("inspect", "--type=image"), run)
    raise BuildFailed(
        "neither a running Docker nor buildah is on this machine",
        where=shown(DOCKERFILE),
        remedy="start Docker, or install buildah (Debian, Ubuntu: apt-get install buildah)",
    )


def on_this_machine(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a program; one that is not installed ends with 127."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        return subprocess.CompletedProcess(command, 127, "", str(error))


def failed(what: str, ended: subprocess.CompletedProcess[str]) -> BuildFailed:
    """With the program's last words."""
    lines = [line for line in f"{ended.stdout}\n{ended.stderr}".splitlines() if line.strip()]
    told = "; ".join(lines[-LAST_LINES:]) or f"it ended with {ended.returncode}, without a word"
    return BuildFailed(
        f"{what}: {told}",
        where=shown(DOCKERFILE),
        remedy="read the lines above; behind a proxy, --pip-conf and --ca-pem lead to the index",
    )


def _plain_on_this_machine(reference: str) -> list[str]:
    host = reference.partition("/")[0].partition(":")[0]
    return ["--tls-verify=false"] if host in {"127.0.0.1", "localhost"} else []
