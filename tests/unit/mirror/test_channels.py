"""Channels: what each serves after a publish, a soak, a promotion and a rollback."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from mirror import audit, channels, keys, pointers, snapshots
from mirror.errors import (
    DamagedRecord,
    IncompleteSnapshot,
    UnknownChannel,
    UnknownSnapshot,
)
from mirror.settings import Channels
from tests.unit.mirror.conftest import NOW, Killed

API = "internal/packages.arm64_tahoe.jws.json"
DAY = timedelta(days=1)
THREE = Channels(("canary", "pilot", "stable"), soak_hours=48)


@pytest.fixture
def configured(sync, connections):
    """Lets the sync run with these channels."""

    def configure(told):
        sync.connections = replace(
            connections, settings=replace(connections.settings, channels=told)
        )
        return sync.connections

    return configure


@pytest.fixture
def publish(upstream, sync):
    """A new version of jq, published on a day; returns the snapshot's id."""

    def run(day):
        upstream.add("jq", {"arm64_tahoe": b"jq %d" % day}, version=f"1.{day}")
        return sync.run(execution=f"day {day}", now=NOW + day * DAY)["snapshot"]

    return run


@pytest.fixture
def served(stored):
    """Channel → the snapshot whose files it serves, told by the bytes, not by the pointer."""

    def look():
        snapshots = {
            key.split("/")[1]: body
            for key, body in stored("snapshots/").items()
            if key.endswith(f"/api/{API}")
        }
        found = {}
        for key, body in {**stored("api/"), **stored("channels/")}.items():
            if key.endswith(f"api/{API}"):
                name = key.removesuffix(f"api/{API}").removeprefix("channels/").rstrip("/")
                (found[name or "api"],) = [each for each, at in snapshots.items() if at == body]
        return found

    return look


def test_without_channels_api_follows_the_newest_snapshot(publish, served, stored):
    publish(0)
    second = publish(1)

    assert served() == {"api": second}
    pointer = json.loads(stored("channels/")["channels/default/pointer.json"])
    assert pointer["snapshot"] == second
    assert pointer["since"] == "2026-11-23T03:00:00Z"
    assert pointer["by"] == "sync"
    assert pointer["moving_to"] is None


def test_the_first_snapshot_is_in_every_channel(configured, publish, served):
    configured(replace(THREE, followed="stable"))

    first = publish(0)

    assert served() == dict.fromkeys(("api", "canary", "pilot", "stable"), first)


def test_a_snapshot_goes_on_after_its_soak_and_not_before(configured, publish, served):
    configured(replace(THREE, followed="stable"))
    first, second = publish(0), publish(1)
    publish(2)
    before = served()

    publish(3)
    pilot = served()
    publish(5)

    assert (before["canary"], before["pilot"]) == ("2026-11-24T030000Z", first)
    assert (pilot["pilot"], pilot["stable"], pilot["api"]) == (second, first, first)
    assert served()["stable"] == served()["api"] == second


def test_a_snapshot_each_night_does_not_keep_any_from_soaking_for_two_days(
    configured, publish, served
):
    configured(THREE)
    published = [publish(day) for day in range(8)]

    assert served()["pilot"] == published[5]
    assert served()["stable"] == published[3]


def test_a_snapshot_each_hour_does_not_keep_any_from_soaking_for_a_month():
    pointer = pointers.Pointer("canary")
    hours = [NOW + timedelta(hours=hour) for hour in range(800)]
    for hour in hours:
        pointer = pointer.moved(keys.sync_id(hour), pointers.BY_SYNC, hour)

    soaked = channels.soaked(pointers.Pointer.from_json(pointer.as_json()), 720, hours[-1])

    assert soaked == keys.sync_id(hours[-1] - timedelta(hours=720))


def test_without_a_soak_a_snapshot_passes_all_channels_at_once(configured, publish, served):
    configured(replace(THREE, soak_hours=0))
    publish(0)

    second = publish(1)

    assert set(served().values()) == {second}


def test_a_channel_that_stays_where_it_is_is_not_told_to_have_moved(configured, publish, capsys):
    configured(replace(THREE, followed="stable"))
    publish(0)
    capsys.readouterr()

    publish(1)

    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    moved = [each["channel"] for each in told if each["event"] == "channel_moved"]
    assert moved == ["canary"]


def test_a_promotion_by_hand_takes_what_the_channel_before_serves(configured, publish, served):
    connections = configured(replace(THREE, followed="pilot"))
    publish(0)
    second = publish(1)

    moved = channels.promote(connections, "pilot", "", NOW + DAY, dry_run=False)

    assert served() == {
        "canary": second,
        "pilot": second,
        "api": second,
        "stable": "2026-11-22T030000Z",
    }
    assert [each.channel for each in moved] == ["pilot", "default"]


