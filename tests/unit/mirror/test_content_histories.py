"""Random histories of publishes, rollbacks, promotions, collections and kills: what clients see.

AIRBREW_HISTORIES=1000 plays a thousand of them instead of a hundred.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from mirror import audit, channels, retention, snapshots
from mirror.bottles import Bottle
from mirror.bucket import Bucket
from mirror.casks import CaskFile, Held
from mirror.connections import Connections
from mirror.errors import IncompleteSnapshot, UnknownSnapshot
from mirror.settings import Channels, Retention, Selection, Settings, Upstream
from tests.doubles.memory_s3 import MemoryS3
from tests.unit.mirror.conftest import NOW, Killed

HISTORIES = int(os.environ.get("AIRBREW_HISTORIES", "100"))
NAMES = ("canary", "pilot", "stable")
READS, EACH = 10_000, 50
GRACE = timedelta(days=5)
PLATFORMS = ("arm64_tahoe", "sonoma")
FORMULAE = ("git", "jq", "wget")
# Of another tap; and what is a cask besides, of the same version.
TAPPED, CASKS = ("wget",), ("git",)


def api_path(platform):
    return f"internal/packages.{platform}.jws.json"


class World:
    """A bucket, a clock, and a client that looks before each single write.

    Args:
        followed: the channel that ``api/`` follows, if any.
    """

    def __init__(self, followed: str | None) -> None:
        self.now: datetime = NOW
        self.s3 = MemoryS3(self.before_write)
        self.bucket = Bucket(self.s3, "mirror")
        self.reads = self.collected = 0
        self.writes_left: int | None = None
        self.last_named: dict[str, datetime] = {}
        told = Settings(
            Upstream("https://upstream/api", "https://upstream", ""),
            Selection(PLATFORMS, ("*",), include_dependencies=True),
            batch_max_bottles=1,
            batch_max_mib=1,
            transfers=1,
            channels=Channels(NAMES, soak_hours=24, followed=followed),
            retention=Retention(keep_snapshots=2, keep_days=3, grace_days=GRACE.days),
        )
        self.connections = Connections(told, self.bucket, None, None)

    def before_write(self) -> None:
        self.look_as_clients()
        if self.writes_left is not None:
            self.writes_left -= 1
            if self.writes_left < 0:
                raise Killed

    def look_as_clients(self) -> None:
        """Every bottle that any served API file names can be fetched at this moment."""
        for key, body in self.s3.objects.items():
            if key.startswith("api/") or (key.startswith("channels/") and "/api/" in key):
                self.reads += 1
                for named in json.loads(body):
                    assert named in self.s3.objects, f"{key} names {named}, which is gone"

    def publish(self, versions: dict[str, int], platforms: list[str]) -> None:
        """What a sync does to the bucket, from blobs to pointers."""
        identity = self.now.strftime("%Y-%m-%dT%H%M%SZ")
        bottles = [
            bottle(formula, version, platform)
            for formula, version in versions.items()
            for platform in platforms
        ]
        casks = [cask(name, versions[name]) for name in CASKS]
        self.s3.objects[f"syncs/{identity}/plan/plan.json"] = b"{}"
        for each in (*bottles, *casks):
            self.s3.objects.setdefault(each.blob_key, body_of(each))
        inventory = self.bucket.sizes("v2/")
        for each in bottles:
            self.bucket.write(each.manifest_key, b"m")
        api_files = {}
        for platform in platforms:
            mine = [each for each in bottles if each.tag == platform]
            named = [key for b in mine for key in (b.blob_key, b.manifest_key)]
            body = json.dumps([*named, *(each.blob_key for each in casks)]).encode()
            self.bucket.write(f"snapshots/{identity}/api/{api_path(platform)}", body)
            api_files[api_path(platform)] = hashlib.sha256(body).hexdigest()
        digest = snapshots.write_bottles(self.bucket, identity, bottles)
        previous = snapshots.newest(self.bucket, before=identity)
        document = {
            "id": identity,
            "created_at": self.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "previous": previous.as_json() if previous else None,
            "bottles_sha256": digest,
            **snapshots.write_casks(self.bucket, identity, casks, ()),
            "api_files": api_files,
        }
        snapshots.finish(self.bucket, identity, document)
        channels.advance(self.connections, document, inventory, self.now)

    def fail(self, version: int) -> None:
        """A sync that brought a bottle and was never published."""
        each = bottle("wget", version, "sonoma")
        self.s3.objects.setdefault(each.blob_key, body_of(each))

    def roll_back(self, channel: str, number: int) -> None:
        ids = snapshots.ids(self.bucket)
        if ids:
            with suppress(UnknownSnapshot):
                channels.rollback(
                    self.connections, channel, ids[number % len(ids)], self.now, dry_run=False
                )

    def promote(self, channel: str) -> None:
        with suppress(UnknownSnapshot):
            channels.promote(self.connections, channel, "", self.now, dry_run=False)

    def collect(self) -> None:
        before = set(self.bucket.sizes("v2/"))
        self.note_named()
        found = retention.find(self.connections, self.now)
        try:
            retention.carry_out(self.bucket, found, "2027-01-01T000000Z")
        finally:
            for key in before - set(self.bucket.sizes("v2/")):
                self.collected += 1
                assert self.now - self.last_named.get(key, NOW) >= GRACE, f"{key} went too early"

    def note_named(self) -> None:
        """When each key was named by a snapshot last."""
        for key in self.named():
            self.last_named[key] = self.now

    def named(self) -> set[str]:
        documents = snapshots.finished(self.bucket)
        bottles = {
            key
            for document in documents
            for each in snapshots.bottles_of(self.bucket, document)
            for key in (each.blob_key, each.manifest_key)
        }
        casks = (each for one in documents for each in snapshots.casks_of(self.bucket, one))
        return bottles | {each.blob_key for each in casks}


def body_of(each: Held) -> bytes:
    return each.digest.encode()


def bottle(formula: str, version: int, platform: str) -> Bottle:
    digest = hashlib.sha256(f"{formula} {version} {platform}".encode()).hexdigest()
    found = Bottle(formula, f"1.{version}", 0, platform, digest, 64)
    return found._replace(repository="acme/tools") if formula in TAPPED else found


def cask(token: str, version: int) -> CaskFile:
    digest = hashlib.sha256(f"cask {token} {version}".encode()).hexdigest()
    return CaskFile(token, f"1.{version}", "https://vendor/file.dmg", digest, 64)


versions = st.fixed_dictionaries({name: st.integers(0, 4) for name in FORMULAE})
selected = st.sampled_from([["arm64_tahoe"], list(PLATFORMS)])
channel = st.sampled_from(["default", *NAMES])
step = st.one_of(
    st.tuples(st.just("publish"), versions, selected),
    st.tuples(st.just("publish"), versions, selected),
    st.tuples(st.just("fail"), st.integers(0, 4)),
    st.tuples(st.just("roll_back"), channel, st.integers(0, 9)),
    st.tuples(st.just("promote"), st.sampled_from(NAMES)),
    st.tuples(st.just("collect")),
    st.tuples(st.just("collect")),
)
history = st.lists(
    st.tuples(step, st.integers(1, 96), st.none() | st.integers(0, 20)), min_size=8, max_size=30
)


def play(world: World, told: list) -> Iterator[None]:
    """Each step some hours after the one before; some are killed after a number of writes."""
    for (action, *arguments), hours, kill_after in told:
        world.now += timedelta(hours=hours)
        world.writes_left = kill_after
        with suppress(Killed):
            getattr(world, action)(*arguments)
        world.writes_left = None
        yield


@settings(
    max_examples=HISTORIES,
    deadline=None,
    # Shrinking takes minutes, and a history that fails is short as it is.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(told=history, followed=st.sampled_from([None, "stable"]))
def test_nothing_served_is_ever_lost_and_what_nobody_names_goes_after_its_grace(
    told, followed, capsys
):
    world = World(followed)

    for _ in play(world, told):
        world.note_named()
        world.look_as_clients()
        kept = retention.find(world.connections, world.now).kept
        inventory = world.bucket.sizes("v2/")
        for snapshot in kept:
            snapshots.check_complete(
                world.bucket, snapshots.read(world.bucket, snapshot), inventory
            )
        assert audit.audit(world.bucket)["intact"]
    # A publish that is not killed completes what was; then the world stands still.
    world.now += timedelta(days=1)
    world.publish(dict.fromkeys(FORMULAE, 5), ["arm64_tahoe"])
    for name in NAMES:
        world.promote(name)
    for _ in range(3):
        world.now += timedelta(days=30)
        world.collect()

    assert set(world.bucket.sizes("v2/")) == world.named()
    assert world.reads >= len(told)
    assert len(snapshots.ids(world.bucket)) <= 3
    capsys.readouterr()


def test_ten_thousand_reads_amid_publishes_rollbacks_and_collections_find_all_that_they_name(
    capsys,
):
    drawn, world = random.Random(2026), World("stable")
    done = dict.fromkeys(("publish", "roll_back", "collect"), 0)

    while min(done.values()) < EACH or world.reads < READS:
        world.now += timedelta(hours=drawn.randint(1, 96))
        action = drawn.choice(list(done))
        done[action] += 1
        if action == "publish":
            versions = {name: drawn.randint(0, 9) for name in FORMULAE}
            world.publish(versions, drawn.choice([["arm64_tahoe"], list(PLATFORMS)]))
        elif action == "roll_back":
            world.roll_back(drawn.choice(["default", *NAMES]), drawn.randint(0, 9))
        else:
            world.collect()

    assert world.collected > EACH
    capsys.readouterr()


@pytest.mark.parametrize(
    ("lost", "place"),
    [
        (bottle("jq", 1, "arm64_tahoe"), "homebrew/core/jq"),
        (bottle("wget", 1, "arm64_tahoe"), "acme/tools/wget"),
        (cask("git", 1), "homebrew/cask/git"),
    ],
)
def test_a_client_would_notice_what_went_too_early(lost, place):
    world = World(None)
    world.publish(dict.fromkeys(FORMULAE, 1), ["arm64_tahoe"])
    del world.s3.objects[lost.blob_key]

    with pytest.raises(AssertionError, match=rf"api/.* names v2/{place}/blobs/"):
        world.look_as_clients()
    with pytest.raises(IncompleteSnapshot):
        channels.promote(world.connections, "canary", "", world.now, dry_run=False)
