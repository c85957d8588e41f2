"""A registry that behaves as GHCR does to brew: token, manifest, blob, another host for storage.

Source: OCI distribution-spec 1.1; Docker token authentication; ghcr.io as of 2026-08.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import parse_qs

from sandbox.answers import Answer, Asked, File
from sandbox.bottles import Cellar
from sandbox.formulae import Formula
from sandbox.manifests import INDEX_TYPE, MANIFEST_TYPE, Document, documents_of
from sandbox.passes import ADDRESS_SECONDS, ANONYMOUS_TOKEN, TOKEN_SECONDS, Passes

SERVICE = "ghcr.io"
STORAGE = "/storage/"
OCTETS = "application/octet-stream"
REPOSITORY = re.compile(
    r"/v2/(?P<name>[a-z0-9._-]+/[a-z0-9._-]+/.+)/(?P<kind>manifests|blobs)/(?P<reference>[^/]+)"
)
# Media type → how a refusal calls one, and several.
ACCEPTED = {
    INDEX_TYPE: ("OCI index", "OCI indexes"),
    MANIFEST_TYPE: ("OCI manifest", "OCI manifests"),
}


class Registry:
    """Answers ``/token``, ``/v2/…`` and ``/storage/…`` from the sample's bottles."""

    def __init__(self, passes: Passes) -> None:
        self._passes = passes
        self._documents: dict[str, dict[str, Document]] = {}
        self._blobs: dict[str, dict[str, Path]] = {}

    def add(self, formulae: Iterable[Formula], cellar: Cellar, tap: str = "homebrew/core") -> None:
        """Push bottles; what was pushed before stays, as in any registry."""
        for formula in formulae:
            name = f"{tap}/{formula.image}"
            if formula.bottles:
                self._documents.setdefault(name, {}).update(documents_of(formula))
            for bottle in formula.bottles.values():
                blobs = self._blobs.setdefault(name, {})
                blobs[f"sha256:{bottle.digest}"] = cellar.path_of(bottle)

    def token(self, query: str) -> Answer:
        """``/token?service=…&scope=repository:homebrew/core/jq:pull``; anybody may pull."""
        scopes = parse_qs(query).get("scope", [])
        if not scopes:
            return refusal(400, "UNSUPPORTED", "a scope is needed")
        token = self._passes.issue(scopes[0], TOKEN_SECONDS)
        return Answer.json(200, {"token": token, "expires_in": TOKEN_SECONDS})

    def answer(self, path: str, asked: Asked, base_url: str) -> Answer:
        """Anything below ``/v2/``."""
        wanted = REPOSITORY.fullmatch(path)
        if not self._may_pull(asked.get("Authorization", ""), scope_of(path)):
            return challenge(base_url, path)
        if wanted is None:
            return Answer.json(200, {}) if path == "/v2/" else refusal(404, "NAME_UNKNOWN", path)
        if wanted["name"] not in self._documents:
            return refusal(404, "NAME_UNKNOWN", f"repository {wanted['name']} not known")
        if wanted["kind"] == "manifests":
            return self._manifest(wanted["name"], wanted["reference"], asked.get("Accept", "*/*"))
        return self._blob(wanted["name"], wanted["reference"], base_url)

    def stored(self, path: str, asked: Asked) -> Answer:
        """What a blob was redirected to; like GHCR's, it wants no other credentials."""
        if "Authorization" in asked:
            return refusal(400, "InvalidAuthenticationInfo", "credentials in header and address")
        purpose = self._passes.purpose_of(path.removeprefix(STORAGE))
        if purpose is None:
            return refusal(403, "AuthenticationFailed", "the signature has ended or is not valid")
        name, _, digest = purpose.removeprefix("/v2/").partition("/blobs/")
        return Answer.file(File(self._blobs[name][digest], OCTETS, etag=f'"{digest[7:23]}"'))

    def blob_of(self, path: str) -> str:
        """The registry's own path of what a storage address leads to; empty if to nothing."""
        return self._passes.purpose_of(path.removeprefix(STORAGE)) or ""

    def _may_pull(self, authorization: str, scope: str) -> bool:
        kind, _, token = authorization.partition(" ")
        if kind.lower() != "bearer":
            return False
        return token == ANONYMOUS_TOKEN or self._passes.purpose_of(token) == scope

    def _manifest(self, name: str, reference: str, accept: str) -> Answer:
        document = self._documents[name].get(reference)
        if document is None or document.media_type not in ACCEPTED:
            return refusal(404, "MANIFEST_UNKNOWN", "manifest unknown")
        if document.media_type not in accept and "*/*" not in accept:
            one, several = ACCEPTED[document.media_type]
            problem = f"{one} found, but Accept header does not support {several}"
            return refusal(404, "MANIFEST_UNKNOWN", problem)
        headers = {
            "Content-Type": document.media_type,
            "Docker-Content-Digest": document.digest,
            "Docker-Distribution-API-Version": "registry/2.0",
            "ETag": f'"{document.digest}"',
        }
        return Answer(200, headers, document.body)

    def _blob(self, name: str, digest: str, base_url: str) -> Answer:
        document = self._documents[name].get(digest)
        if document is not None and document.media_type not in ACCEPTED:
            return Answer(200, {"Content-Type": OCTETS}, document.body)
        if digest not in self._blobs[name]:
            return refusal(404, "BLOB_UNKNOWN", "blob unknown to registry")
        address = self._passes.issue(f"/v2/{name}/blobs/{digest}", ADDRESS_SECONDS)
        return Answer(307, {"Location": f"{base_url}{STORAGE}{address}", "Content-Type": OCTETS})


def challenge(base_url: str, path: str) -> Answer:
    """401, with where to get a token for this path."""
    wanted = f'Bearer realm="{base_url}/token",service="{SERVICE}"'
    if scope := scope_of(path):
        wanted += f',scope="{scope}"'
    refused = refusal(401, "UNAUTHORIZED", "authentication required")
    return Answer(401, {**refused.headers, "WWW-Authenticate": wanted}, refused.body)


def scope_of(path: str) -> str:
    """``repository:homebrew/core/jq:pull``; empty for what is in no repository."""
    wanted = REPOSITORY.fullmatch(path)
    return f"repository:{wanted['name']}:pull" if wanted else ""


def refusal(status: int, code: str, message: str) -> Answer:
    """An error as the OCI distribution-spec has it: JSON with a code."""
    body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
    return Answer(status, {"Content-Type": "application/json"}, body)
