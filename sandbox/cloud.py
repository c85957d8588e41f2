"""A local AWS and a sample Homebrew upstream: start, find, wait for, stop and reset them.

Everything lies in ``.airbrew/sandbox/`` of the checkout: ``servers.json``, ``logs/``, and a
folder for each server. The servers listen on 127.0.0.1 only and outlive the command that
started them.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sandbox import identity, lock, ports, process_environment, processes, record, servers
from sandbox.errors import DidNotStart, SandboxError
from sandbox.record import Record, Running
from sandbox.servers import CLOUDWATCH, MINISTACK, SERVERS, UPSTREAM

# MiniStack takes a 12-digit access key as the account.
ACCOUNTS = {"dev": "111111111111", "staging": "222222222222", "prod": "333333333333"}

START_SECONDS = 60.0
BUSY_SECONDS = 60.0  # How long to wait for another command that starts or stops the sandbox.
ANSWER_SECONDS = 10.0  # A server that is saving or under load still answers within this.
POLL_SECONDS = 0.03
LOG_LINES = 15

Report = Callable[[str], None]


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox, and how to reach it.

    Args:
        aws_url: MiniStack.
        cloudwatch_url: moto's CloudWatch.
        upstream_url: the sample Homebrew.
        public_key_pem: the key whose signature the sample Homebrew's API files carry.
    """

    aws_url: str
    cloudwatch_url: str
    upstream_url: str
    public_key_pem: str = field(repr=False)

    @property
    def api_url(self) -> str:
        """What HOMEBREW_API_DOMAIN would name."""
        return f"{self.upstream_url}/api"

    @property
    def registry_url(self) -> str:
        """What stands in for https://ghcr.io."""
        return self.upstream_url

    def account_of(self, environment_name: str) -> str:
        """The environment's account in the local AWS.

        Raises:
            SandboxError: there is no such environment.
        """
        if environment_name not in ACCOUNTS:
            raise SandboxError(
                f"the sandbox has no account for the environment {environment_name!r}",
                where=f"it has accounts for {', '.join(ACCOUNTS)}",
                remedy="use one of these, or set account_id for it in config/airbrew.yaml",
            )
        return ACCOUNTS[environment_name]

    def process_environment(self, environment_name: str, region: str) -> dict[str, str]:
        """The whole environment of a child process that is to talk to the local AWS only."""
        return process_environment.without_aws() | {
            "AWS_ACCESS_KEY_ID": self.account_of(environment_name),
            "AWS_SECRET_ACCESS_KEY": servers.SANDBOX_SECRET,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ENDPOINT_URL": self.aws_url,
            "AWS_ENDPOINT_URL_CLOUDWATCH": self.cloudwatch_url,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }


@dataclass(frozen=True)
class ServerStatus:
    """One server as it was found."""

    name: str
    is_up: bool
    url: str
    pid: int | None
    log: Path


def up(root: Path, report: Report) -> Sandbox:
    """The running sandbox of this checkout; what does not run is started, with its state.

    Raises:
        DidNotStart: a server ended at once or stayed silent; its last words are in the message.
        SandboxBusy: another command is starting or stopping it, for more than a minute.
    """
    place = _Place(root)
    known = place.read()
    if not _missing(known):
        return place.sandbox(known)
    with place.locked():
        known = place.read()
        missing = _missing(known)
        if missing:
            report(f"starting the sandbox: {', '.join(missing)}")
            _start(place, known, missing)
    return place.sandbox(known)


def down(root: Path) -> list[str]:
    """Stop what runs, keeping its state; the names of the servers that ran."""
    place = _Place(root)
    with place.locked():
        return _stop(place.read())


def reset(root: Path) -> None:
    """Stop the sandbox and forget everything in it."""
    place = _Place(root)
    with place.locked():
        _stop(place.read())
        for entry in place.folder.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry)
            elif entry != place.lock:
                entry.unlink()


def status(root: Path) -> list[ServerStatus]:
    """Each server as it is now, running or not."""
    place = _Place(root)
    known = place.read()
    missing = _missing(known)
    return [
        ServerStatus(
            name=name,
            is_up=name not in missing,
            url="" if name in missing else servers.url(known.port_of(name)),
            pid=None if name in missing else known.servers[name].pid,
            log=place.log(name),
        )
        for name in SERVERS
    ]


