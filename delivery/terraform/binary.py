"""Terraform's program: the one on PATH if new enough, else one of our own; and running it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from delivery.errors import ToolMissing
from delivery.paths import STATE_DIR
from delivery.terraform.install import Releases, install

# The first with S3 lock files (`use_lockfile`); the second is what the suites run with.
OLDEST = (1, 10)
PINNED = "1.11.4"
# Smaller than any Terraform: a launcher of tfenv or asdf, whose version its own file does not tell.
LAUNCHER_BYTES = 1024 * 1024
CHUNK_BYTES = 64 * 1024
POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Binary:
    """A Terraform that is new enough: its path and its version, as ``1.11.4``."""

    path: Path
    version: str


def find(
    environment: Mapping[str, str],
    state_dir: Path = STATE_DIR,
    releases: Releases | None = None,
) -> Binary:
    """The Terraform on PATH, else the one installed here before, else a new one, verified.

    Args:
        environment: of the process; its PATH is searched.
        state_dir: holds the installed programs (``bin/``) and the versions learnt so far.

    Raises:
        ToolMissing: none on PATH that is new enough, and none could be downloaded.
        UntrustedDownload: what was downloaded is not what HashiCorp signed.
    """
    on_path = _on_path(environment, state_dir / "terraform" / "versions.json")
    if on_path is not None and _is_new_enough(on_path.version):
        return on_path
    own = state_dir / "bin" / f"terraform-{PINNED}"
    if not own.is_file():
        _install(own, releases or Releases(), too_old=on_path)
    return Binary(own, PINNED)


def run(
    command: Sequence[str],
    folder: Path,
    variables: Mapping[str, str],
    hear: Callable[[str], None],
) -> tuple[int, str]:
    """Run Terraform to its end, handing each line of its output to `hear`.

    Ctrl-C is passed on to it once; `KeyboardInterrupt` goes on when it has ended in an orderly
    way, its state written and its lock released. When this process is killed, Terraform ends
    by itself what it has begun: its output goes to a file, which nobody has to read.

    Returns:
        Its exit code, and what it wrote to stderr.
    """
    with (
        tempfile.TemporaryFile() as output,
        tempfile.TemporaryFile("w+", encoding="utf-8") as complaints,
        subprocess.Popen(
            command,
            cwd=folder,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=complaints,
            # Ctrl-C reaches a whole group. Two of them make Terraform drop what it is doing, so
            # it has a group of its own and gets exactly one from us.
            process_group=0,
        ) as process,
    ):
        _hear_out(_Output(process, output.fileno()), process, hear)
        complaints.seek(0)
        return process.returncode, complaints.read()


def _install(own: Path, releases: Releases, too_old: Binary | None) -> None:
    try:
        install(PINNED, own, releases)
    except ToolMissing as error:
        if too_old is None:
            raise
        raise ToolMissing(
            f"{too_old.path} is Terraform {too_old.version}, 1.10 or newer is needed,"
            f" and it could not be downloaded from {error.where}",
            where=str(too_old.path),
            remedy=error.remedy,
        ) from error


def _is_new_enough(version: str) -> bool:
    match = re.match(r"(\d+)\.(\d+)", version)
    return match is not None and (int(match[1]), int(match[2])) >= OLDEST


def _on_path(environment: Mapping[str, str], learnt: Path) -> Binary | None:
    found = shutil.which("terraform", path=environment.get("PATH", ""))
    if found is None:
        return None
    path = Path(found)
    version = _remembered(path, learnt) or _asked(path, environment)
    if version is None:
        return None
    _remember(path, version, learnt)
    return Binary(path, version)


def _asked(path: Path, environment: Mapping[str, str]) -> str | None:
    """What the program says of itself; None when it does not run, as an undecided launcher."""
    answer = subprocess.run(
        [path, "version", "-json"],
        env={**environment, "CHECKPOINT_DISABLE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        return str(json.loads(answer.stdout)["terraform_version"])
    except (ValueError, KeyError):
        return None


def _remembered(path: Path, learnt: Path) -> str | None:
    """The version learnt in an earlier run, if the file is still that one: saves a process."""
    try:
        known: dict[str, str] = json.loads(learnt.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return known.get(_identity(path))


def _remember(path: Path, version: str, learnt: Path) -> None:
    if path.stat().st_size < LAUNCHER_BYTES or _remembered(path, learnt) == version:
        return
    learnt.parent.mkdir(parents=True, exist_ok=True)
    # Written whole beside its place: a reader never sees half of it.
    scratch = learnt.with_suffix(".new")
    scratch.write_text(json.dumps({_identity(path): version}), encoding="utf-8")
    scratch.replace(learnt)


def _identity(path: Path) -> str:
    status = path.stat()
    return f"{path} {status.st_size} {status.st_mtime_ns}"


class _Output:
    """What a running program has written to a file, line by line, until it has ended."""

    def __init__(self, process: subprocess.Popen[bytes], file: int) -> None:
        self._process, self._file = process, file
        self._offset, self._rest = 0, b""

    def lines(self) -> Iterator[str]:
        """The lines not yet told; may be asked again after an interruption."""
        while True:
            # Asked before reading, so that what it wrote last is read, too.
            ended = self._process.poll() is not None
            chunk = os.pread(self._file, CHUNK_BYTES, self._offset)
            self._offset += len(chunk)
            *whole, self._rest = (self._rest + chunk).split(b"\n")
            yield from (line.decode() + "\n" for line in whole)
            if not chunk and ended:
                break
            if not chunk:
                time.sleep(POLL_SECONDS)
        if self._rest:
            yield self._rest.decode()


def _hear_out(
    output: _Output, process: subprocess.Popen[bytes], hear: Callable[[str], None]
) -> None:
    try:
        for line in output.lines():
            hear(line)
    except KeyboardInterrupt:
        # From here on a person can only wait: state that is not written is resources lost.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        process.send_signal(signal.SIGINT)
        for line in output.lines():
            hear(line)
        signal.signal(signal.SIGINT, before)
        raise
