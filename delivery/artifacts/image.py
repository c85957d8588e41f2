"""The sync worker's image, built by Docker, or by buildah where there is none."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from delivery.artifacts.target import Target
from delivery.errors import BuildFailed
from delivery.paths import ROOT, shown

DOCKERFILE = ROOT / "docker" / "sync-worker" / "Dockerfile"
NAME = "airbrew/sync-worker"
# How an image's platform is called. Source: OCI image-spec 1.1, "platform", from Go's GOARCH.
PLATFORMS = {"arm64": "linux/arm64", "x86_64": "linux/amd64"}
LAST_LINES = 4

Run = Callable[[Sequence[str]], "subprocess.CompletedProcess[str]"]


@dataclass(frozen=True)
class Image:
    """A built image: the name it has on this machine, its id, and what built it."""

    name: str
    id: str
    builder: str


@dataclass(frozen=True)
class Company:
    """What stands between this machine and the package index; each file may be missing.

    Args:
        pip_conf: pip's configuration, if the index is not the public one.
        ca_pem: certificates that the index's or the proxy's is checked by.
    """

    pip_conf: Path | None = None
    ca_pem: Path | None = None

    def options(self) -> list[str]:
        """As secrets of the build, which no layer keeps."""
        files = {"pip.conf": self.pip_conf, "ca.pem": self.ca_pem}
        return [f"--secret=id={name},src={path}" for name, path in files.items() if path]


def build(
    target: Target,
    *,
    state_dir: Path,
    base: str = "",
    company: Company | None = None,
    report: Callable[[str], None] = lambda _text: None,
    run: Run | None = None,
) -> Image:
    """Build it for `target`; layers whose inputs did not change are not built again.

    Args:
        base: another image to start from than the Dockerfile's, which is pinned by digest.

    Raises:
        BuildFailed: there is no builder, or it ended with an error.
    """
    run = run or _run
    name, command = _builder(run, state_dir)
    report(f"{name} builds the image for {PLATFORMS[target.architecture]}")
    with tempfile.TemporaryDirectory() as scratch:
        told = Path(scratch) / "id"
        ended = run(
            [
                *command,
                f"--platform={PLATFORMS[target.architecture]}",
                *([f"--build-arg=BASE={base}"] if base else []),
                *(company or Company()).options(),
                *(f"--iidfile={told}", f"--tag={NAME}", f"--file={DOCKERFILE}", str(ROOT)),
            ]
        )
        if ended.returncode != 0:
            raise _failed(name, ended)
        return Image(NAME, told.read_text(encoding="ascii").strip().removeprefix("sha256:"), name)


def _builder(run: Run, state_dir: Path) -> tuple[str, list[str]]:
    """The first that works: a client without its engine does not."""
    if run(["docker", "version", "--format={{.Server.Version}}"]).returncode == 0:
        return "docker", ["docker", "build"]
    store = ["--root", str(state_dir / "images"), "--runroot", str(state_dir / "images-run")]
    # Overlay builds a changed file in half a second, vfs copies each layer and takes fourteen.
    for driver, options in (("overlay", ["--layers"]), ("vfs", [])):
        buildah = ["buildah", "--storage-driver", driver, *store]
        if run([*buildah, "images", "--quiet"]).returncode == 0:
            return f"buildah ({driver})", [*buildah, "bud", "--isolation=chroot", *options]
    raise BuildFailed(
        "neither a running Docker nor buildah is on this machine",
        where=shown(DOCKERFILE),
        remedy="start Docker, or install buildah (Debian, Ubuntu: apt-get install buildah)",
    )


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        return subprocess.CompletedProcess(command, 127, "", str(error))


def _failed(name: str, ended: subprocess.CompletedProcess[str]) -> BuildFailed:
    lines = [line for line in f"{ended.stdout}\n{ended.stderr}".splitlines() if line.strip()]
    told = "; ".join(lines[-LAST_LINES:]) or f"it ended with {ended.returncode}, without a word"
    return BuildFailed(
        f"{name} could not build the image: {told}",
        where=shown(DOCKERFILE),
        remedy="read the lines above; behind a proxy, --pip-conf and --ca-pem lead to the index",
    )