def test_a_promotion_to_an_older_snapshot_is_told_to_be_a_rollback(configured, publish):
    connections = configured(THREE)
    first = publish(0)
    publish(1)

    with pytest.raises(UnknownSnapshot, match=f"rollback --channel canary --to {first}"):
        channels.promote(connections, "canary", first, NOW + DAY, dry_run=False)


def test_a_rollback_writes_only_the_files_that_differ(upstream, signer, publish, sync, s3, served):
    upstream.api_files["cask.jws.json"] = signer.sign("{}")
    first = publish(0)
    publish(1)
    cask = s3.head_object(Bucket="mirror", Key="api/cask.jws.json")

    (moved,) = channels.rollback(sync.connections, "default", first, NOW + DAY, dry_run=False)

    assert moved.files == (API,)
    assert served()["api"] == first
    again = s3.head_object(Bucket="mirror", Key="api/cask.jws.json")
    assert again["LastModified"] == cask["LastModified"]


def test_a_rollback_on_trial_says_the_same_and_writes_nothing(publish, sync, stored):
    first = publish(0)
    publish(1)
    before = stored()

    (moved,) = channels.rollback(sync.connections, "default", first, NOW + DAY, dry_run=True)

    assert moved.files == (API,)
    assert stored() == before


def test_a_rollback_to_a_snapshot_that_lost_a_bottle_is_refused_by_its_name(
    publish, sync, s3, stored
):
    first = publish(0)
    publish(1)
    (blob,) = [key for key, body in stored("v2/homebrew/core/jq/blobs/").items() if body == b"jq 0"]
    s3.delete_object(Bucket="mirror", Key=blob)
    before = stored()

    with pytest.raises(IncompleteSnapshot, match=r"1 bottles of .* are gone: jq 1\.0 arm64_tahoe"):
        channels.rollback(sync.connections, "default", first, NOW + DAY, dry_run=False)

    assert stored() == before


def test_what_was_taken_back_does_not_come_back_by_itself_but_a_newer_one_does(
    configured, publish, served
):
    connections = configured(THREE)
    first, second = publish(0), publish(1)
    publish(3)
    channels.rollback(connections, "pilot", first, NOW + 3 * DAY, dry_run=False)

    third = publish(4)
    held = served()["pilot"]
    publish(6)

    assert held == first != second
    assert served()["pilot"] == third


def test_an_api_file_that_api_is_to_get_after_a_soak_is_no_gap_in_it(
    configured, publish, upstream, signer, sync
):
    configured(replace(THREE, followed="stable"))
    publish(0)
    upstream.api_files["cask.jws.json"] = signer.sign("[]")
    second = publish(1)

    answer = sync.run(execution="without news", now=NOW + 1.5 * DAY)

    assert answer["snapshot"] == second


def test_what_was_taken_back_and_collected_does_not_come_back_without_news(
    connections, publish, upstream, signer, sync, served, s3
):
    first = publish(0)
    upstream.api_files["cask.jws.json"] = signer.sign("[]")
    second = publish(1)
    channels.rollback(connections, "default", first, NOW + DAY, dry_run=False)
    s3.delete_object(Bucket="mirror", Key="api/cask.jws.json")

    answer = sync.run(execution="without news", now=NOW + 2 * DAY)

    assert answer["snapshot"] == second
    assert served() == {"api": first}


def test_a_bad_snapshot_that_left_canary_by_rollback_never_soaks(configured, publish, served):
    connections = configured(THREE)
    first = publish(0)
    bad = publish(1)
    channels.rollback(connections, "canary", first, NOW + DAY, dry_run=False)

    publish(4)

    assert served()["pilot"] == first != bad


def test_a_soaked_snapshot_that_lost_a_bottle_stays_where_it_is(
    configured, publish, served, s3, stored
):
    configured(THREE)
    first = publish(0)
    publish(1)
    (blob,) = [key for key, body in stored("v2/").items() if body == b"jq 1"]
    s3.delete_object(Bucket="mirror", Key=blob)

    publish(4)

    assert served()["pilot"] == first


def test_between_syncs_what_has_soaked_goes_on_and_nothing_else(configured, publish, served):
    connections = configured(replace(THREE, followed="stable"))
    first, second = publish(0), publish(1)
    soaked = NOW + 3 * DAY

    early = channels.go_on(connections, soaked - timedelta(seconds=1))
    pilot = channels.go_on(connections, soaked)
    again = channels.go_on(connections, soaked + DAY)

    assert (early, again) == ([], [])
    assert [(each.channel, each.snapshot) for each in pilot] == [("pilot", second)]
    assert served() == {"canary": second, "pilot": second, "stable": first, "api": first}
    channels.go_on(connections, soaked + 2 * DAY)
    assert set(served().values()) == {second}


