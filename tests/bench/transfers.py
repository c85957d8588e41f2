"""Bytes and bottles per second of the worker, against the least programs that could do it."""

from __future__ import annotations

import hashlib
import http.client
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from mirror.bottles import Bottle
from tests.bench import mirrors
from tests.bench.figures import Figure
from tests.bench.servers import LATENCY_SECONDS, MIB, Body, Server, index, literal, sink, upstream

# Fetch, hash on the way, send; a line per bottle: source, then target.
_CURL = (
    'set -o pipefail; curl -sf "$0" | tee >(openssl dgst -sha256 >/dev/null) | '
    'curl -sf -T - -o /dev/null "$1"'
)


def throughput(bottles: int = 60, runs: int = 3, largest_bytes: int = 64 * MIB) -> Figure:
    """``mirror.throughput_vs_floor``."""
    carried = _drawn(bottles, largest_bytes)
    total = sum(bottle.size_bytes for bottle in carried)
    ratios = []
    for _ in range(runs):
        with upstream(_blobs(carried)) as source, sink() as target:
            ours = _seconds(partial(mirrors.carry, source, target, carried))
            floor = min(
                _seconds(partial(_curl, source, target, carried, parallel))
                for parallel in (4, 8, 16)
            )
        ratios.append(floor / ours)
    how = (
        f"one batch of {bottles} bottles, {total / MIB:.0f} MiB, sizes drawn from a log-normal "
        "distribution, over `curl | openssl dgst | curl -T` per bottle by xargs at the best of "
        f"4, 8 and 16 at a time; same servers, which answer after {LATENCY_SECONDS * 1000:.0f} ms"
    )
    return Figure("mirror.throughput_vs_floor", ratios, ">=", 0.9, how)


def small(bottles: int = 2000, serial: int = 200, runs: int = 3) -> Figure:
    """``mirror.small_vs_serial``."""
    carried = [_bottle(number, 10_000) for number in range(bottles)]
    ratios = []
    for _ in range(runs):
        with upstream(_blobs(carried)) as source, sink() as target:
            ours = _seconds(partial(mirrors.carry, source, target, carried, 16))
            theirs = _seconds(partial(_one_by_one, source, target, carried[:serial]))
        ratios.append((bottles / ours) / (serial / theirs))
    how = (
        f"{bottles} bottles of 10 KB with 16 transfers, over GET then PUT on one kept connection "
        f"to each side ({serial} of them); servers answer after {LATENCY_SECONDS * 1000:.0f} ms"
    )
    return Figure("mirror.small_vs_serial", ratios, ">=", 6, how)


def skopeo(images: int = 40, runs: int = 3, size_bytes: int = MIB) -> Figure:
    """``mirror.vs_skopeo``."""
    key, goal = "mirror.vs_skopeo", 2
    if shutil.which("skopeo") is None:
        return Figure(
            key, [], ">=", goal, "skopeo is not installed (Debian: apt-get install skopeo)"
        )
    carried = [_bottle(number, size_bytes) for number in range(images)]
    ratios = []
    for _ in range(runs):
        with upstream(_images(carried)) as source, sink() as target:
            ours = _seconds(partial(mirrors.carry, source, target, carried))
            theirs = _seconds(partial(_skopeo, source, carried))
        ratios.append(theirs / ours)
    how = (
        f"{images} images with a bottle of {size_bytes} bytes: `skopeo copy --all` of each to a "
        "folder, over one batch of the same by the worker"
    )
    return Figure(key, ratios, ">=", goal, how)


def peak(size_bytes: int = 1000**3, runs: int = 3) -> Figure:
    """``worker.peak_mib``."""
    peaks = []
    for _ in range(runs):
        carried = _bottle(0, size_bytes)
        with upstream(_blobs([carried]), 0) as source, sink(0) as target:
            program = (
                "import sys; from tests.bench import figures, mirrors, servers, transfers\n"
                "source, target = map(servers.Server, sys.argv[1:3])\n"
                "bottle = transfers.of_digest(sys.argv[3], int(sys.argv[4]))\n"
                "mirrors.carry(source, target, [bottle])\n"
                "print(figures.peak_mib())"
            )
            asked = [source.url, target.url, carried.digest, str(size_bytes)]
            told = subprocess.check_output([sys.executable, "-c", program, *asked], text=True)
        peaks.append(float(told.splitlines()[-1]))
    how = f"highest resident set of a process that carries one bottle of {size_bytes} bytes"
    return Figure("worker.peak_mib", peaks, "<=", 256, how)


