"""How many requests a sync makes, counted by the servers that answer them."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache

from mirror import planning, publication, worker
from mirror.bottles import Bottle
from mirror.connections import Connections
from tests.bench import mirrors
from tests.bench.figures import Figure
from tests.bench.servers import Body, index, literal, sink, upstream
from tests.doubles.registry import Signer

PLATFORMS = ("arm64_tahoe", "arm64_sequoia", "x86_64_linux")
FOR_ALL = ("formula", "cask", "formula_tap_migrations", "cask_tap_migrations")
NOW = datetime(2026, 11, 22, 3, 0, 0, tzinfo=UTC)
KEYS_PER_PAGE = 1000


@cache
def signer() -> Signer:
    """One key for all runs."""
    return Signer()


def new_bottles(bottles: int = 2000, runs: int = 3) -> Figure:
    """``sync.requests_per_bottle``."""
    bodies = _upstream(bottles, PLATFORMS[:1])
    counted = []
    for _ in range(runs):
        with upstream(bodies, 0) as source, sink(0) as target:
            pem = signer().public_pem
            with mirrors.connected(source, target, 8, pem, *PLATFORMS[:1]) as connections:
                _sync(connections, NOW)
            counted.append(target.requests() / bottles)
    how = (
        f"requests to S3 of a first sync of {bottles} bottles of 100 bytes, each with a manifest "
        "of its own, in batches of 50: plan, workers and publish"
    )
    return Figure("sync.requests_per_bottle", counted, "<=", 2.2, how)


def unchanged(formulae: int = 5000, runs: int = 3) -> Figure:
    """``sync.requests_when_unchanged``."""
    bodies = _upstream(formulae, PLATFORMS)
    there = {path[1:]: body for path, body in bodies.items() if "/blobs/" in path}
    files = len([path for path in bodies if path.startswith("/api/")])
    keys = formulae * (1 + len(PLATFORMS))
    counted = []
    pem = signer().public_pem
    with (
        upstream(bodies, 0) as source,
        sink(0, there) as target,
        mirrors.connected(source, target, 8, pem, *PLATFORMS) as connections,
    ):
        _sync(connections, NOW)
        for run in range(runs):
            before = source.requests() + target.requests()
            _sync(connections, NOW + timedelta(hours=1 + run))
            made = source.requests() + target.requests() - before
            counted.append(made / (-(-keys // KEYS_PER_PAGE) + files))
    how = (
        f"requests to S3 and upstream of a sync without news, {keys} keys under v2/ and {files} "
        "API files, over the pages of the listing and the API files"
    )
    return Figure("sync.requests_when_unchanged", counted, "<=", 1.5, how)


def _sync(connections: Connections, now: datetime) -> None:
    execution = mirrors.an_execution()
    with contextlib.redirect_stdout(io.StringIO()):
        planned = planning.plan(connections, execution, is_running=lambda _: False, now=now)
        if planned["batches"]:
            for each in json.loads(connections.bucket.read(planned["batches_key"])):
                worker.run(connections, each["batch"], seconds_left=lambda: 900.0)
        publication.publish(connections, planned["sync"], execution, now=now)


def _upstream(formulae: int, platforms: Iterable[str]) -> dict[str, Body]:
    tags = tuple(platforms)
    found: dict[str, Body] = {}
    entries: dict[str, dict[str, dict[str, str]]] = {tag: {} for tag in tags}
    for number in range(formulae):
        name, listed = f"formula{number}", []
        for place, tag in enumerate(tags):
            body = Body(100, (number * len(tags) + place) * 64)
            bottle = Bottle(name, "1.0", 0, tag, body.sha256(), body.size_bytes)
            entries[tag][name] = {"stable_version": "1.0", "bottle_checksum": bottle.digest}
            found[f"/{bottle.blob_key}"] = body
            listed.append((bottle.ref_name, body, bottle.digest, 1))
        found[f"/v2/homebrew/core/{name}/manifests/1.0"] = literal(index(listed))
    return found | {f"/api/{path}": literal(raw) for path, raw in _api_files(entries)}


def _api_files(
    entries: dict[str, dict[str, dict[str, str]]],
) -> Iterator[tuple[str, bytes]]:
    for tag, formulae in entries.items():
        payload = json.dumps({"metadata": {"bottle_tag": tag}, "formulae": formulae})
        yield f"internal/packages.{tag}.jws.json", signer().sign(payload)
        for kind in ("formula", "cask"):
            yield f"internal/{kind}.{tag}.jws.json", signer().sign("{}")
    for name in FOR_ALL:
        yield f"{name}.jws.json", signer().sign("{}")
