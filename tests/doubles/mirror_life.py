"""All that happens to a deployed mirror in its life, done once."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.request import Request, urlopen

import pytest

from delivery.cloud import Cloud
from delivery.errors import SyncFailed
from delivery.mirror import executions, orchestrator
from delivery.mirror.contents import Contents
from sandbox.upstream import Upstream

PATIENCE_SECONDS = 120
BOTTLE, MANIFEST = "v2/homebrew/core/jq/blobs/", "v2/homebrew/core/wget/manifests/"
WGET = "core/wget/blobs"
CASK = "v2/homebrew/cask/firefox/blobs/"


class MirrorLife:
    """The deployed mirror, its upstream, and what happens to them.

    Args:
        cloud: as whoever deployed it.
        outputs: what Terraform put out.
    """

    def __init__(self, cloud: Cloud, outputs: Mapping[str, Any], upstream: Upstream) -> None:
        self.cloud, self.outputs, self.upstream = cloud, outputs, upstream
        self.contents = Contents(cloud, outputs)
        self.s3, self.bucket = cloud.client("s3"), outputs["mirror_bucket"]

    def sync(self) -> str:
        """The snapshot that a whole sync published."""
        return self._published(executions.start(self.cloud, self.outputs["state_machine_arn"]))

    def sync_interrupted(self) -> str:
        """The same, carried by tasks, of which the first is taken away in the middle of a batch."""
        ecs, cluster = self.cloud.client("ecs"), "airbrew-dev-sync"
        with self.faulty("unavailable", WGET):  # Held up there, it tries again.
            started = executions.start(self.cloud, self.outputs["state_machine_arn"])
            _await(lambda: any(WGET in path for path in self.upstream.requests))
            (task,) = ecs.list_tasks(cluster=cluster, desiredStatus="RUNNING")["taskArns"]
            ecs.stop_task(cluster=cluster, task=task, reason="Spot")
        return self._published(started)

    def _published(self, execution: str) -> str:
        return str(executions.follow(self.cloud, execution, lambda _: None).output["snapshot"])

    def release(self, name: str, version: str) -> None:
        """A new version upstream."""
        self._post("releases", {"name": name, "version": version})

    @contextmanager
    def faulty(self, kind: str, match: str) -> Iterator[None]:
        """An upstream at which whatever matches goes wrong."""
        self._post("faults", {"kind": kind, "match": match, "times": None})
        yield
        request = Request(f"{self.upstream.url}/_sandbox/faults", method="DELETE")
        with urlopen(request, timeout=PATIENCE_SECONDS):
            pass

    def ask(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the orchestrator answers."""
        function = self.outputs["orchestrator_function"]
        return orchestrator.ask(self.cloud, function, event, SyncFailed, "it could not")

    def plan_and_be_killed(self) -> Mapping[str, Any]:
        """A plan whose execution is not to be found when somebody asks after the lease."""
        machine = self.outputs["state_machine_arn"]
        return self.ask(
            {"action": "plan", "execution": f"{machine.replace(':stateMachine:', ':execution:')}:x"}
        )

    def carry_with_an_old_lease(self) -> None:
        """One batch, late in its sync: the lease has to be renewed first."""
        planned = self.plan_and_be_killed()
        lease = self._read("syncs/lease.json")
        soon = (datetime.now(UTC) + timedelta(minutes=1)).isoformat(timespec="seconds")
        self._write("syncs/lease.json", json.dumps({**lease, "expires_at": soon}).encode())
        (batch, *_) = self._read(planned["batches_key"])
        function = self.outputs["sync_worker_function"]
        orchestrator.ask(self.cloud, function, batch, SyncFailed, "it could not")

    def verify(self, **request: Any) -> Mapping[str, Any]:
        """What a verification with repair found."""
        asked = {"snapshot": "", "deep": True, "sample": None, "seed": 0, "repair": True, "run": ""}
        return self.contents.verify(asked | request, lambda _: None)

    def spoil(self, key: str) -> None:
        """Other bytes under a key that was there, or was not."""
        self._write(key, b"not what it should be")

    def lose(self, prefix: str) -> None:
        """One of the objects there is gone."""
        self.s3.delete_object(Bucket=self.bucket, Key=self.key(prefix))

    def key(self, prefix: str) -> str:
        """The first key that begins so."""
        listed = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return str(listed["Contents"][0]["Key"])

    def _post(self, what: str, document: Mapping[str, Any]) -> None:
        body = json.dumps(document).encode()
        with urlopen(Request(f"{self.upstream.url}/_sandbox/{what}", body), timeout=30):
            pass

    def _read(self, key: str) -> Any:
        with self.s3.get_object(Bucket=self.bucket, Key=key)["Body"] as body:
            return json.load(body)

    def _write(self, key: str, body: bytes) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)


def live(life: MirrorLife) -> None:
    """Two routes, news, losses, channels there and back, repairs, and what is collected at last."""
    first = life.sync_interrupted()
    orchestrator.dry_run(life.cloud, life.outputs["orchestrator_function"], sizes=True, why="jq")
    life.ask({"action": "check"})
    life.ask({"action": "want", "everything": False})
    life.release("jq", "9.9.9")
    second = life.sync()  # So little that functions carry it.
    life.contents.snapshots()
    life.contents.promote("stable", second, dry_run=False)
    life.contents.rollback(first, "canary", dry_run=False)
    life.contents.promote("canary", second, dry_run=False)
    life.contents.audit()
    life.spoil(life.key(BOTTLE))
    life.spoil(life.key(MANIFEST))
    life.verify(run=life.verify()["run"])
    life.release("jq", "9.9.10")
    life.lose(CASK)
    with life.faulty("corrupt", "Firefox"), pytest.raises(SyncFailed, match="firefox"):
        life.sync()
    life.carry_with_an_old_lease()
    for version in ("9.9.11", "9.9.12"):
        life.release("jq", version)
        life.contents.promote("stable", life.sync(), dry_run=False)
    life.plan_and_be_killed()
    life.spoil("api/internal/packages.big_sur.jws.json")
    life.spoil("channels/stable/api/internal/packages.big_sur.jws.json")
    for _ in range(2):  # What the first finds to be named by nobody, the second deletes.
        life.contents.collect(apply=True)
    # Nothing was brought: it is refused at its first read, and not for want of a permission.
    with pytest.raises(SyncFailed, match="NoSuchKey"):
        life.ask({"action": "import_publish", "snapshot": "2999-01-01T000000Z"})


def _await(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
