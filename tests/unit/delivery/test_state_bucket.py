"""state_bucket: private, versioned, encrypted, made once; artifacts are uploaded once."""

from __future__ import annotations

import pytest

from delivery import state_bucket


def test_a_new_bucket_is_private_versioned_and_encrypted(cloud, s3):
    assert state_bucket.ensure(cloud, "state")

    assert s3.get_bucket_versioning(Bucket="state")["Status"] == "Enabled"
    blocked = s3.get_public_access_block(Bucket="state")["PublicAccessBlockConfiguration"]
    assert all(blocked.values())
    rules = s3.get_bucket_encryption(Bucket="state")["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"


def test_a_finished_bucket_is_left_alone(cloud):
    state_bucket.ensure(cloud, "state")

    assert not state_bucket.ensure(cloud, "state")


def test_a_bucket_whose_making_was_cut_short_is_finished(cloud, s3):
    s3.create_bucket(Bucket="state")

    assert state_bucket.ensure(cloud, "state")
    assert s3.get_bucket_versioning(Bucket="state")["Status"] == "Enabled"


def test_an_artifact_is_uploaded_once(cloud, s3, tmp_path):
    s3.create_bucket(Bucket="state")
    artifact = tmp_path / "layer.zip"
    artifact.write_bytes(b"zip")

    first = state_bucket.upload(cloud, "state", "artifacts/layer/ab.zip", artifact)
    second = state_bucket.upload(cloud, "state", "artifacts/layer/ab.zip", artifact)

    assert (first, second) == (True, False)
    assert s3.get_object(Bucket="state", Key="artifacts/layer/ab.zip")["Body"].read() == b"zip"


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_the_bucket_is_made_in_the_environment_s_region(s3, region):
    cloud = state_bucket.Cloud("AWS", "123456789012", region, variables={})

    state_bucket.ensure(cloud, "state")

    found = s3.get_bucket_location(Bucket="state")["LocationConstraint"]
    assert found == (None if region == "us-east-1" else region)


def test_the_name_carries_project_environment_and_account():
    assert state_bucket.name("airbrew", "dev", "111111111111") == "airbrew-dev-state-111111111111"
