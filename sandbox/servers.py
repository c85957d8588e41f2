"""The three servers that make a sandbox: how each is started, and in which environment."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox import process_environment
from sandbox.ports import HOST

MINISTACK, CLOUDWATCH, UPSTREAM = "ministack", "cloudwatch", "upstream"

CODE_DIR = Path(__file__).resolve().parents[1]
SANDBOX_SECRET = "sandbox"  # noqa: S105 - checked by nobody: MiniStack goes by the access key

Ports = Mapping[str, int]


@dataclass(frozen=True)
class Server:
    """One server process of the sandbox.

    Args:
        module: what ``python -m`` runs; takes ``--port`` and ``--token``.
        options: further arguments, given its folder.
        variables: what it needs in its environment, given its folder and everybody's ports.
    """

    module: str
    options: Callable[[Path], list[str]]
    variables: Callable[[Path, Ports], dict[str, str]]

    def command(self, folder: Path, port: int, token: str) -> list[str]:
        """The command that starts it."""
        given = ["--port", str(port), "--token", token]
        return [sys.executable, "-m", self.module, *given, *self.options(folder)]

    def environment(self, folder: Path, ports: Ports) -> dict[str, str]:
        """The whole environment of its process: nothing in it leads to a real account."""
        return process_environment.without_aws() | self.variables(folder, ports)


def url(port: int) -> str:
    """``http://127.0.0.1:4566``."""
    return f"http://{HOST}:{port}"


def _ministack_variables(folder: Path, ports: Ports) -> dict[str, str]:
    # Source: MiniStack 1.5.33, `app.main`, `core/persistence.py`, `services/s3.py`.
    return {
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(ports[MINISTACK]),
        "PERSIST_STATE": "1",
        "S3_PERSIST": "1",
        "STATE_DIR": str(folder / "state"),
        "S3_DATA_DIR": str(folder / "s3"),
        "TMPDIR": str(folder / "tmp"),
        "LAMBDA_EXECUTOR": "local",
        "CLOUDTRAIL_RECORDING": "1",  # So that a drift's culprit is known here, too.
        "IOT_MTLS_ENABLED": "0",  # Both would listen on every interface.
        "SFTP_ENABLED": "0",
        # Inherited by its Lambda workers, which add account and region of the function.
        "AWS_SECRET_ACCESS_KEY": SANDBOX_SECRET,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": url(ports[MINISTACK]),
        "AWS_ENDPOINT_URL_CLOUDWATCH": url(ports[CLOUDWATCH]),
    }


SERVERS: Mapping[str, Server] = {
    MINISTACK: Server("sandbox.local_aws", lambda _: [], _ministack_variables),
    CLOUDWATCH: Server(
        "sandbox.local_cloudwatch",
        lambda folder: ["--journal", str(folder / "journal.jsonl")],
        lambda *_: {},
    ),
    UPSTREAM: Server("sandbox.upstream", lambda folder: ["--folder", str(folder)], lambda *_: {}),
}
