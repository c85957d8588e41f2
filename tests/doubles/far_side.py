"""Two mirrors in moto's S3, an air gap between them; the far one's orchestrator is the real one."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from delivery.air_gap import exporting, importing, verification
from delivery.air_gap.parcel import Parcel
from delivery.cloud import Cloud
from delivery.progress import Steps
from mirror.bucket import Bucket
from mirror.connections import Connections
from mirror.errors import MirrorError
from mirror.fetching import Fetcher
from mirror.registry import Registry
from mirror.settings import Settings
from orchestrator import handler

NEAR, FAR = "mirror", "far"
OUTPUTS = {"mirror_bucket": FAR, "orchestrator_function": "acme-far-orchestrator"}


class Killed(BaseException):
    """Stands for a kill: nothing catches it."""


class Lambda:
    """Runs the orchestrator in this process, and answers as Lambda does."""

    def __init__(self) -> None:
        self.events: list[Mapping[str, Any]] = []

    def invoke(self, FunctionName: str, Qualifier: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - AWS's names
        event = json.loads(Payload)
        self.events.append(event)
        try:
            with redirect_stdout(io.StringIO()):  # A function's log is not its caller's.
                answer: Any = handler.handle(event, None)
        except MirrorError as error:
            failed = {"errorMessage": str(error), "errorType": type(error).__name__}
            return {
                "FunctionError": "Unhandled",
                "Payload": io.BytesIO(json.dumps(failed).encode()),
            }
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}


class FarSide:
    """What a test can do: export from the near mirror, import into the far one, look."""

    def __init__(self, s3: Any, upstream_key_pem: str) -> None:
        self.s3, self.function = s3, Lambda()
        self.upstream_key_pem = upstream_key_pem
        self.key = Ed25519PrivateKey.generate()
        self.cloud = Cloud("AWS", "123456789012", "us-east-1", variables={})
        # Cloud keeps its clients in this very mapping.
        self.cloud._clients.update({"s3": s3, "lambda": self.function})

    def export(self, folder: Path, **options: Any) -> Any:
        detail = options.pop("detail", lambda _: None)
        return exporting.export(self.cloud, NEAR, folder, self.key, detail=detail, **options)

    def bring(self, folder: Path) -> importing.Imported:
        return importing.bring(
            self.cloud,
            OUTPUTS,
            folder,
            self.key.public_key(),
            self.upstream_key_pem,
            Steps(),
            records=folder.parent / "records",
        )

    def verify(self, folder: Path) -> Parcel:
        key = self.key.public_key()
        return verification.verify(folder, key, self.upstream_key_pem, lambda _: None)

    def held(self, bucket: str = FAR, prefix: str = "") -> set[str]:
        found = self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        return {each["Key"] for each in found}

    def read(self, key: str, bucket: str = FAR) -> bytes:
        body: bytes = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return body


def files_of(folder: Path) -> list[str]:
    """Every file below a folder, with slashes, sorted."""
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


@contextmanager
def far_side(s3: Any, settings: Settings, patch: Any) -> Iterator[FarSide]:
    """The far mirror, deployed and empty.

    Args:
        settings: as its ``settings/mirror.json`` would have them.
        patch: pytest's monkeypatch.
    """
    s3.create_bucket(Bucket=FAR)
    fetcher = Fetcher()
    registry = Registry(settings.upstream.registry_url, fetcher)
    connections = Connections(settings, Bucket(s3, FAR), fetcher, registry)
    # A client of its own for the function would cost each test as much as all the rest.
    patch.setattr(handler, "connections", lambda: connections)
    yield FarSide(s3, settings.upstream.signing_key_pem)
    fetcher.close()
    handler.states.cache_clear()


@contextmanager
def before(s3: Any, call: str, act: Callable[[], None]) -> Iterator[None]:
    """Let something happen before each call of one kind, for as long as the body runs."""

    def acting(**_: Any) -> None:
        act()

    s3.meta.events.register_first(f"before-call.s3.{call}", acting)
    try:
        yield
    finally:
        s3.meta.events.unregister(f"before-call.s3.{call}", acting)


def kill_at(number: int) -> Callable[[], None]:
    """An act that kills the nth time, counted from 0."""
    count = itertools.count()

    def act() -> None:
        if next(count) == number:
            raise Killed

    return act
