"""importing: what was signed is published, what was touched on the way is refused by name."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from delivery.air_gap import checked, hashing, verification
from delivery.errors import BadInput, BaseMissing, PublishFailed, UntrustedParcel
from mirror.taps import TapFormula
from orchestrator import handler
from tests.doubles.far_side import FAR, NEAR, Killed, before, files_of, kill_at
from tests.unit.delivery.air_gap.conftest import LATER
from tests.unit.mirror.conftest import Sync

API = "api/internal/packages.arm64_tahoe.jws.json"


def refuse(far, folder, told, error=UntrustedParcel):
    """The import refuses, and the far bucket is as it was."""
    before = far.held()
    with pytest.raises(error, match=told):
        far.bring(folder)
    assert far.held() == before


def test_what_is_brought_is_published_under_its_own_id(first, far, parcel):
    brought = far.bring(parcel)

    assert (brought.snapshot, brought.uploaded, brought.answer["bottles"]) == (first, 2, 2)
    published = {key for key in far.held(NEAR) if key.startswith(("v2/", "api/"))}
    assert {key for key in far.held() if key.startswith(("v2/", "api/"))} == published
    assert all(far.read(key) == far.read(key, NEAR) for key in published)
    bottles = f"snapshots/{first}/bottles.json"
    assert far.read(bottles) == far.read(bottles, NEAR)


def test_brought_twice_nothing_is_uploaded_twice(first, far, parcel):
    far.bring(parcel)

    again = far.bring(parcel)

    assert (again.uploaded, again.answer["snapshot"]) == (0, first)


def test_a_delta_follows_its_base(first, parcel, second, far, tmp_path):
    far.bring(parcel)
    far.export(tmp_path / "delta", since=first)

    brought = far.bring(tmp_path / "delta")

    assert (brought.snapshot, brought.since, brought.uploaded) == (second, first, 1)
    assert far.read(API) == far.read(API, NEAR)


def test_a_delta_without_its_base_says_what_to_bring(first, second, far, tmp_path):
    far.export(tmp_path / "delta", since=first)

    refuse(far, tmp_path / "delta", f"does not hold the snapshot {first}", BaseMissing)


def test_a_delta_whose_base_has_lost_a_bottle_names_it(first, parcel, second, far, tmp_path):
    far.bring(parcel)
    far.export(tmp_path / "delta", since=first)
    lost = next(key for key in far.held() if "oniguruma/blobs" in key)
    far.s3.delete_object(Bucket=FAR, Key=lost)

    refuse(far, tmp_path / "delta", lost, BaseMissing)


def test_an_older_snapshot_does_not_turn_the_mirror_back(first, parcel, second, far, tmp_path):
    far.export(tmp_path / "second")
    far.bring(tmp_path / "second")

    with pytest.raises(PublishFailed, match=f"{first} is older than {second}"):
        far.bring(parcel)

    assert far.read(API) == far.read(f"snapshots/{second}/{API}")


@pytest.mark.parametrize("number", [0, 2, 5, 8, 11, 14])
def test_a_killed_import_goes_on_and_never_shows_a_part(first, far, parcel, number):
    with before(far.s3, "PutObject", kill_at(number)), contextlib.suppress(Killed):
        far.bring(parcel)
    if API in far.held():
        assert {key for key in far.held(NEAR) if key.startswith("v2/")} <= far.held()

    brought = far.bring(parcel)

    assert brought.answer["snapshot"] == first
    assert far.read(API) == far.read(API, NEAR)


def test_a_sync_that_is_under_way_is_not_disturbed(first, far, parcel):
    lease = {"sync": first, "execution": "arn:one", "expires_at": "2099-01-01T00:00:00Z"}
    far.s3.put_object(Bucket=FAR, Key="syncs/lease.json", Body=json.dumps(lease).encode())

    with pytest.raises(PublishFailed, match="the lease belongs to"):
        far.bring(parcel)

    assert API not in far.held()


def test_the_lease_is_given_back_when_publishing_fails(first, far, parcel):
    index = next(key for key in files_of(parcel) if "/jq/manifests/" in key)
    resign(far, parcel, {index: b"{}"})
    with pytest.raises(PublishFailed, match="not an OCI image index"):
        far.bring(parcel)

    assert json.loads(far.read("syncs/lease.json"))["expires_at"] < "2099"
    assert API not in far.held()


def test_a_manifest_that_was_lost_comes_back_with_the_same_parcel(first, far, parcel):
    far.bring(parcel)
    lost = next(key for key in files_of(parcel) if "/jq/manifests/" in key)
    before = far.read(lost)
    far.s3.delete_object(Bucket=FAR, Key=lost)

    answer = far.bring(parcel).answer

    assert answer["snapshot"] == first
    assert far.read(lost) == before
    assert json.loads(far.read("syncs/lease.json"))["expires_at"] < "2099"


def test_a_lost_manifest_comes_back_only_as_the_catalogue_promises_it(first, far, parcel):
    far.bring(parcel)
    lost = next(key for key in files_of(parcel) if "/jq/manifests/" in key)
    far.s3.delete_object(Bucket=FAR, Key=lost)
    resign(far, parcel, {lost: b"{}"})

    with pytest.raises(PublishFailed, match="not an OCI image index"):
        far.bring(parcel)

    assert lost not in far.held()


def test_a_refused_import_leaves_later_syncs_in_their_own_time(second, far, tmp_path):
    far.export(tmp_path / "second")
    index = next(key for key in files_of(tmp_path / "second") if "/jq/manifests/" in key)
    resign(far, tmp_path / "second", {index: b"{}"})
    earlier = {
        "sync": "2020-01-01T000000Z",
        "execution": "arn:one",
        "expires_at": "2020-01-01T00:30:00Z",
    }
    far.s3.put_object(Bucket=FAR, Key="syncs/lease.json", Body=json.dumps(earlier).encode())

    with pytest.raises(PublishFailed, match="not an OCI image index"):
        far.bring(tmp_path / "second")

    assert json.loads(far.read("syncs/lease.json"))["sync"] == "2020-01-01T000000Z"


def test_a_refused_first_import_leaves_no_trace_of_its_time(first, far, parcel):
    index = next(key for key in files_of(parcel) if "/jq/manifests/" in key)
    resign(far, parcel, {index: b"{}"})

    with pytest.raises(PublishFailed, match="not an OCI image index"):
        far.bring(parcel)

    assert json.loads(far.read("syncs/lease.json"))["sync"] != first


def resign(far, folder, changed=None, **document):
    """Change files or entries of the list, and sign it anew: an organisation that lies."""
    listed = json.loads((folder / "parcel.json").read_bytes())
    for path, body in (changed or {}).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(body)
        digest = verification.sha256_of(folder / path)
        listed["files"][path] = {"size_bytes": len(body), "sha256": digest}
    body = json.dumps(listed | document).encode()
    (folder / "parcel.json").write_bytes(body)
    (folder / "parcel.json.sig").write_bytes(far.key.sign(body))


def test_another_organisation_s_key_is_refused(first, far, parcel):
    far.key = Ed25519PrivateKey.generate()

    refuse(far, parcel, "is not the signature of parcel.json by this key")


def test_a_file_that_nobody_signed_is_refused(first, far, parcel):
    (parcel / "v2" / "evil").write_bytes(b"evil")

    refuse(far, parcel, '"v2/evil": in the folder, but not in the signed list')


def test_a_missing_file_is_named(first, far, parcel):
    (parcel / API).unlink()

    refuse(far, parcel, f'"{API}": missing from the parcel')


def test_a_link_is_refused_even_to_the_right_bytes(first, far, parcel, tmp_path):
    blob = parcel / next(path for path in files_of(parcel) if "/blobs/" in path)
    shutil.move(blob, tmp_path / "elsewhere")
    blob.symlink_to(tmp_path / "elsewhere")

    refuse(far, parcel, "is a link or a device")


def test_a_linked_folder_is_refused(first, far, parcel, tmp_path):
    shutil.move(parcel / "api", tmp_path / "api")
    (parcel / "api").symlink_to(tmp_path / "api")

    refuse(far, parcel, '"api" is a link')


@pytest.mark.parametrize(
    "path",
    [
        "../evil",
        "/etc/passwd",
        "v2/../../evil/manifests/1",
        "v2/homebrew/core/jq/manifests/..",
        "settings/mirror.json",
        "syncs/lease.json",
        "v2/homebrew/core/jq/blobs/sha256:short",
        "api/a\\b",
        "api//x",
        "",
    ],
)
def test_a_signed_path_that_leads_elsewhere_is_refused(first, far, parcel, path):
    entry = {"size_bytes": 0, "sha256": "0" * 64}
    listed = json.loads((parcel / "parcel.json").read_bytes())["files"]
    resign(far, parcel, files=listed | {path: entry})

    refuse(far, parcel, "is not a path of a mirror")


def test_a_blob_that_is_listed_with_another_digest_is_refused(first, far, parcel):
    blob = next(path for path in files_of(parcel) if "/blobs/" in path)
    resign(far, parcel, {blob: b"evil"})

    refuse(far, parcel, "is listed with another digest")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"format": "airbrew-parcel-2"}, 'format is "airbrew-parcel-2"'),
        ({"snapshot": "../x"}, "not the id of a snapshot"),
        ({"since": ""}, "not the id of a snapshot"),
        ({"files": []}, "not the list of a parcel"),
        ({"files": {API: {}}}, "not the list of a parcel"),
    ],
)
def test_a_list_of_another_form_is_refused(first, far, parcel, change, told):
    resign(far, parcel, **change)

    refuse(far, parcel, told)


def test_an_api_file_that_upstream_did_not_sign_is_refused(first, far, parcel):
    evil = json.dumps({"payload": "{}", "signatures": []}).encode()
    resign(far, parcel, {API: evil, f"snapshots/{first}/{API}": evil})

    refuse(far, parcel, f'"{API}": ')


def test_an_api_of_another_snapshot_is_refused(first, far, parcel):
    resign(far, parcel, {API: b"{}"})

    refuse(far, parcel, "api/ is not that of the snapshot")


def test_a_bottle_that_no_signed_catalogue_names_is_refused_on_the_far_side(first, far, parcel):
    listed = json.loads((parcel / f"snapshots/{first}/bottles.json").read_bytes())
    listed[0]["version"] = "6.6.6"
    image = listed[0]["formula"]
    resign(
        far,
        parcel,
        {
            f"snapshots/{first}/bottles.json": json.dumps(listed).encode(),
            f"v2/homebrew/core/{image}/manifests/6.6.6": b"{}",
        },
    )

    with pytest.raises(PublishFailed, match=r"in no signed catalogue, .* 6\.6\.6"):
        far.bring(parcel)

    assert API not in far.held()


def test_the_ruby_of_an_older_brew_comes_along_though_no_catalogue_names_it(
    upstream, far, connections, settings, tmp_path
):
    for version in ("3.1.4", "4.0.0"):
        upstream.add("portable-ruby", {"arm64_tahoe": version.encode()}, version=version)
    kept = replace(settings.selection, portable_ruby_versions=("3.1.4",))
    Sync(connections.with_settings(replace(settings, selection=kept))).run()
    far.export(tmp_path / "parcel")

    brought = far.bring(tmp_path / "parcel")

    assert brought.answer["bottles"] == 2
    assert "v2/homebrew/core/portable-ruby/manifests/3.1.4" in far.held()


def test_a_folder_without_its_list_is_no_parcel(first, far, tmp_path):
    refuse(far, tmp_path, r"there is no parcel\.json", BadInput)


@examples(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(choice=st.data())
def test_a_flipped_bit_in_any_file_is_refused_by_name(first, far, parcel, choice):
    name = choice.draw(st.sampled_from(files_of(parcel)))
    path = parcel / name
    sound = path.read_bytes()
    place = choice.draw(st.integers(0, len(sound) * 8 - 1))
    spoilt = bytearray(sound)
    spoilt[place // 8] ^= 1 << place % 8
    path.write_bytes(spoilt)

    try:
        with pytest.raises(UntrustedParcel) as refusal:
            far.verify(parcel)
    finally:
        path.write_bytes(sound)

    assert name in str(refusal.value)


@pytest.fixture
def with_cask(upstream, sync, far, tmp_path):
    """A parcel of a mirror with one cask, and the key of its file."""
    upstream.add("jq", {"arm64_tahoe": b"jq"})
    digest = upstream.add_cask("firefox", b"a disk image")
    settings = sync.connections.settings
    selection = replace(settings.selection, casks=("firefox",))
    sync.connections = sync.connections.with_settings(replace(settings, selection=selection))
    sync.run()
    far.export(tmp_path / "parcel")
    return tmp_path / "parcel", f"v2/homebrew/cask/firefox/blobs/sha256:{digest}"


def test_casks_come_along_and_are_published(with_cask, far):
    parcel, key = with_cask

    brought = far.bring(parcel)

    assert (brought.uploaded, brought.answer["casks"]) == (2, 1)
    assert far.read(key) == b"a disk image"
    casks = f"snapshots/{brought.snapshot}/casks.json"
    assert far.read(casks) == far.read(casks, NEAR)


def test_a_delta_leaves_the_casks_behind_that_the_far_side_has(
    with_cask, far, upstream, sync, tmp_path
):
    parcel, key = with_cask
    first = far.bring(parcel).snapshot
    newer = upstream.add_cask("firefox", b"another image", path="two")
    sync.run(execution="two", now=LATER)
    far.export(tmp_path / "delta", since=first)

    brought = far.bring(tmp_path / "delta")

    assert not (tmp_path / "delta" / key).exists()
    assert brought.uploaded == 1
    assert far.read(f"v2/homebrew/cask/firefox/blobs/sha256:{newer}") == b"another image"


def test_a_cask_that_no_signed_catalogue_names_is_refused(with_cask, far):
    parcel, _ = with_cask
    folder = next((parcel / "snapshots").iterdir())
    listed = json.loads((folder / "casks.json").read_bytes())
    listed["casks"][0]["digest"] = hashlib.sha256(b"malware").hexdigest()
    casks = json.dumps(listed).encode()
    document = json.loads((folder / "snapshot.json").read_bytes())
    document["casks_sha256"] = hashlib.sha256(casks).hexdigest()
    digest = listed["casks"][0]["digest"]
    resign(
        far,
        parcel,
        {
            f"snapshots/{folder.name}/casks.json": casks,
            f"snapshots/{folder.name}/snapshot.json": json.dumps(document).encode(),
            f"v2/homebrew/cask/firefox/blobs/sha256:{digest}": b"malware",
        },
    )

    with pytest.raises(PublishFailed, match="in no signed catalogue, cask firefox"):
        far.bring(parcel)

    assert API not in far.held()


@pytest.fixture
def with_tap(upstream, sync, far, tmp_path):
    """A parcel of a mirror with one formula of another tap."""
    upstream.add("jq", {"arm64_tahoe": b"jq"})
    digests = upstream.add_tapped("acme/tools", "deploy", {"arm64_tahoe": b"deploy"})
    settings = sync.connections.settings
    tapped = TapFormula("acme/tools", "deploy", "1.0", 0, digests)
    selection = replace(settings.selection, taps=(tapped,))
    sync.connections = sync.connections.with_settings(replace(settings, selection=selection))
    sync.run()
    far.export(tmp_path / "parcel")
    return tmp_path / "parcel", replace(settings, selection=selection)


def test_a_tap_comes_along_where_the_far_side_names_it_too(with_tap, far, monkeypatch):
    parcel, wanted = with_tap
    naming = handler.connections().with_settings(wanted)
    monkeypatch.setattr(handler, "connections", lambda: naming)

    brought = far.bring(parcel)

    assert brought.answer["bottles"] == 2
    for key in far.held(NEAR, "v2/acme/tools/deploy/"):
        assert far.read(key) == far.read(key, NEAR)


def test_a_delta_leaves_the_bottles_of_a_tap_behind_that_the_far_side_has(
    with_tap, far, monkeypatch, upstream, sync, tmp_path
):
    parcel, wanted = with_tap
    naming = handler.connections().with_settings(wanted)
    monkeypatch.setattr(handler, "connections", lambda: naming)
    first = far.bring(parcel).snapshot
    upstream.add("jq", {"arm64_tahoe": b"jq 2"}, version="2.0")
    sync.run(execution="two", now=LATER)
    far.export(tmp_path / "delta", since=first)

    brought = far.bring(tmp_path / "delta")

    assert not any(path.startswith("v2/acme/") for path in files_of(tmp_path / "delta"))
    assert (brought.uploaded, brought.answer["bottles"]) == (1, 2)


def test_a_tap_that_the_far_side_does_not_name_is_refused(with_tap, far):
    parcel, _ = with_tap

    with pytest.raises(PublishFailed, match=r"acme/tools/deploy 1\.0 arm64_tahoe among") as told:
        far.bring(parcel)

    assert "selection.tap_files here" in told.value.remedy
    assert API not in far.held()


# Going on after an interruption: what was hashed and is untouched is not hashed again.


@pytest.fixture
def hashed(monkeypatch):
    """The files that were hashed so far; the disk counts as settled at once."""
    seen = []

    def sha256_of(path):
        seen.append(path)
        return hashing.sha256_of(path)

    monkeypatch.setattr(verification, "sha256_of", sha256_of)
    monkeypatch.setattr(checked, "SETTLED_SECONDS", 0)
    return seen


@pytest.fixture
def stopped(first, far, parcel, hashed):
    """An import that was killed at its first upload, with all of it hashed."""
    with before(far.s3, "PutObject", kill_at(0)), pytest.raises(Killed):
        far.bring(parcel)
    assert len(hashed) == len(files_of(parcel)) - 2
    hashed.clear()
    return parcel


def test_an_import_that_goes_on_hashes_nothing_twice(far, stopped, hashed, first):
    brought = far.bring(stopped)

    assert brought.snapshot == first
    assert hashed == []


def _rewritten(path):
    path.write_bytes(path.read_bytes()[:-1] + b"?")


def _rewritten_with_its_old_time(path):
    earlier = path.stat()
    _rewritten(path)
    os.utime(path, ns=(earlier.st_atime_ns, earlier.st_mtime_ns))


def _replaced_by_another_file(path):
    earlier, other = path.stat(), path.with_name("other")
    other.write_bytes(path.read_bytes()[:-1] + b"?")
    os.utime(other, ns=(earlier.st_atime_ns, earlier.st_mtime_ns))
    other.replace(path)


@pytest.mark.parametrize(
    "change", [_rewritten, _rewritten_with_its_old_time, _replaced_by_another_file]
)
def test_what_changes_between_two_tries_is_found_and_only_that_is_hashed(
    far, stopped, hashed, change
):
    blob = next(path for path in files_of(stopped) if "/blobs/" in path)
    change(stopped / blob)

    refuse(far, stopped, f'"{blob}" has other bytes than were signed')

    assert hashed == [stopped / blob]


def test_a_file_that_was_only_touched_is_hashed_again_and_taken(far, stopped, hashed, first):
    blob = stopped / next(path for path in files_of(stopped) if "/blobs/" in path)
    blob.touch()

    assert far.bring(stopped).snapshot == first
    assert hashed == [blob]


def test_a_file_that_was_written_just_now_is_not_vouched_for(
    first, far, parcel, hashed, monkeypatch
):
    monkeypatch.setattr(checked, "SETTLED_SECONDS", 3600)
    with before(far.s3, "PutObject", kill_at(0)), pytest.raises(Killed):
        far.bring(parcel)
    files = len(hashed)

    far.bring(parcel)

    assert len(hashed) == 2 * files


def test_a_line_that_a_kill_tore_apart_counts_for_nothing(far, stopped, hashed, first):
    (record,) = (stopped.parent / "records").iterdir()
    lines = record.read_text().splitlines()
    record.write_text("\n".join(lines[:-1]) + "\n" + lines[-1][:-9])

    assert far.bring(stopped).snapshot == first
    assert len(hashed) == 1
    assert not record.exists()


def test_another_list_of_the_same_files_is_hashed_anew(far, stopped, hashed, first):
    files = len(files_of(stopped)) - 2
    resign(far, stopped, created_at="2026-11-23T00:00:00Z")
    hashed.clear()

    far.bring(stopped)

    assert len(hashed) == files
