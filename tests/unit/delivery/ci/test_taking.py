"""What stands in one environment, taken over for the next: these bytes, of that commit, or none."""

from __future__ import annotations

import dataclasses
import json

import pytest

from delivery.ci import handover, taking
from delivery.errors import BadInput, UntrustedRelease
from delivery.releases import folders, origin
from tests.doubles.rig import Rig


@pytest.fixture
def rig(tmp_path, public_key_pem, monkeypatch):
    """One deploy of dev."""
    rig = Rig(tmp_path / "dev", public_key_pem, monkeypatch)
    rig.deploy()
    return rig


@pytest.fixture
def commit(rig):
    """The commit that stands there, as if it had been deployed from a clean one."""
    found, objects = origin.find(rig.environment, rig.cloud).release, rig.s3.objects
    clean = dataclasses.replace(found, commit="c" * 40, dirty=False)
    objects[f"artifacts/release/{clean.id}.json"] = clean.body
    objects[f"artifacts/provenance/{clean.id}.json"] = b"{}"
    record = json.loads(objects["releases/dev/000001.json"])
    record["release"] |= {"id": clean.id, "commit": clean.commit, "dirty": False}
    objects["releases/dev/000001.json"] = json.dumps(record).encode()
    return clean.commit


def test_what_stands_is_brought_as_it_was_built_and_can_be_received(rig, commit, tmp_path):
    release, place = taking.take(rig.environment, rig.cloud, commit, tmp_path / "release")

    arrived = handover.verify(tmp_path / "release", release.id)
    assert arrived.release == release
    assert place == tmp_path / "release" / release.id
    kept = {name: (place / f"{name}.zip").read_bytes() for name in release.components}
    stored = {
        name: rig.s3.objects[f"artifacts/{name}/{each.sha256}.zip"]
        for name, each in release.components.items()
    }
    assert kept == stored
    assert (place / folders.PROVENANCE).read_bytes() == b"{}"


def test_another_commit_than_what_stands_is_refused_and_nothing_is_brought(rig, commit, tmp_path):
    with pytest.raises(BadInput, match="is not what dev has proven") as refused:
        taking.take(rig.environment, rig.cloud, "d" * 40, tmp_path / "release")

    assert commit in str(refused.value)
    assert not (tmp_path / "release").exists()


def test_what_was_deployed_with_changes_is_of_no_commit(rig, tmp_path):
    standing = origin.find(rig.environment, rig.cloud).release

    with pytest.raises(BadInput, match="with changes"):
        taking.take(rig.environment, rig.cloud, standing.commit, tmp_path / "release")


def test_while_a_deploy_is_under_way_nothing_is_taken_over(rig, commit, tmp_path):
    rig.s3.objects["under-way/dev.json"] = b"{}"

    with pytest.raises(BadInput, match='no release stands in "dev"'):
        taking.take(rig.environment, rig.cloud, commit, tmp_path / "release")


@pytest.mark.parametrize("kind", ["orchestrator", "sbom"])
def test_a_byte_that_was_changed_in_the_store_is_noticed_and_no_manifest_is_written(
    rig, commit, tmp_path, kind
):
    (key,) = (key for key in rig.s3.objects if key.startswith(f"artifacts/{kind}/"))
    rig.s3.objects[key] += b"x"

    with pytest.raises(UntrustedRelease):
        taking.take(rig.environment, rig.cloud, commit, tmp_path / "release")

    assert list(tmp_path.glob("release/*/release.json")) == []
