"""A client for the OCI registry: tokens, manifests, and blobs that survive a broken connection.

Sources: OCI distribution-spec 1.1, "Pulling manifests" and "Pulling blobs"; the token flow
of the CNCF distribution project ("Token Authentication Specification"), which GHCR follows.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from mirror import addresses, bodies, documents, keys, resuming, tokens
from mirror.errors import UpstreamRefused
from mirror.fetching import Fetcher
from mirror.pacing import Sleep

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse as Response

INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
IMAGE_TYPE = "application/vnd.oci.image.manifest.v1+json"
MANIFEST_LIMIT_BYTES = 16 * 1024 * 1024
_TOKEN_LIMIT_BYTES = 1024 * 1024

_PARAMETER = re.compile(r'(\w+)="([^"]*)"')
# Visible characters: it goes into a header. Spaces are not the standard's, and harmless.
_TOKEN = re.compile(r"[ -~]+")


class Registry:
    """One registry, asked without credentials of ours; shared by threads.

    Args:
        url: ``https://ghcr.io``.
    """

    def __init__(self, url: str, fetcher: Fetcher) -> None:
        self._url = url.rstrip("/")
        self._fetcher = fetcher
        self._tokens = tokens.Tokens()

    def manifest(self, image: str, reference: str, accept: str = INDEX_TYPE) -> bytes:
        """The OCI image index of one version of a formula, byte for byte.

        Args:
            reference: a manifest tag, or ``sha256:…`` of an image manifest (`IMAGE_TYPE`).

        Raises:
            NotUpstream: there is none.
            UpstreamRefused, UpstreamUnavailable: as in `Fetcher.read`.
        """
        url = f"{self._url}/v2/{keys.repository(image)}/manifests/{reference}"
        with self._fetcher.pace.turn():
            return self._fetcher.read_from(
                lambda: self._open(image, url, {"Accept": accept}, None),
                url,
                limit_bytes=MANIFEST_LIMIT_BYTES,
            )

    def blob(
        self, image: str, digest: str, size_bytes: int, *, sleep: Sleep | None = None
    ) -> Generator[bytes]:
        """The bytes of a bottle as they come, in order, without gaps; not verified here.

        A body that breaks off goes on from there. The registry is asked again each time: the
        address that it redirected to is signed for a short while only.

        Args:
            digest: 64 hex digits.
            size_bytes: as the manifest announces it.
            sleep: how to pause between tries.

        Raises:
            DigestMismatch: the registry announces another length than the manifest.
            NotUpstream, UpstreamRefused: it is not there.
            UpstreamUnavailable: busy, unreachable or broken off too often.
        """
        url = f"{self._url}/v2/{keys.repository(image)}/blobs/sha256:{digest}"
        with self._fetcher.pace.turn():
            yield from resuming.pieces(
                lambda more: self._open(image, url, more, sleep),
                url,
                self._fetcher,
                size_bytes,
                sleep,
            )

    def _open(
        self, image: str, url: str, headers: Mapping[str, str], sleep: Sleep | None
    ) -> Response:
        token = self._tokens.of(image)
        response = self._fetcher.open(url, {**headers, **_bearer(token)}, sleep=sleep)
        if response.status == 400 and token == tokens.ANONYMOUS:  # S3's answer to it.
            bodies.discard(response)
            self._tokens.none_is_wanted()
            token = self._tokens.of(image)
            response = self._fetcher.open(url, {**headers, **_bearer(token)}, sleep=sleep)
        is_fresh = False
        # Without a token, with one that has expired, or with one of another repository.
        while response.status == 401 and not is_fresh:
            challenge = response.headers.get("WWW-Authenticate", "")
            bodies.discard(response)
            ask = partial(self._token, challenge, url, sleep)
            token, is_fresh = self._tokens.after_refusal(image, token, ask)
            response = self._fetcher.open(url, {**headers, **_bearer(token)}, sleep=sleep)
        return response

    def _token(self, challenge: str, url: str, sleep: Sleep | None) -> str:
        """Get the token that a 401 asks for; `challenge` is its WWW-Authenticate header."""
        asked = dict(_PARAMETER.findall(challenge))
        realm = asked.pop("realm", "")
        if not challenge.lower().startswith("bearer ") or not realm:
            raise _refused(f'asks for "{challenge}" instead of a bearer token', url)
        addresses.check_redirect(url, realm)
        query = urlencode({name: asked[name] for name in ("service", "scope") if name in asked})
        answer = self._fetcher.read(
            f"{realm}?{query}", {}, limit_bytes=_TOKEN_LIMIT_BYTES, sleep=sleep
        )
        try:
            document = documents.parse(answer)
            token = document.get("token") or document["access_token"]
            if not _TOKEN.fullmatch(token):
                raise ValueError("not a bearer token")  # noqa: TRY301 - told as the others are
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _refused("gave no token where it said to get one", realm) from error
        return str(token)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


def _refused(problem: str, url: str) -> UpstreamRefused:
    return UpstreamRefused(
        f"the registry {problem}",
        where=addresses.shown(url),
        remedy="check that upstream.registry_url names an OCI registry",
    )
