"""Does the deployed mirror work: fetch one bottle back through it, step by step as brew would.

Written from brew's side (../lambdas is not imported): a mirror that checks itself with its
own code would pass with its own mistakes. Source of the steps: Homebrew/brew 6.0,
``api.rb`` (verify_jws_signature), ``github_packages.rb``, ``resource.rb`` (BottleManifest).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from delivery.errors import SmokeTestFailed

KEY_ID = "homebrew-1"
TIMEOUT_SECONDS = 60
CHUNK_BYTES = 1024 * 1024
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
# Homebrew's own key, api/homebrew-1.pem in Homebrew/brew; RSA, 4096 bit.
HOMEBREW_KEY_FILE = Path(__file__).with_name("homebrew-1.pem")


@dataclass(frozen=True)
class FetchedBottle:
    """The bottle that came back whole: where it is, and what it hashes to."""

    formula: str
    version: str
    tag: str
    digest: str
    size_bytes: int
    manifest_url: str
    blob_url: str


def fetch_as_brew_would(
    mirror_url: str, platform: str, formulae: Iterable[str], public_key_pem: str
) -> FetchedBottle:
    """API file → signature → manifest → tab annotation → blob → digest, over HTTP.

    Args:
        mirror_url: what HOMEBREW_ARTIFACT_DOMAIN would be; the API is at ``/api`` below it.
        platform: the bottle tag of the Mac to play, for example ``arm64_tahoe``.
        formulae: names to try; the first that has a bottle for the platform is fetched, and
            when none of them has one (or it is ``*``), the first of the API file.
        public_key_pem: the key that signs the API; empty for Homebrew's own.

    Raises:
        SmokeTestFailed: one of the steps does not hold; the message names it and its URL.
    """
    api_url = f"{mirror_url}/api/internal/packages.{platform}.jws.json"
    payload = verified_payload(_read(api_url), public_key_pem, api_url)
    name, entry = _choose(json.loads(payload)["formulae"], formulae, api_url)
    bottle = _Bottle.of(name, entry, platform)

    manifest_url = f"{mirror_url}/v2/homebrew/core/{bottle.image}/manifests/{bottle.manifest_tag}"
    size_bytes = _size_in_manifest(bottle, _read(manifest_url, accept=INDEX_TYPE), manifest_url)

    blob_url = f"{mirror_url}/v2/homebrew/core/{bottle.image}/blobs/sha256:{bottle.digest}"
    _check_blob(bottle, size_bytes, blob_url)
    return FetchedBottle(
        name, bottle.version, bottle.tag, bottle.digest, size_bytes, manifest_url, blob_url
    )


def verified_payload(body: bytes, public_key_pem: str, url: str) -> str:
    """The payload of a JWS file whose `homebrew-1` signature holds (PS512, b64 false)."""
    document = json.loads(body)
    payload = str(document["payload"])
    signature = _signature(document["signatures"], url)
    key = load_pem_public_key(public_key_pem.encode() or HOMEBREW_KEY_FILE.read_bytes())
    if not isinstance(key, rsa.RSAPublicKey):
        raise _broken("the signing key is not an RSA key", url)
    pss = padding.PSS(mgf=padding.MGF1(SHA512()), salt_length=padding.PSS.DIGEST_LENGTH)
    try:
        key.verify(
            _unpadded(signature["signature"]),
            f"{signature['protected']}.{payload}".encode(),
            pss,
            SHA512(),
        )
    except InvalidSignature as error:
        raise _broken("the signature of the API file does not hold", url) from error
    return payload


@dataclass(frozen=True)
class _Bottle:
    name: str
    version: str
    rebuild: int
    tag: str
    digest: str

    @classmethod
    def of(cls, name: str, entry: Mapping[str, Any], platform: str) -> _Bottle:
        revision = entry.get("revision", 0)
        version = entry["stable_version"] + (f"_{revision}" if revision else "")
        tag = entry.get("bottle_tag", platform).removeprefix(":")
        return cls(name, version, entry.get("bottle_rebuild", 0), tag, entry["bottle_checksum"])

    @property
    def image(self) -> str:
        return self.name.replace("@", "/").replace("+", "x")

    @property
    def manifest_tag(self) -> str:
        return self.version + (f"-{self.rebuild}" if self.rebuild else "")

    @property
    def ref_name(self) -> str:
        return f"{self.version}.{self.tag}" + (f".{self.rebuild}" if self.rebuild else "")


def _signature(signatures: Iterable[Mapping[str, Any]], url: str) -> Mapping[str, str]:
    for signature in signatures:
        if signature.get("header", {}).get("kid") == KEY_ID:
            protected = json.loads(_unpadded(signature["protected"]))
            if protected.get("alg") != "PS512" or protected.get("b64") is not False:
                raise _broken(f"the API file is signed with {protected}, not PS512", url)
            return signature
    raise _broken(f'the API file has no signature by "{KEY_ID}"', url)


def _choose(
    entries: Mapping[str, Mapping[str, Any]], wanted: Iterable[str], url: str
) -> tuple[str, Mapping[str, Any]]:
    for name in (*wanted, *entries):
        if entries.get(name, {}).get("bottle_checksum"):
            return name, entries[name]
    raise _broken("no formula of the API file has a bottle", url)


def _size_in_manifest(bottle: _Bottle, body: bytes, url: str) -> int:
    for entry in json.loads(body)["manifests"]:
        notes = entry.get("annotations", {})
        if notes.get("sh.brew.bottle.digest") != bottle.digest:
            continue
        if notes.get("org.opencontainers.image.ref.name") != bottle.ref_name:
            continue
        json.loads(notes["sh.brew.tab"])  # brew fails without it, and so must we.
        return int(notes["sh.brew.bottle.size"])
    raise _broken(f'the manifest has no "{bottle.ref_name}" with digest {bottle.digest}', url)


def _check_blob(bottle: _Bottle, size_bytes: int, url: str) -> None:
    digest, received = hashlib.sha256(), 0
    with _open(Request(url)) as response:  # noqa: S310 - the scheme is that of our own server
        while chunk := response.read(CHUNK_BYTES):
            digest.update(chunk)
            received += len(chunk)
    if digest.hexdigest() != bottle.digest or received != size_bytes:
        found = f"{received} bytes that hash to {digest.hexdigest()}"
        raise _broken(f"the bottle is {found}, not the {size_bytes} that were promised", url)


def _read(url: str, accept: str = "*/*") -> bytes:
    request = Request(url, headers={"Accept": accept})  # noqa: S310 - as above
    with _open(request) as response:
        return bytes(response.read())


def _open(request: Request) -> Any:
    try:
        return urlopen(request, timeout=TIMEOUT_SECONDS)  # noqa: S310 - as above
    except URLError as error:
        raise _broken(f"the mirror does not answer: {error}", request.full_url) from error


def _unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _broken(problem: str, url: str) -> SmokeTestFailed:
    return SmokeTestFailed(
        problem,
        where=url,
        remedy="inv mirror.sync mirrors again; if it stays, read syncs/<id>/report.json",
    )
