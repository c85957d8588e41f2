"""The mirror between two servers of the bench."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from mirror import lease, worker
from mirror.bottles import Bottle
from mirror.bucket import Bucket
from mirror.connections import Connections
from mirror.fetching import Fetcher
from mirror.registry import Registry
from mirror.settings import Selection, Settings, Upstream
from tests.bench.servers import Server

_NUMBERS = itertools.count()
_ACCESS = {
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_DEFAULT_REGION": "us-east-1",
}


def carry(source: Server, target: Server, bottles: Iterable[Bottle], transfers: int = 8) -> None:
    """One batch by the worker, as the state machine calls it."""
    with connected(source, target, transfers) as connections:
        execution = an_execution()
        sync = lease.acquire(connections.bucket, execution, lambda _: True, datetime.now(UTC))
        key = f"syncs/{sync}/plan/00000.json"
        document = {"sync": sync, "bottles": [bottle.as_json() for bottle in bottles]}
        connections.bucket.write_json(key, document)
        with contextlib.redirect_stdout(io.StringIO()):
            answer = worker.run(connections, key, seconds_left=lambda: 9000.0).as_answer()
        result = json.loads(connections.bucket.read(answer["result"]))
        assert answer["copied"] == len(document["bottles"]), result
        lease.release(connections.bucket, execution, datetime.now(UTC))


def an_execution() -> str:
    """An ARN that no other execution has."""
    return f"arn:aws:states:us-east-1:123456789012:execution:sync:{next(_NUMBERS)}"


@contextmanager
def connected(
    source: Server, target: Server, transfers: int = 8, pem: str = "", *platforms: str
) -> Iterator[Connections]:
    """The mirror's connections, with the sizes of a production environment."""
    fetcher = Fetcher()
    settings = Settings(
        upstream=Upstream(f"{source.url}/api", source.url, pem),
        selection=Selection(platforms or ("arm64_tahoe",), ("*",), include_dependencies=True),
        batch_max_bottles=50,
        batch_max_mib=2048,
        transfers=transfers,
    )
    with _environment({**_ACCESS, "AWS_ENDPOINT_URL": target.url}):
        bucket = Bucket.connect("mirror", target.url)
    try:
        yield Connections(settings, bucket, fetcher, Registry(source.url, fetcher))
    finally:
        fetcher.close()
        client: Any = bucket._client
        client.close()


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
