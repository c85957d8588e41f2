"""A small upstream, an empty bucket that moto plays, and the mirror between them."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from botocore.awsrequest import AWSResponse

from mirror import planning, publication, telemetry, worker
from mirror.bucket import Bucket
from mirror.connections import Connections
from mirror.fetching import Fetcher
from mirror.registry import Registry
from mirror.settings import Retention, Selection, Settings
from mirror.settings import Upstream as UpstreamSettings
from tests.doubles.registry import Signer, Upstream

NOW = datetime(2026, 11, 22, 3, 0, 0, tzinfo=UTC)
EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:sync:one"


@pytest.fixture(autouse=True)
def _no_retries_from_before():
    """A Lambda counts its retries anew at each call; the tests share one process."""
    telemetry.take_retries()


@pytest.fixture(scope="session")
def signer():
    """One key for all tests: making one takes longer than most of them."""
    return Signer()


@pytest.fixture
def upstream(signer):
    """A Homebrew that holds nothing yet."""
    with Upstream(signer) as running:
        yield running


@pytest.fixture
def pauses():
    """The seconds that the mirror would have slept."""
    return []


@pytest.fixture
def fetcher(pauses):
    """Connections that do not sleep, and that are closed in the end."""
    fetcher = Fetcher(sleep=pauses.append)
    yield fetcher
    fetcher.close()


@pytest.fixture
def bucket(s3):
    """An empty bucket."""
    s3.create_bucket(Bucket="mirror")
    return Bucket(s3, "mirror")


@pytest.fixture
def settings(upstream, signer):
    """One platform, everything selected, small batches."""
    return Settings(
        UpstreamSettings(f"{upstream.url}/api", upstream.url, signer.public_pem),
        Selection(("arm64_tahoe",), ("*",), include_dependencies=True),
        batch_max_bottles=2,
        batch_max_mib=64,
        transfers=2,
    )


@pytest.fixture
def connections(settings, bucket, fetcher, upstream):
    """What a function talks to."""
    return Connections(settings, bucket, fetcher, Registry(upstream.url, fetcher))


class Sync:
    """The state machine in miniature: plan, each batch, publish."""

    def __init__(self, connections: Connections) -> None:
        self.connections = connections

    def plan(self, execution=EXECUTION, now=NOW, is_running=lambda _: True):
        return planning.plan(self.connections, execution, is_running=is_running, now=now)

    def copy(self, planned, seconds_left=lambda: 900.0):
        """The answers of the batches; without any the state machine goes on to publish."""
        if not planned["batches"]:
            return []
        pointers = json.loads(self.connections.bucket.read(planned["batches_key"]))
        return [
            worker.run(self.connections, each["batch"], seconds_left=seconds_left).as_answer()
            for each in pointers
        ]

    def publish(self, planned, execution=EXECUTION, now=NOW):
        return publication.publish(self.connections, planned["sync"], execution, now=now)

    def run(self, execution=EXECUTION, now=NOW):
        """All of it; returns what publish answers."""
        planned = self.plan(execution, now)
        self.copy(planned)
        return self.publish(planned, execution, now)


@pytest.fixture
def sync(connections):
    """A sync that is run by hand, step by step."""
    return Sync(connections)


@pytest.fixture
def stored(s3, bucket):
    """What is in the bucket: key → bytes, below a prefix."""

    def read(prefix=""):
        found = s3.list_objects_v2(Bucket="mirror", Prefix=prefix).get("Contents", [])
        return {
            each["Key"]: s3.get_object(Bucket="mirror", Key=each["Key"])["Body"].read()
            for each in found
        }

    return read


DENIED = (
    b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code>'
    b"<Message>Access Denied</Message></Error>"
)


@pytest.fixture
def s3_answers(s3):
    """Lets S3 answer a call with a status and a body of the test's own, over HTTP as it were."""
    registered = []

    def answer(call, respond):
        def before_send(request, **_):
            status, body = respond()
            return AWSResponse(request.url, status, {}, RawBody(body))

        s3.meta.events.register_first(f"before-send.s3.{call}", before_send)
        registered.append((call, before_send))

        def stop():
            s3.meta.events.unregister(f"before-send.s3.{call}", before_send)

        return stop

    yield answer
    for call, before_send in registered:
        s3.meta.events.unregister(f"before-send.s3.{call}", before_send)


@pytest.fixture
def s3_refuses(s3_answers):
    """Lets S3 deny a call by its name; the returned function allows it again."""
    return lambda call: s3_answers(call, lambda: (403, DENIED))


@pytest.fixture
def s3_calls(s3):
    """The names of the calls to S3 so far, tries of one call apart."""
    calls = []

    def note(model, **_):
        calls.append(model.name)

    s3.meta.events.register("before-call.s3", note)
    yield calls
    s3.meta.events.unregister("before-call.s3", note)


@pytest.fixture
def retaining():
    """Connections that keep what these settings say."""

    def change(connections, **told):
        settings = replace(connections.settings, retention=Retention(**told))
        return connections.with_settings(settings)

    return change


class Killed(BaseException):
    """The process is gone: no handler of ours sees it coming."""


@pytest.fixture
def before_each_write(s3):
    """Lets a test look, or kill, before each call that changes the bucket; returns how to stop."""
    calls = ("PutObject", "DeleteObjects", "CompleteMultipartUpload")
    registered = []

    def watch(look):
        def before_call(**_):
            look()

        for call in calls:
            s3.meta.events.register(f"before-call.s3.{call}", before_call)
        registered.append(before_call)
        return lambda: stop(before_call)

    def stop(before_call):
        for call in calls:
            s3.meta.events.unregister(f"before-call.s3.{call}", before_call)

    yield watch
    for before_call in registered:
        stop(before_call)


class RawBody(io.BytesIO):
    """A body as botocore reads it from urllib3."""

    def stream(self, **_):
        yield self.read()