class _Place:
    """Where the sandbox of a checkout lies."""

    def __init__(self, root: Path) -> None:
        self.folder = root / ".airbrew" / "sandbox"
        self.file = self.folder / "servers.json"
        self.lock = self.folder / "lock"

    def log(self, name: str) -> Path:
        return self.folder / "logs" / f"{name}.log"

    def read(self) -> Record:
        return record.read(self.file)

    @contextmanager
    def locked(self) -> Iterator[None]:
        with lock.held(self.lock, patience_seconds=BUSY_SECONDS):
            yield

    def sandbox(self, known: Record) -> Sandbox:
        key = self.folder / UPSTREAM / "signing-key.pub.pem"
        return Sandbox(
            aws_url=servers.url(known.port_of(MINISTACK)),
            cloudwatch_url=servers.url(known.port_of(CLOUDWATCH)),
            upstream_url=servers.url(known.port_of(UPSTREAM)),
            public_key_pem=key.read_text(),
        )


def _missing(known: Record) -> list[str]:
    with ThreadPoolExecutor(len(SERVERS)) as pool:
        found = pool.map(lambda name: _is_up(known, name), SERVERS)
        return [name for name, is_up in zip(SERVERS, found, strict=True) if not is_up]


def _is_up(known: Record, name: str) -> bool:
    running = known.servers.get(name)
    if running is None or not processes.is_running(running.pid, running.started):
        return False
    return identity.answers_as(known.token, running.port, patience_seconds=ANSWER_SECONDS)


def _start(place: _Place, known: Record, missing: list[str]) -> None:
    """Start the missing servers side by side; the ports of last time as far as they are free."""
    for name in missing:
        _end(known, name)
    chosen = {name: known.port_of(name) for name in SERVERS}
    for name in missing:
        others = frozenset(port for other, port in chosen.items() if other != name)
        chosen[name] = ports.free_port(chosen[name], but=others)
    for name in missing:
        known.servers[name] = _launch(place, known.token, name, chosen)
        record.write(place.file, known)  # At once: a server that is not recorded is not found.
    for name in missing:
        _wait_for(place, known, name)


def _launch(place: _Place, token: str, name: str, chosen: dict[str, int]) -> Running:
    folder = place.folder / name
    shutil.rmtree(folder / "tmp", ignore_errors=True)  # MiniStack leaves its functions' code there.
    (folder / "tmp").mkdir(parents=True)
    log = place.log(name)
    if log.exists():
        log.replace(log.with_suffix(".previous.log"))
    pid, started = processes.start(
        SERVERS[name].command(folder, chosen[name], token),
        SERVERS[name].environment(folder, chosen),
        log,
        servers.CODE_DIR,
    )
    return Running(chosen[name], pid, started)


def _wait_for(place: _Place, known: Record, name: str) -> None:
    running = known.servers[name]
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if not processes.is_running(running.pid, running.started):
            raise _did_not_start(place, name, "ended at once")
        if identity.answers_as(known.token, running.port, patience_seconds=1):
            return
        time.sleep(POLL_SECONDS)
    raise _did_not_start(place, name, f"did not answer within {START_SECONDS:.0f} s")


def _did_not_start(place: _Place, name: str, what: str) -> DidNotStart:
    log = place.log(name)
    last = log.read_text(errors="replace").splitlines()[-LOG_LINES:]
    quoted = "\n".join(f"    {line}" for line in last)
    return DidNotStart(
        f"{name} {what}; its last words:\n{quoted}",
        where=str(log),
        remedy="read the log; `inv sandbox.reset` begins with an empty sandbox",
    )


def _stop(known: Record) -> list[str]:
    ran = [
        name
        for name, running in known.servers.items()
        if processes.is_running(running.pid, running.started)
    ]
    with ThreadPoolExecutor(len(SERVERS)) as pool:
        list(pool.map(lambda name: _end(known, name), known.servers))
    return ran


def _end(known: Record, name: str) -> None:
    if name in known.servers:
        processes.stop(known.servers[name].pid, known.servers[name].started)
