"""A cloud that moto plays, and a mirror in it small enough to read at a glance."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from delivery.cloud import Cloud
from tests.doubles.mirror_server import archive
from tests.doubles.stand import PUBLISHED

BOTTLE = archive({"lib+a@1/1.2_3/README": b"small"})
DIGEST = hashlib.sha256(BOTTLE).hexdigest()
SNAPSHOT = PUBLISHED["snapshot"]
HELD = {
    "formula": "lib+a@1",
    "version": "1.2_3",
    "rebuild": 1,
    "tag": "arm64_tahoe",
    "digest": DIGEST,
    "size_bytes": len(BOTTLE),
}
PUBLISHED_AS = {
    "id": SNAPSHOT,
    "created_at": "2026-11-24T03:00:00Z",
    "formulae": 1,
    "bottles": 1,
    "bytes": len(BOTTLE),
    "selection": {"platforms": ["arm64_tahoe"]},
}
FORMULA = {
    "name": "lib+a@1",
    "versions": {"stable": "1.2"},
    "revision": 3,
    "bottle": {"stable": {"rebuild": 1, "files": {"arm64_tahoe": {"sha256": DIGEST}}}},
}


@pytest.fixture
def cloud(s3):
    """An account that moto plays: the kind is AWS, so that boto3 is not sent to an endpoint."""
    return Cloud("AWS", "123456789012", "us-east-1", variables={})


@pytest.fixture(scope="session")
def signing_key():
    """A throw-away key, small because 4096 bits take seconds to make."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def public_key_pem(signing_key):
    """The key's public half, as the settings carry it."""
    return (
        signing_key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


@pytest.fixture
def signed(signing_key):
    """Signs a payload as Homebrew does: PS512, unencoded payload, kid homebrew-1."""

    def sign(payload: str, alg: str = "PS512", kid: str = "homebrew-1") -> bytes:
        header = json.dumps({"alg": alg, "b64": False, "crit": ["b64"]}).encode()
        protected = base64.urlsafe_b64encode(header).rstrip(b"=").decode()
        pss = padding.PSS(mgf=padding.MGF1(hashes.SHA512()), salt_length=64)
        signature = signing_key.sign(f"{protected}.{payload}".encode(), pss, hashes.SHA512())
        encoded = base64.urlsafe_b64encode(signature).rstrip(b"=").decode()
        entry = {"protected": protected, "header": {"kid": kid}, "signature": encoded}
        return json.dumps({"payload": payload, "signatures": [entry]}).encode()

    return sign


@pytest.fixture
def mirror(s3, signed):
    """A bucket that holds one bottle, `lib+a@1` 1.2_3 rebuild 1, as a mirror of ours holds it.

    It was published as the snapshot that tests/doubles/stand.py tells of.
    """
    s3.create_bucket(Bucket="mirror")
    entry = {
        "stable_version": "1.2",
        "revision": 3,
        "bottle_rebuild": 1,
        "bottle_checksum": DIGEST,
    }
    packages = {"no-bottle": {"stable_version": "1"}, "lib+a@1": entry}
    payloads = {
        "internal/packages.arm64_tahoe": {"formulae": packages},
        "internal/formula.arm64_tahoe": {},
        "internal/cask.arm64_tahoe": {},
        "formula": [FORMULA],
        "cask": [],
        "formula_tap_migrations": {},
        "cask_tap_migrations": {},
    }
    for name, payload in payloads.items():
        body = signed(json.dumps(payload))
        for prefix in ("api", f"snapshots/{SNAPSHOT}/api"):
            s3.put_object(Bucket="mirror", Key=f"{prefix}/{name}.jws.json", Body=body)
    parts = {"snapshot": PUBLISHED_AS, "bottles": [HELD]}
    for name, part in parts.items():
        key = f"snapshots/{SNAPSHOT}/{name}.json"
        s3.put_object(Bucket="mirror", Key=key, Body=json.dumps(part).encode())
    notes = {
        "org.opencontainers.image.ref.name": "1.2_3.arm64_tahoe.1",
        "sh.brew.bottle.digest": DIGEST,
        "sh.brew.bottle.size": str(len(BOTTLE)),
        "sh.brew.tab": "{}",
    }
    s3.put_object(
        Bucket="mirror",
        Key="v2/homebrew/core/libxa/1/manifests/1.2_3-1",
        Body=json.dumps({"manifests": [{"annotations": notes}]}).encode(),
        ContentType="application/vnd.oci.image.index.v1+json",
    )
    s3.put_object(
        Bucket="mirror", Key=f"v2/homebrew/core/libxa/1/blobs/sha256:{DIGEST}", Body=BOTTLE
    )
    return "mirror"