def of_digest(digest: str, size_bytes: int, number: int = 0) -> Bottle:
    """A bottle with these bytes."""
    return Bottle(f"formula{number}", "1.0", 0, "arm64_tahoe", digest, size_bytes)


def _bottle(number: int, size_bytes: int) -> Bottle:
    return of_digest(Body(size_bytes, number * 64).sha256(), size_bytes, number)


def _drawn(count: int, largest_bytes: int) -> list[Bottle]:
    """Median near 0.5 MB, mean near 9 MB before the cut, as Homebrew's are."""
    drawn = random.Random(2026)
    sizes = [min(largest_bytes, int(drawn.lognormvariate(13.1, 2.4)) + 1) for _ in range(count)]
    return [_bottle(number, size) for number, size in enumerate(sizes)]


def _blobs(bottles: Iterable[Bottle]) -> dict[str, Body]:
    return {
        f"/{bottle.blob_key}": Body(bottle.size_bytes, int(bottle.formula[7:]) * 64)
        for bottle in bottles
    }


def _images(bottles: list[Bottle]) -> dict[str, Body]:
    """The same as whole OCI images, as skopeo wants them."""
    config = b'{"architecture":"arm64","os":"darwin","rootfs":{"type":"layers","diff_ids":[]}}'
    found = _blobs(bottles)
    for bottle in bottles:
        root = f"/v2/homebrew/core/{bottle.image}"
        found[f"{root}/blobs/sha256:{hashlib.sha256(config).hexdigest()}"] = literal(config)
        image = _image_manifest(bottle, config)
        digest = hashlib.sha256(image.literal or b"").hexdigest()
        found[f"{root}/manifests/sha256:{digest}"] = image
        body = found[f"/{bottle.blob_key}"]
        listed = index([(bottle.ref_name, body, digest, image.size_bytes)])
        found[f"/{bottle.manifest_key}"] = literal(
            listed, "application/vnd.oci.image.index.v1+json"
        )
    return found


def _image_manifest(bottle: Bottle, config: bytes) -> Body:
    layer = f'"digest":"sha256:{bottle.digest}","size":{bottle.size_bytes}'
    return literal(
        (
            '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",'
            '"config":{"mediaType":"application/vnd.oci.image.config.v1+json",'
            f'"digest":"sha256:{hashlib.sha256(config).hexdigest()}","size":{len(config)}}},'
            f'"layers":[{{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip",{layer}}}]}}'
        ).encode(),
        "application/vnd.oci.image.manifest.v1+json",
    )


def _curl(source: Server, target: Server, bottles: Iterable[Bottle], parallel: int) -> None:
    pairs = "".join(
        f"{source.url}/{bottle.blob_key}\n{target.url}/mirror/{bottle.blob_key}\n"
        for bottle in bottles
    )
    command = ["xargs", "-P", str(parallel), "-n", "2", "bash", "-c", _CURL]
    subprocess.run(command, input=pairs, text=True, check=True)


def _one_by_one(source: Server, target: Server, bottles: Iterable[Bottle]) -> None:
    upstream_side = http.client.HTTPConnection(urlsplit(source.url).netloc)
    s3_side = http.client.HTTPConnection(urlsplit(target.url).netloc)
    for bottle in bottles:
        upstream_side.request("GET", f"/{bottle.blob_key}")
        body = upstream_side.getresponse().read()
        assert hashlib.sha256(body).hexdigest() == bottle.digest
        s3_side.request("PUT", f"/mirror/{bottle.blob_key}", body)
        s3_side.getresponse().read()
    upstream_side.close()
    s3_side.close()


def _skopeo(source: Server, bottles: Iterable[Bottle]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for bottle in bottles:
            image = (
                f"{urlsplit(source.url).netloc}/homebrew/core/{bottle.image}:{bottle.manifest_tag}"
            )
            command = ["skopeo", "copy", "--quiet", "--all", "--src-tls-verify=false"]
            command += [f"docker://{image}", f"dir:{Path(folder, bottle.formula)}"]
            subprocess.run(command, check=True)


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
