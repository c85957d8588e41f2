"""Releases in the sandbox's S3: kept, checked by the server, promoted from account to account."""

from __future__ import annotations

import hashlib

import pytest

from delivery import state_bucket
from delivery.artifacts.target import Target
from delivery.cloud import Cloud
from delivery.deploy.settings import artifact_key
from delivery.errors import UnknownRelease, UntrustedRelease
from delivery.releases import package, store
from sandbox import cloud as local
from tests.doubles.packaging import checkout_in

REGION = "us-east-1"


@pytest.fixture(scope="module")
def clouds(tmp_path_factory):
    """staging and prod, each in an account of its own, with its state bucket."""
    root = tmp_path_factory.mktemp("sandbox")
    found = local.up(root, report=lambda _: None)
    accounts = {
        name: Cloud(
            "sandbox", found.account_of(name), REGION, found.process_environment(name, REGION)
        )
        for name in ("staging", "prod")
    }
    for name, cloud in accounts.items():
        state_bucket.ensure(cloud, bucket_of(cloud, name))
    yield accounts
    local.down(root)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A release."""
    checkout = checkout_in(tmp_path_factory.mktemp("checkout"))
    return package.make_for(checkout, Target("arm64", "3.13"))


@pytest.fixture
def staging(clouds, made):
    """The account and bucket in which the release is kept."""
    cloud = clouds["staging"]
    store.keep(cloud, bucket_of(cloud, "staging"), made)
    return cloud, bucket_of(cloud, "staging")


@pytest.fixture
def prod(clouds):
    """The account and bucket that it goes to."""
    return clouds["prod"], bucket_of(clouds["prod"], "prod")


def bucket_of(cloud: Cloud, environment: str) -> str:
    return state_bucket.name("acme", environment, cloud.account_id)


def test_what_is_there_is_recognised_by_its_checksum_and_not_sent(staging, made):
    sent = store.keep(*staging, made)

    assert (sent.keys, sent.there) == ((), 7)
    cloud, bucket = staging
    key = artifact_key("layer", made.release.components["layer"].sha256)
    head = cloud.client("s3").head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    assert head["ChecksumSHA256"] == made.artifacts["layer"].base64_digest


def test_a_release_is_promoted_once_between_accounts_and_fetched_there(
    staging, prod, made, tmp_path
):
    with pytest.raises(UnknownRelease):
        store.find(*prod, made.release.short_id)

    first = store.promote(*staging, *prod, made.release)
    second = store.promote(*staging, *prod, made.release)

    assert (len(first.keys), first.there) == (7, 0)
    assert (len(second.keys), second.there) == (0, 7)
    release = store.find(*prod, made.release.short_id)
    fetched = store.fetch(*prod, release, tmp_path)
    digests = {
        name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in fetched.items()
    }
    assert digests == made.release.sha256_by_component


def test_an_artifact_that_was_overwritten_is_refused_everywhere(staging, prod, made, tmp_path):
    cloud, bucket = staging
    key = artifact_key("terraform", made.release.components["terraform"].sha256)
    whole = made.paths["terraform"].read_bytes()
    cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=b"other", ChecksumAlgorithm="SHA256")

    with pytest.raises(UntrustedRelease):
        store.keep(cloud, bucket, made)
    with pytest.raises(UntrustedRelease):
        store.fetch(cloud, bucket, made.release, tmp_path)

    cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=whole, ChecksumAlgorithm="SHA256")
    assert store.keep(cloud, bucket, made).there == 7
