"""The artifact store: sent once, proven each time, promoted without a copy of what is there."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from delivery.artifacts.target import Target
from delivery.errors import UnknownRelease, UntrustedRelease
from delivery.releases import store
from delivery.releases.manifest import Component, Release

BODIES = {"layer": b"the layer", "orchestrator": b"code", "terraform": b"modules"}
SBOM = b'{"bomFormat":"CycloneDX"}'


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


@dataclass(frozen=True)
class Package:
    """A release whose artifacts are a few bytes each."""

    release: Release
    paths: dict[str, Path]
    sbom: bytes = SBOM

    def provenance(self) -> bytes:
        return b'{"predicateType":"slsa"}'


class Recorder:
    """A client that counts what is asked of it, and may break an answer."""

    def __init__(self, s3) -> None:
        self.s3 = s3
        self.calls: list[str] = []

    def __getattr__(self, name: str):
        def call(**asked):
            self.calls.append(name)
            return getattr(self.s3, name)(**asked)

        return call


@dataclass(frozen=True)
class Account:
    """As much of a cloud as the store uses."""

    s3: object

    def client(self, service: str) -> object:
        assert service == "s3"
        return self.s3


@pytest.fixture
def package(tmp_path):
    """A release with three components."""
    return made(tmp_path / "built", BODIES)


@pytest.fixture
def calls(s3):
    """An S3 with two state buckets, which counts calls."""
    for bucket in ("staging", "prod"):
        s3.create_bucket(Bucket=bucket)
    return Recorder(s3)


@pytest.fixture
def account(calls):
    """The account of both."""
    return Account(calls)


def made(folder: Path, bodies: dict[str, bytes]) -> Package:
    folder.mkdir()
    paths = {name: folder / f"{name}.zip" for name in bodies}
    for name, body in bodies.items():
        paths[name].write_bytes(body)
    components = {name: Component(sha256(body), len(body)) for name, body in bodies.items()}
    release = Release(
        *("1.2.3", "a" * 40, False, Target("arm64", "3.13"), components, ""),
        configuration_schema="c" * 64,
        layout=1,
        sbom=sha256(SBOM),
    )
    return Package(release, paths)


def keys(s3, bucket: str) -> list[str]:
    return [each["Key"] for each in s3.list_objects_v2(Bucket=bucket).get("Contents", ())]


def test_a_release_is_kept_under_the_keys_of_the_reference(account, s3, package):
    store.keep(account, "staging", package)

    release = package.release
    assert keys(s3, "staging") == sorted(
        [
            *(f"artifacts/{name}/{sha256(body)}.zip" for name, body in BODIES.items()),
            f"artifacts/provenance/{release.id}.json",
            f"artifacts/release/{release.id}.json",
            f"artifacts/sbom/{release.sbom}.json",
        ]
    )


def test_what_is_there_costs_one_head_and_nothing_is_sent(account, calls, package):
    first = store.keep(account, "staging", package)
    calls.calls.clear()

    second = store.keep(account, "staging", package)

    assert (len(first.keys), first.there) == (6, 0)
    assert (second.keys, second.size_bytes, second.there) == ((), 0, 6)
    assert calls.calls == ["head_object"] * 6


def test_only_what_changed_is_sent(account, tmp_path, package):
    store.keep(account, "staging", package)

    sent = store.keep(account, "staging", made(tmp_path / "next", {**BODIES, "layer": b"new"}))

    assert [key.split("/")[1] for key in sent.keys] == ["layer", "provenance", "release"]


@pytest.mark.parametrize("digits", [6, 12, 64])
def test_a_release_is_found_by_any_beginning_of_its_name(account, package, digits):
    store.keep(account, "staging", package)

    assert store.find(account, "staging", package.release.id[:digits]) == package.release


@pytest.mark.parametrize("name", ["", "abcde", "ABCDEF", "latest", "../../x", "a" * 65])
def test_what_cannot_be_a_name_is_refused_before_s3_is_asked(account, calls, name):
    with pytest.raises(UnknownRelease, match="is not the name of a release") as refused:
        store.find(account, "staging", name)

    assert refused.value.exit_code == 2
    assert calls.calls == []


@pytest.mark.parametrize("bucket", ["staging", "absent"])
def test_a_release_that_is_not_there_is_bad_input(account, bucket):
    with pytest.raises(UnknownRelease, match='there is no release "abcdef"'):
        store.find(account, bucket, "abcdef")


def test_a_beginning_that_two_releases_share_names_both(account, s3):
    for ending in ("0", "1"):
        key = f"artifacts/release/abcdef{ending * 58}.json"
        s3.put_object(Bucket="staging", Key=key, Body=b"{}")

    with pytest.raises(UnknownRelease, match="several releases: abcdef000000, abcdef111111"):
        store.find(account, "staging", "abcdef")


def test_a_manifest_that_was_changed_is_not_believed(account, s3, package):
    store.keep(account, "staging", package)
    key = f"artifacts/release/{package.release.id}.json"
    s3.put_object(Bucket="staging", Key=key, Body=replace(package.release, layout=2).body)

    with pytest.raises(UntrustedRelease, match="not those that the digest in their name promises"):
        store.find(account, "staging", package.release.id)


def test_artifacts_come_back_byte_for_byte_under_their_names(account, package, tmp_path):
    store.keep(account, "staging", package)

    fetched = store.fetch(account, "staging", package.release, tmp_path / "cache")

    assert {name: path.read_bytes() for name, path in fetched.items()} == BODIES
    assert fetched["layer"].name == f"layer-{sha256(BODIES['layer'])}.zip"


def test_only_missing_and_damaged_files_are_fetched(account, calls, package, tmp_path):
    store.keep(account, "staging", package)
    fetched = store.fetch(account, "staging", package.release, tmp_path)
    fetched["layer"].write_bytes(b"damaged")
    calls.calls.clear()

    again = store.fetch(account, "staging", package.release, tmp_path)

    assert calls.calls == ["get_object"]
    assert again["layer"].read_bytes() == BODIES["layer"]


@pytest.mark.parametrize("damage", [b"other", None])
def test_a_damaged_artifact_is_not_written(account, s3, package, tmp_path, damage):
    store.keep(account, "staging", package)
    key = f"artifacts/layer/{sha256(BODIES['layer'])}.zip"
    if damage is None:
        s3.delete_object(Bucket="staging", Key=key)
    else:
        s3.put_object(Bucket="staging", Key=key, Body=damage)

    with pytest.raises(UntrustedRelease) as refused:
        store.fetch(account, "staging", package.release, tmp_path / "cache")

    assert refused.value.where == f"s3://staging/{key}"
    assert list((tmp_path / "cache").glob("layer-*")) == []


def test_a_file_that_was_damaged_since_the_build_is_not_sent(account, s3, package):
    package.paths["layer"].write_bytes(b"damaged")

    with pytest.raises(UntrustedRelease, match="not those that the digest"):
        store.keep(account, "staging", package)

    assert not any("release/" in key for key in keys(s3, "staging"))


def test_a_key_that_holds_other_bytes_is_noticed_by_its_checksum(account, s3, package):
    key = f"artifacts/layer/{sha256(BODIES['layer'])}.zip"
    s3.put_object(Bucket="staging", Key=key, Body=b"other", ChecksumAlgorithm="SHA256")

    with pytest.raises(UntrustedRelease, match="not those that the digest") as refused:
        store.keep(account, "staging", package)

    assert refused.value.where == f"s3://staging/{key}"


def test_promotion_copies_everything_once_and_then_nothing(account, calls, s3, package):
    store.keep(account, "staging", package)

    first = store.promote(account, "staging", account, "prod", package.release)
    calls.calls.clear()
    second = store.promote(account, "staging", account, "prod", package.release)

    assert keys(s3, "prod") == keys(s3, "staging")
    assert (len(first.keys), first.there) == (6, 0)
    assert (second.keys, second.there) == ((), 6)
    assert calls.calls == ["head_object"] * 6


def test_promotion_copies_only_what_differs_from_an_earlier_release(account, tmp_path, package):
    later = made(tmp_path / "next", {**BODIES, "orchestrator": b"new code"})
    for each in (package, later):
        store.keep(account, "staging", each)
    store.promote(account, "staging", account, "prod", package.release)

    sent = store.promote(account, "staging", account, "prod", later.release)

    assert [key.split("/")[1] for key in sent.keys] == ["orchestrator", "provenance", "release"]
    assert store.find(account, "prod", later.release.id) == later.release


def test_promotion_of_a_damaged_release_leaves_none_to_be_found(account, s3, package):
    store.keep(account, "staging", package)
    key = f"artifacts/terraform/{sha256(BODIES['terraform'])}.zip"
    s3.put_object(Bucket="staging", Key=key, Body=b"other")

    with pytest.raises(UntrustedRelease):
        store.promote(account, "staging", account, "prod", package.release)

    with pytest.raises(UnknownRelease):
        store.find(account, "prod", package.release.id)


def test_whoever_is_outrun_by_an_equal_upload_is_content(s3, calls, package):
    class Outrun(Recorder):
        """Somebody else puts each object just before this client does."""

        def put_object(self, **asked):
            self.s3.put_object(**asked)
            return self.s3.put_object(**asked)

    sent = store.keep(Account(Outrun(s3)), "staging", package)

    assert len(sent.keys) == 6
    assert store.find(Account(s3), "staging", package.release.id) == package.release


def test_a_refusal_is_no_absence(account, s3, package):
    class Refusing(Recorder):
        """S3 without s3:GetObject."""

        def head_object(self, **_asked):
            answer = {"Error": {"Code": "403", "Message": "Forbidden"}}
            raise ClientError(answer, "HeadObject")

    with pytest.raises(ClientError, match="Forbidden"):
        store.keep(Account(Refusing(s3)), "staging", package)
