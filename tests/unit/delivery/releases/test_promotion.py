"""A release that is there already: deployed again by its id, or promoted as it stands elsewhere."""

from __future__ import annotations

import pytest

from delivery.errors import BadInput, UnknownRelease
from delivery.releases import origin
from tests.doubles.rig import Rig
from tests.doubles.stand import BUCKET


@pytest.fixture
def rig(tmp_path, public_key_pem, monkeypatch):
    """Two deploys of dev; the code of the first is in `rig.first`."""
    rig = Rig(tmp_path, public_key_pem, monkeypatch)
    rig.deploy()
    rig.first = rig.serving()
    rig.write("lambdas/orchestrator/handler.py", "handle = 2\n")
    rig.write("terraform/modules/new/main.tf", "")
    rig.deploy()
    return rig


def test_a_release_is_deployed_again_with_its_own_terraform_tree_and_nothing_is_built(rig):
    first = rig.records()[1].release["id"]

    outcome = rig.deploy(origin=origin.find(rig.environment, rig.cloud, first[:8]))

    assert outcome.action == "deployed"
    assert rig.serving() == rig.first
    assert rig.latest().release["id"] == first
    assert rig.latest().artifacts == rig.records()[2].artifacts
    assert "build" not in rig.latest().seconds


def test_what_stands_elsewhere_is_promoted_whole_and_the_digests_are_the_same(
    rig, tmp_path, public_key_pem, monkeypatch
):
    prod = Rig(tmp_path / "prod", public_key_pem, monkeypatch)
    source = origin.find(rig.environment, rig.cloud)

    prod.deploy(origin=source)

    assert prod.latest().artifacts == rig.latest().artifacts
    assert prod.latest().release == rig.latest().release
    sent = [key for key in prod.s3.objects if key.startswith("artifacts/")]
    assert sent
    assert all(prod.s3.objects[key] == rig.s3.objects[key] for key in sent)


def test_a_second_promotion_of_the_same_changes_nothing(rig):
    source = origin.find(rig.environment, rig.cloud)
    before = rig.calls()

    outcome = rig.deploy(origin=source)

    assert outcome.action == "unchanged"
    assert rig.calls() == before


def test_a_release_for_another_processor_is_refused(rig):
    source = origin.find(rig.environment, rig.cloud)
    rig.environment.settings["functions"]["architecture"] = "x86_64"

    with pytest.raises(BadInput, match="was built for"):
        rig.deploy(origin=source)


def test_an_unknown_release_is_named(rig):
    with pytest.raises(UnknownRelease, match='there is no release "0123456"'):
        origin.find(rig.environment, rig.cloud, "0123456")


def test_what_is_left_half_done_is_not_promoted(rig):
    rig.s3.objects["under-way/dev.json"] = b"{}"

    with pytest.raises(BadInput, match='no release stands in "dev"') as refused:
        origin.find(rig.environment, rig.cloud)

    assert refused.value.where == f"s3://{BUCKET}/releases/dev/"


def test_how_going_back_went_in_staging_is_known_before_production_needs_it(rig):
    rig.environment.settings["deploy"]["rehearse_rollback"] = True
    rig.write("lambdas/orchestrator/handler.py", "handle = 3\n")

    rig.deploy()

    record = rig.latest()
    assert 0 <= record.rehearsal["alias_seconds"] <= record.rehearsal["seconds"]
    assert origin.find(rig.environment, rig.cloud).rehearsal == record.rehearsal
    assert rig.serving()["acme-dev-orchestrator"] != rig.first["acme-dev-orchestrator"]
