"""Real processes that plan, copy and publish, killed by SIGKILL at random moments.

AIRBREW_KILLS=100 kills a hundred of them instead of three; AIRBREW_SEED repeats a run.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import random
import signal
import sys
import time
from datetime import UTC, datetime

import boto3
import pytest
from moto.server import ThreadedMotoServer

from mirror import planning, publication, worker
from mirror.bucket import Bucket
from mirror.connections import Connections
from mirror.fetching import Fetcher
from mirror.registry import Registry
from mirror.settings import Selection, Settings
from mirror.settings import Upstream as UpstreamSettings
from tests.doubles.registry import Signer, Upstream

KILLS = int(os.environ.get("AIRBREW_KILLS", "3"))
SEED = int(os.environ.get("AIRBREW_SEED", "2026"))
PHASES = ("plan", "worker", "publish")
PLATFORM = "arm64_tahoe"
API = f"api/internal/packages.{PLATFORM}.jws.json"
NEW_BOTTLES = 100
BOTTLE_BYTES = 20_000
FETCHED_TWICE = 0.02
# A process that was not killed must have ended by then.
PATIENCE_SECONDS = 120
ACCESS = {
    "AWS_ACCESS_KEY_ID": "x",
    "AWS_SECRET_ACCESS_KEY": "x",
    "AWS_DEFAULT_REGION": "us-east-1",
}


def one_sync(upstream_url, pem, s3_url, execution, told):
    """In a process of its own: plan, each batch, publish; tells when it enters each."""
    os.environ.update(ACCESS, AWS_ENDPOINT_URL=s3_url)
    fetcher = Fetcher()
    settings = Settings(
        UpstreamSettings(f"{upstream_url}/api", upstream_url, pem),
        Selection((PLATFORM,), ("*",), include_dependencies=True),
        batch_max_bottles=20,
        batch_max_mib=64,
        transfers=2,
    )
    bucket = Bucket.connect("mirror", s3_url)
    connections = Connections(settings, bucket, fetcher, Registry(upstream_url, fetcher))
    now = datetime.now(UTC)
    told.send("plan")
    planned = planning.plan(connections, execution, is_running=lambda _: False, now=now)
    told.send("worker")
    if planned["batches"]:
        for each in json.loads(bucket.read(planned["batches_key"])):
            worker.run(connections, each["batch"], seconds_left=lambda: 900.0)
    told.send("publish")
    publication.publish(connections, planned["sync"], execution, now=datetime.now(UTC))
    told.send("done")


class Mirror:
    """An upstream, an S3 over HTTP, and processes between them."""

    def __init__(self, upstream, s3_url):
        self.upstream, self.s3_url = upstream, s3_url
        self.s3 = boto3.client("s3", endpoint_url=s3_url)
        self.s3.create_bucket(Bucket="mirror")
        self.processes = multiprocessing.get_context("forkserver")
        self.processes.set_forkserver_preload([__name__])
        self.seconds = dict.fromkeys(PHASES, 0.5)
        self.proven = set()
        self.new_bytes = self.executions = 0

    def release(self, number):
        """A new version of each formula."""
        for name in range(NEW_BOTTLES):
            body = hashlib.sha256(f"{name} {number}".encode()).digest() * (BOTTLE_BYTES // 32)
            self.upstream.add(f"formula{name}", {PLATFORM: body}, version=f"{number}.0")
            self.new_bytes += len(body)

    def run(self, execution, kill_in=None, after=0.0):
        """Whether the process came to its end, rather than being killed `after` seconds in."""
        mine, theirs = self.processes.Pipe(duplex=False)
        given = (self.upstream.url, self.upstream.signer.public_pem, self.s3_url, execution, theirs)
        process = self.processes.Process(target=one_sync, args=given)
        process.start()
        theirs.close()
        entered, phase = time.monotonic(), None
        while phase != "done":
            assert mine.poll(PATIENCE_SECONDS)
            try:
                told = mine.recv()
            except EOFError:
                break
            if phase and not kill_in:
                self.seconds[phase] = time.monotonic() - entered
            entered, phase = time.monotonic(), told
            if phase == kill_in:
                process.join(after)
                if process.is_alive():
                    os.kill(process.pid, signal.SIGKILL)
        process.join(PATIENCE_SECONDS)
        assert kill_in or process.exitcode == 0, "a process that nobody killed did not end well"
        mine.close()
        return process.exitcode == 0

    def check(self):
        """Every blob hashes to its name, and what is published can be fetched."""
        held = {
            each["Key"]: each["ETag"]
            for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket="mirror")
            for each in page.get("Contents", ())
        }
        blobs = {(key, etag) for key, etag in held.items() if "/blobs/" in key}
        for key, _ in blobs - self.proven:
            assert hashlib.sha256(self.read(key)).hexdigest() == key.rpartition(":")[2]
        self.proven |= blobs
        if API in held:
            for name, entry in json.loads(json.loads(self.read(API))["payload"])[
                "formulae"
            ].items():
                image = f"v2/homebrew/core/{name}"
                assert f"{image}/blobs/sha256:{entry['bottle_checksum']}" in held
                assert f"{image}/manifests/{entry['stable_version']}" in held

    def read(self, key):
        return self.s3.get_object(Bucket="mirror", Key=key)["Body"].read()

    def fetched_bytes(self):
        """What storage was asked for, each request as if it had been answered whole."""
        return sum(
            len(self.upstream.blobs[path.partition("?")[0].rpartition("/")[2]].body)
            for path in self.upstream.paths("/storage/")
        )


@pytest.fixture
def mirror(monkeypatch):
    for name, value in ACCESS.items():
        monkeypatch.setenv(name, value)
    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    with Upstream(Signer()) as upstream:
        found = Mirror(upstream, f"http://127.0.0.1:{server.get_host_and_port()[1]}")
        yield found
        found.s3.close()
    server.stop()


def test_whenever_a_process_is_killed_nothing_is_inconsistent_and_little_fetched_twice(
    mirror, capsys
):
    drawn = random.Random(SEED)
    killed = dict.fromkeys(PHASES, 0)
    mirror.release(0)
    mirror.run("first")
    for number in range(1, 100 * KILLS):
        phase = drawn.choice(PHASES)
        mirror.release(number)

        ended = mirror.run(f"{number}", phase, drawn.uniform(0, mirror.seconds[phase]))
        mirror.check()
        mirror.run(f"{number}" if drawn.random() < 0.5 else f"{number}, anew")
        mirror.check()

        killed[phase] += not ended
        if sum(killed.values()) == KILLS:
            break
    twice = mirror.fetched_bytes() / mirror.new_bytes - 1

    with capsys.disabled():
        sys.stdout.write(f"killed: {killed}; fetched twice: {twice:.3%} of {mirror.new_bytes}\n")
    assert sum(killed.values()) == KILLS
    assert 0 <= twice <= FETCHED_TWICE
