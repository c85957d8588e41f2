"""A release on its way from the machine that built it to the one that deploys it."""

from __future__ import annotations

import hashlib
import shutil

import pytest

from delivery.artifacts.build import Target
from delivery.ci import handover
from delivery.cloud import Cloud
from delivery.errors import UntrustedRelease
from delivery.releases import store
from delivery.releases.manifest import Component, Release


def sha256(body):
    return hashlib.sha256(body).hexdigest()


@pytest.fixture
def release(tmp_path):
    """A release in a folder, as `inv package` writes one."""
    bodies = {name: name.encode() * 9 for name in ("orchestrator", "sync_worker", "layer")}
    bodies["terraform"] = b"terraform"
    made = Release(
        version="1.2.3",
        commit="a" * 40,
        dirty=False,
        target=Target("arm64", "3.13"),
        components={name: Component(sha256(body), len(body)) for name, body in bodies.items()},
        image="",
        configuration_schema="b" * 64,
        layout=1,
        sbom=sha256(b"bill"),
    )
    place = tmp_path / made.id
    place.mkdir()
    for name, body in bodies.items():
        (place / f"{name}.zip").write_bytes(body)
    (place / "sbom.json").write_bytes(b"bill")
    (place / "provenance.json").write_bytes(b"{}")
    (place / "release.json").write_bytes(made.body)
    return made


def test_what_arrives_as_it_was_built_is_believed(release, tmp_path):
    assert handover.verify(tmp_path, release.id).release == release


def test_it_is_kept_where_a_deploy_finds_it_and_sent_once(release, tmp_path, s3):
    variables = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    cloud = Cloud("AWS", "123456789012", "us-east-1", variables)
    arrived = handover.verify(tmp_path, release.id)

    first = handover.keep(arrived, cloud, "state")
    second = handover.keep(arrived, cloud, "state")

    assert store.find(cloud, "state", release.id) == release
    assert (len(second.keys), second.there) == (0, len(first.keys) + first.there)


@pytest.mark.parametrize("name", ["orchestrator.zip", "layer.zip", "terraform.zip", "sbom.json"])
def test_a_byte_more_or_a_missing_file_is_refused(release, tmp_path, name):
    file = tmp_path / release.id / name
    file.write_bytes(file.read_bytes() + b"x")

    with pytest.raises(UntrustedRelease, match=f"{name} is not what was built"):
        handover.verify(tmp_path, release.id)

    file.unlink()
    with pytest.raises(UntrustedRelease, match=f"{name} cannot be read"):
        handover.verify(tmp_path, release.id)


def test_another_release_under_its_name_is_refused(release, tmp_path):
    other = "f" * 64
    shutil.copytree(tmp_path / release.id, tmp_path / other)

    with pytest.raises(UntrustedRelease, match=r"release\.json is not what was built"):
        handover.verify(tmp_path, other)


def test_a_release_that_did_not_arrive_is_refused(tmp_path):
    with pytest.raises(UntrustedRelease, match=r"release\.json cannot be read"):
        handover.verify(tmp_path, "f" * 64)