def test_what_was_taken_back_does_not_go_on_between_syncs(configured, publish, served):
    connections = configured(replace(THREE, followed="stable"))
    first = publish(0)
    publish(1)
    channels.rollback(connections, "canary", first, NOW + DAY, dry_run=False)

    assert not channels.due(connections, NOW + 9 * DAY)
    assert channels.go_on(connections, NOW + 9 * DAY) == []
    assert set(served().values()) == {first}


def test_whether_anything_has_soaked_is_told_by_the_pointers_alone(configured, publish, s3_calls):
    connections = configured(THREE)
    publish(0)
    publish(1)
    s3_calls.clear()

    told = [channels.due(connections, NOW + days * DAY) for days in (2, 3)]

    assert told == [False, True]
    assert set(s3_calls) == {"GetObject"}


def test_a_move_that_was_killed_between_stable_and_api_is_completed_between_syncs(
    configured, publish, served, stored, s3
):
    connections = configured(replace(THREE, followed="stable"))
    publish(0)
    second = publish(1)
    before = stored("channels/default/") | stored("api/")
    channels.promote(connections, "stable", second, NOW + DAY, dry_run=False)
    for key, body in before.items():
        s3.put_object(Bucket="mirror", Key=key, Body=body)

    told = channels.due(connections, NOW + DAY)
    channels.go_on(connections, NOW + DAY)

    assert told
    assert served()["api"] == second
    assert not channels.due(connections, NOW + DAY)


@pytest.mark.parametrize(
    ("channel", "snapshot", "error", "told"),
    [
        ("nightly", "", UnknownChannel, r'no channel "nightly" \(canary, pilot, stable\)'),
        ("pilot", "2020-01-01T000000Z", UnknownSnapshot, 'no snapshot "2020-01-01T000000Z"'),
        ("pilot", "../../x", UnknownSnapshot, r'no snapshot "\.\./\.\./x"'),
    ],
)
def test_what_is_not_there_cannot_be_promoted(configured, publish, channel, snapshot, error, told):
    connections = configured(THREE)
    publish(0)

    with pytest.raises(error, match=told):
        channels.promote(connections, channel, snapshot, NOW, dry_run=False)


def test_what_follows_a_channel_is_promoted_with_it(configured, publish):
    connections = configured(replace(THREE, followed="stable"))
    publish(0)

    with pytest.raises(UnknownChannel, match='api/ serves what "stable" does') as refusal:
        channels.promote(connections, "default", "", NOW, dry_run=False)

    assert refusal.value.remedy == "inv mirror.promote --to stable"


def test_rolling_forward_is_refused(configured, publish):
    connections = configured(THREE)
    publish(0)
    second = publish(1)

    with pytest.raises(UnknownSnapshot, match="is newer than 2026-11-22T030000Z"):
        channels.rollback(connections, "stable", second, NOW, dry_run=False)


def test_a_pointer_that_cannot_be_read_is_not_taken_for_an_empty_channel(configured, publish, s3):
    connections = configured(THREE)
    first = publish(0)
    s3.put_object(Bucket="mirror", Key="channels/stable/pointer.json", Body=b"{")

    with pytest.raises(DamagedRecord, match="not a channel's pointer"):
        channels.rollback(connections, "stable", first, NOW, dry_run=False)


def test_a_rollback_that_was_killed_is_completed_by_the_same_call(
    upstream, signer, publish, sync, before_each_write, served, stored
):
    upstream.api_files["cask.jws.json"] = signer.sign("{}")
    first = publish(0)
    upstream.api_files["cask.jws.json"] = signer.sign("[]")
    publish(1)
    writes = []

    def kill():
        writes.append(None)
        if len(writes) == 3:
            raise Killed

    stop = before_each_write(kill)

    with pytest.raises(Killed):
        channels.rollback(sync.connections, "default", first, NOW + DAY, dry_run=False)
    pointer = json.loads(stored("channels/")["channels/default/pointer.json"])
    stop()
    channels.rollback(sync.connections, "default", first, NOW + DAY, dry_run=False)

    assert pointer["moving_to"] == first != pointer["snapshot"]
    assert served()["api"] == first
    assert audit.audit(sync.connections.bucket)["intact"]


def test_the_first_publish_asks_once_what_is_served_not_file_by_file(publish, s3):
    asked = []
    s3.meta.events.register(
        "provide-client-params.s3.GetObject", lambda params, **_: asked.append(params["Key"])
    )

    publish(0)

    assert [key for key in asked if key.startswith("api/")] == []


def test_files_that_are_served_without_a_pointer_are_not_written_anew(
    publish, bucket, s3, s3_calls
):
    first = publish(0)
    s3.delete_object(Bucket="mirror", Key="channels/default/pointer.json")
    s3_calls.clear()

    written = pointers.move(
        bucket, pointers.read(bucket, "default"), snapshots.read(bucket, first), "hand", NOW
    )

    assert written == []
    assert s3_calls.count("PutObject") == 1
    assert pointers.read(bucket, "default").snapshot == first
