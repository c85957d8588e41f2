"""Whatever happens upstream, to S3 and to the workers: what is published can be fetched.

Hypothesis plays Homebrew's releases, faults, kills and syncs in any order. AIRBREW_SCENARIOS sets
how many scenarios are played: 500 unless told otherwise; 20000 take about an hour.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from mirror import planning, publication, reports, worker
from mirror.bucket import Bucket
from mirror.connections import Connections
from mirror.errors import MirrorError, SyncUnderWay
from mirror.fetching import Fetcher
from mirror.registry import Registry
from mirror.settings import Selection, Settings
from mirror.settings import Upstream as UpstreamSettings
from mirror.transfer import copy_blob
from tests.doubles.registry import Signer, Upstream
from tests.doubles.s3 import S3, Killed, no_fault, refusal

SCENARIOS = int(os.environ.get("AIRBREW_SCENARIOS", "500"))
STEPS = 10
PLATFORM = "arm64_tahoe"
API = f"api/internal/packages.{PLATFORM}.jws.json"
NAMES = ("jq", "openssl@3", "libsigc++")
PART_BYTES = 1000
START = datetime(2026, 11, 22, 3, 0, 0, tzinfo=UTC)
WRITES = {"PutObject", "UploadPart", "CreateMultipartUpload", "CompleteMultipartUpload"}

names = st.sampled_from(NAMES)
sizes = st.sampled_from([1, 999, 1000, 1001, 4500])
# How far a process gets: so many calls to S3 that write, so many pieces of bottles.
short = st.integers(0, 30)
lives = st.one_of(st.none(), st.none(), short)
# Which of what upstream has, the newest first.
newest = st.integers(0, 4)


class Mirror(RuleBasedStateMachine):
    """One upstream, one bucket, and syncs that may die at any point."""

    upstream: Upstream

    def __init__(self) -> None:
        super().__init__()
        self.upstream.forget()
        self.s3 = S3()
        self.fetcher = Fetcher(sleep=lambda _: None)
        self.now = START
        self.number = self.count = 0
        self.running: set[str] = set()
        self.unfinished: str | None = None
        self.is_calm = True
        self.upstream.add("ca-certificates", {PLATFORM: b"certificates"})
        self.upstream.add("zlib", {PLATFORM: bytes(range(256)) * 9})

    def teardown(self) -> None:
        self.fetcher.close()

    # What upstream does

    @rule(name=names, size=sizes, rebuild=st.booleans())
    def release(self, name, size, rebuild):
        self.count += 1
        body = hashlib.sha256(f"{name} {self.count}".encode()).digest() * (size // 32 + 1)
        more = {"bottle_rebuild": self.count} if rebuild else {}
        self.upstream.add(name, {PLATFORM: body[:size]}, version=f"{self.count}.0", **more)

    @rule(name=names)
    def withdraw(self, name):
        self.upstream.formulae[PLATFORM].pop(name, None)
        self.upstream.sign_all()

    @rule()
    def same_bytes_in_another_formula(self):
        self.upstream.add("copy-of-certificates", {PLATFORM: b"certificates"})

    # What goes wrong

    @rule(status=st.sampled_from([429, 503, 500]), times=st.integers(1, 5), index=newest)
    def busy(self, status, times, index):
        paths = self._paths_upstream()
        answers = [(status, {"Retry-After": "1"})] * times
        self.upstream.first_answers[paths[-1 - index % len(paths)]] = answers
        self.is_calm = False

    @rule(index=newest, at=st.lists(st.integers(0, 4500), min_size=1, max_size=6))
    def reset(self, index, at):
        self._blob(index).breaks_at = sorted(at)
        self.is_calm = False

    @rule(index=newest, times=st.integers(1, 3))
    def corruption(self, index, times):
        self._blob(index).damaged_answers = times
        self.is_calm = False

    @rule(times=st.integers(1, 2))
    def everything_is_damaged(self, times):
        for blob in self.upstream.blobs.values():
            blob.damaged_answers = times
        self.is_calm = False
        self._run(self._execution(), None, None)

    @rule(index=newest, by=st.sampled_from([-1, 1]))
    def wrong_length(self, index, by):
        blob = self._blob(index)
        blob.announced = len(blob.body) + by or 7
        self.is_calm = False

    @rule()
    def truncated_manifest(self):
        self.upstream.breaks_off = [
            path for path in self._paths_upstream() if "/manifests/" in path
        ]
        self.is_calm = False

    @rule()
    def expired_tokens(self):
        self.upstream.tokens.clear()

    @rule(after=st.integers(0, 30), code=st.sampled_from(["InternalError", "SlowDown"]))
    def s3_fails(self, after, code):
        left = [after]

        def before(call, key):
            left[0] -= 1
            if left[0] == 0:
                raise refusal(code, 503)

        self.s3.before = before
        self.is_calm = False

    # What we do

    @rule(writes=lives, looks=lives)
    def sync(self, writes, looks):
        """A new execution, which may be killed; what it began may be gone on with."""
        execution = self._execution()
        self._run(execution, writes, looks)
        self.running.discard(execution)

    @rule(writes=lives, looks=lives)
    def retry(self, writes, looks):
        """The state machine calls the steps of the killed execution again."""
        if self.unfinished:
            self._run(self.unfinished, writes, looks)

    @rule(writes=lives, looks=short, more_writes=lives, more_looks=lives)
    def kill_and_go_on(self, writes, looks, more_writes, more_looks):
        execution = self._execution()
        self._run(execution, writes, looks)
        if self.unfinished == execution:
            self._run(execution, more_writes, more_looks)
        self.running.discard(execution)

    @rule(writes=short)
    def kill_and_begin_anew(self, writes):
        self._calm_down()
        self._run(self._execution(), writes, None)
        self.quiet_sync()

    @rule()
    def two_at_once(self):
        """While one execution runs, another is refused; a late step of one taken over is, too."""
        first, second = self._execution(), self._execution()
        planned = self._steps(first, lambda: self._plan(first))
        if planned is None:
            return
        try:
            self._plan(second)
        except SyncUnderWay:
            pass
        except MirrorError:
            assert not self.is_calm
        else:
            raise AssertionError("two syncs hold the lease")
        self.running.discard(first)
        if self._steps(second, lambda: self._plan(second)) is None:
            return
        served = self.s3.objects.get(API)
        # Refused, unless it had no news: then it points to what is there.
        with contextlib.suppress(MirrorError):
            publication.publish(self._connections(), planned["sync"], first, now=self.now)
        assert self.s3.objects.get(API) == served
        self._fail(second)

    @rule()
    def quiet_sync(self):
        """Without faults a sync comes to its end, and the next one has nothing to do."""
        self._calm_down()
        missing = {
            key.rpartition(":")[2] for key in self._keys_named_upstream() - self.s3.objects.keys()
        }
        self.upstream.requests.clear()

        answer = self._run(self._execution(), None, None)

        assert answer is not None
        assert self.s3.objects[API] == self.upstream.api_files[API.removeprefix("api/")]
        fetched = self.upstream.paths("/storage/")
        assert len(fetched) <= len(self._keys_named_upstream())
        assert {path.partition("?")[0].rpartition("/")[2] for path in fetched} == missing
        self.upstream.requests.clear()
        before = dict(self.s3.objects)
        again = self._run(self._execution(), None, None)
        assert again is not None
        assert (again["snapshot"], again["copied"]) == (answer["snapshot"], 0)
        assert not self.upstream.paths("/v2/")
        changed = {key for key, body in self.s3.objects.items() if before.get(key) != body}
        allowed = ("lease.json", "report.json", "report.html", "status/checked.json")
        assert all(key.endswith(allowed) for key in changed)

    # What always holds

    @invariant()
    def every_blob_hashes_to_its_name(self):
        for key, body in self.s3.objects.items():
            if "/blobs/" in key:
                assert key.rpartition(":")[2] == hashlib.sha256(body).hexdigest()

    @invariant()
    def every_published_bottle_can_be_fetched(self):
        snapshots = [
            key.removesuffix("snapshot.json") + API
            for key in self.s3.objects
            if key.endswith("/snapshot.json")
        ]
        for key in (API, *snapshots):
            for name, entry in _formulae(self.s3.objects.get(key)).items():
                image = name.replace("@", "/").replace("+", "x")
                rebuild = entry.get("bottle_rebuild")
                tag = entry["stable_version"] + (f"-{rebuild}" if rebuild else "")
                root = f"v2/homebrew/core/{image}"
                assert f"{root}/blobs/sha256:{entry['bottle_checksum']}" in self.s3.objects
                index = self.s3.objects[f"{root}/manifests/{tag}"].decode()
                assert entry["bottle_checksum"] in index

    # How

    def _run(self, execution, writes, looks):
        present = {key.rpartition(":")[2] for key in self.s3.objects if "/blobs/" in key}
        self.upstream.requests.clear()
        answer = self._steps(execution, lambda: self._all(execution, looks), writes)
        again = {
            path.partition("?")[0].rpartition("/")[2] for path in self.upstream.paths("/storage/")
        }
        assert not self._only_of_one_formula(present & again)
        return answer

    def _only_of_one_formula(self, digests):
        """A blob that two formulae share lies under each of them, and is fetched for each."""
        shared = hashlib.sha256(b"certificates").hexdigest()
        return digests - {shared}

    def _all(self, execution, looks):
        planned = self._plan(execution)
        left = [looks]

        def seconds_left():
            if left[0] is not None:
                left[0] -= 1
                if left[0] < 0:
                    self.die()
            return 900.0

        if planned["batches"]:
            for each in json.loads(self.s3.objects[planned["batches_key"]]):
                worker.run(self._connections(), each["batch"], seconds_left=seconds_left)
        return publication.publish(self._connections(), planned["sync"], execution, now=self.now)

    def _plan(self, execution):
        return planning.plan(
            self._connections(), execution, is_running=self.running.__contains__, now=self.now
        )

    def _steps(self, execution, steps, writes=None):
        """Run them as one process, and do what the state machine does when they fail."""
        faults, left = self.s3.before, [writes]

        def before(call, key):
            faults(call, key)
            if left[0] is not None and call in WRITES:
                left[0] -= 1
                if left[0] < 0:
                    self.die()

        self.s3.before = before
        self.running.add(execution)
        self.now += timedelta(minutes=1)
        self.unfinished = None
        try:
            return steps()
        except Killed:
            self.unfinished = execution
        except MirrorError:
            self.s3.before = faults
            self._fail(execution)
        finally:
            self.s3.before = faults
        return None

    def _fail(self, execution):
        try:
            reports.report_failure(Bucket(self.s3, "mirror"), execution, "x", "y", now=self.now)
        except MirrorError:
            assert not self.is_calm
        self.running.discard(execution)

    def die(self):
        """From now on no call of this process has any effect."""

        def dead(call, key):
            raise Killed

        self.s3.before = dead
        raise Killed

    def _execution(self):
        self.number += 1
        return f"execution {self.number}"

    def _calm_down(self):
        self.upstream.first_answers.clear()
        self.upstream.breaks_off.clear()
        for blob in self.upstream.blobs.values():
            blob.breaks_at, blob.damaged_answers, blob.announced = [], 0, None
        self.s3.before = no_fault
        self.running.clear()
        self.is_calm = True

    def _connections(self):
        # A worker's pace and tokens live as long as its process.
        registry = Registry(self.upstream.url, self.fetcher)
        return Connections(self.settings, Bucket(self.s3, "mirror"), self.fetcher, registry)

    @functools.cached_property
    def settings(self):
        return Settings(
            UpstreamSettings(
                f"{self.upstream.url}/api", self.upstream.url, self.upstream.signer.public_pem
            ),
            Selection((PLATFORM,), ("*",), include_dependencies=True),
            batch_max_bottles=3,
            batch_max_mib=64,
            transfers=2,
        )

    def _blob(self, index):
        blobs = list(self.upstream.blobs.values())
        return blobs[-1 - index % len(blobs)]

    def _paths_upstream(self):
        indexes = [
            f"/v2/homebrew/core/{image}/manifests/{tag}" for image, tag in self.upstream.manifests
        ]
        return [
            f"/{API}",
            "/token",
            *indexes,
            *(f"/storage/{each}" for each in self.upstream.blobs),
        ]

    def _keys_named_upstream(self):
        served = self.upstream.api_files[API.removeprefix("api/")]
        return {
            f"v2/homebrew/core/{name.replace('@', '/').replace('+', 'x')}"
            f"/blobs/sha256:{entry['bottle_checksum']}"
            for name, entry in _formulae(served).items()
        }


def _formulae(signed):
    return json.loads(json.loads(signed)["payload"])["formulae"] if signed else {}


@pytest.fixture
def mirror(monkeypatch):
    """The machine with an upstream of its own, and parts small enough to be killed between."""
    monkeypatch.setattr(worker, "copy_blob", functools.partial(copy_blob, part_bytes=PART_BYTES))
    monkeypatch.setattr("mirror.bodies.CHUNK_BYTES", PART_BYTES // 2)
    with Upstream(Signer()) as upstream:
        yield type("Mirror", (Mirror,), {"upstream": upstream})


def test_what_is_published_can_be_fetched_whatever_happens(mirror):
    run_state_machine_as_test(
        mirror,
        settings=settings(
            max_examples=SCENARIOS,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
