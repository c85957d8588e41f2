"""What brew 4, 5 and 6 ask for, from ``HOMEBREW_*`` settings to a poured bottle.

Written from Homebrew/brew's sources, not from our code, so that both cannot share a mistake:
``api.rb`` (fetch_json_api_file), ``api/formula.rb``, ``api/internal.rb``, ``bottle.rb``,
``bottle_specification.rb``, ``github_packages.rb``, ``resource.rb`` (BottleManifest),
``download_strategy/curl_download_strategy.rb``,
``download_strategy/curl_github_packages_download_strategy.rb``, ``formula_installer.rb``;
tags 4.2.21, 4.6 to 5.1 and 6.0.9.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import subprocess
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from delivery.mirror import jws
from tests.doubles.brew_line import Line, Response, Unreachable
from tests.doubles.brew_names import Entry, from_formula, from_package, from_tap

GHCR = "https://ghcr.io/"
DEFAULT_API = "https://formulae.brew.sh/api"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
USER_AGENT = "Homebrew/{version} (Macintosh; arm64 Mac OS X 26.0) curl/8.7.1"


class BrewError(Exception):
    """What brew would end with."""


@dataclass(frozen=True)
class Generation:
    """What tells one generation's requests from another's.

    Args:
        api_files: what ``brew update`` fetches; the first is where formulae are read from.
        read: that file's payload → entries by name.
        sends_anonymous_bearer: ``Bearer QQ==`` goes to a mirror, too.
        asks_flat_for_manifests: since Homebrew/brew#23244.
    """

    version: str
    api_files: tuple[str, ...]
    read: Callable[[Any, str], dict[str, Entry]]
    sends_anonymous_bearer: bool = False
    asks_flat_for_manifests: bool = False


WHOLE = (
    "formula.jws.json",
    "cask.jws.json",
    "formula_tap_migrations.jws.json",
    "cask_tap_migrations.jws.json",
)
GENERATIONS = {
    "4": Generation("4.2.21", WHOLE, from_formula, sends_anonymous_bearer=True),
    "5": Generation("5.1.0", WHOLE, from_formula),
    "5 internal": Generation(
        *("5.1.0", ("internal/formula.{tag}.jws.json", "internal/cask.{tag}.jws.json")),
        from_package,
    ),
    "6": Generation(
        *("6.0.9", ("internal/packages.{tag}.jws.json",)),
        from_package,
        asks_flat_for_manifests=True,
    ),
}


@dataclass
class Brew:
    """One machine with brew on it.

    Args:
        generation: a key of `GENERATIONS`.
        tag: its bottle tag.
        variables: its ``HOMEBREW_*`` settings.
        public_key_pem: stands in for api/homebrew-1.pem.
        home: cache, Cellar and bin are below it.
        tap: a tap that was cloned, as `brew_names.from_tap` reads it.
        line: the network.
    """

    generation: str
    tag: str
    variables: Mapping[str, str]
    public_key_pem: str
    home: Path
    line: Line
    poured: list[str] = field(default_factory=list)
    tap: Mapping[str, Any] = field(default_factory=lambda: {"formulae": []})

    @property
    def _is(self) -> Generation:
        return GENERATIONS[self.generation]

    def update(self) -> None:
        """``brew update``: each API file, if it changed, verified before it is believed."""
        for name in self._is.api_files:
            self._fetch_api_file(name.format(tag=self.tag))

    def install(self, name: str) -> None:
        """``brew install``: everything is fetched first, then poured, dependencies first."""
        kegs = [each for each in self._order(name) if not self.prefix(each).exists()]
        fetched = [(each, self._tab(each), self._fetch_bottle(each)) for each in kegs]
        for entry, tab, archive in fetched:
            self._pour(entry, tab, archive)

    def run(self, name: str) -> str:
        """What the installed program says."""
        program = self.home / "bin" / name
        return subprocess.run([program], check=True, capture_output=True, text=True).stdout

    def prefix(self, entry: Entry) -> Path:
        """The keg."""
        return self.home / "Cellar" / entry.name / entry.version

    def formulae(self) -> dict[str, Entry]:
        """What the cached API file says."""
        file = self._cached(self._is.api_files[0].format(tag=self.tag))
        payload = jws.verified_payload(file.read_bytes(), self.public_key_pem)
        return self._is.read(json.loads(payload), self.tag) | from_tap(self.tap, self.tag)

    def vendor_install(self, ruby: Entry) -> bytes:
        """``brew vendor-install ruby``; brew itself holds the digest (cmd/vendor-install.sh)."""
        return self._fetch_bottle(ruby)

    def _fetch_api_file(self, name: str) -> None:
        file = self._cached(name)
        headers = self._headers(Accept_Encoding="deflate, gzip")
        dates = file.with_suffix(".date")
        if file.exists():  # curl --time-cond, with the file's own date.
            headers["If-Modified-Since"] = dates.read_text()
        response = self._first_of(self._api_urls(name), headers)
        if response.status == 304:
            return
        body = response.body
        if response.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        jws.verified_payload(body, self.public_key_pem)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
        dates.write_text(response.headers["last-modified"])

    def _api_urls(self, name: str) -> Iterator[str]:
        domain = self.variables.get("HOMEBREW_API_DOMAIN", DEFAULT_API)
        yield f"{domain}/{name}"
        if domain != DEFAULT_API:
            yield f"{DEFAULT_API}/{name}"

    def _order(self, name: str) -> list[Entry]:
        """The formula with what it needs, each after what it needs itself."""
        known = self.formulae()
        found: dict[str, Entry] = {}

        def visit(one: str) -> None:
            entry = known.get(one)
            if entry is None or not entry.digest:
                raise BrewError(f"{one}: no bottle available!")
            for needed in entry.dependencies:
                if needed not in found:
                    visit(needed)
            found[one] = entry

        visit(name)
        return list(found.values())

    def _tab(self, entry: Entry) -> Mapping[str, Any] | None:
        """``sh.brew.tab`` of the entry whose digest and name are the bottle's."""
        urls = list(self._manifest_urls(entry))
        if not urls:
            return None
        body = self._first_of(urls, self._registry_headers(Accept=INDEX_TYPE)).body
        for manifest in json.loads(body)["manifests"]:
            notes = manifest["annotations"]
            if notes["sh.brew.bottle.digest"] != entry.digest:
                continue
            if notes["org.opencontainers.image.ref.name"] == entry.ref_name:
                tab: Mapping[str, Any] = json.loads(notes["sh.brew.tab"])
                return tab
        raise BrewError(f"Couldn't find manifest matching bottle checksum of {entry.name}.")

    def _manifest_urls(self, entry: Entry) -> Iterator[str]:
        path = f"{entry.image}/manifests/{entry.manifest_tag}"
        flat = self.variables.get("HOMEBREW_BOTTLE_DOMAIN")
        if not flat:
            yield from self._mirrored(f"{GHCR}v2/{entry.repository}/{path}")
        elif self._is.asks_flat_for_manifests:
            yield f"{flat}/{path}"
            yield f"{GHCR}v2/{entry.repository}/{path}"

    def _fetch_bottle(self, entry: Entry) -> bytes:
        flat = self.variables.get("HOMEBREW_BOTTLE_DOMAIN")
        if flat:
            urls = [f"{flat}/{quote(entry.file_name, safe='')}"]
            headers = self._headers()
            # CurlDownloadStrategy looks at the headers first; the strategy for GHCR does not.
            self._first_of(urls, headers, method="HEAD")
        else:
            blob = f"{GHCR}v2/{entry.repository}/{entry.image}/blobs/sha256:{entry.digest}"
            urls, headers = list(self._mirrored(blob)), self._registry_headers()
        partial = self._cached(f"{entry.digest}.incomplete")
        body = self._resumed(urls, headers, partial)
        if hashlib.sha256(body).hexdigest() != entry.digest:
            raise BrewError(f"SHA256 mismatch of {entry.name}")
        return body

    def _resumed(self, urls: list[str], headers: dict[str, str], partial: Path) -> bytes:
        """``curl --continue-at -``."""
        start = partial.read_bytes() if partial.exists() else b""
        if start:
            headers = {**headers, "Range": f"bytes={len(start)}-"}
        response = self._first_of(urls, headers)
        if start and response.status != 206:
            raise BrewError("HTTP server doesn't seem to support byte ranges. Cannot resume.")
        return start + response.body

    def _mirrored(self, url: str) -> Iterator[str]:
        """What HOMEBREW_ARTIFACT_DOMAIN makes of an address of GHCR's."""
        domain = self.variables.get("HOMEBREW_ARTIFACT_DOMAIN", "").rstrip("/")
        if not domain:
            yield url
            return
        path = url.removeprefix(GHCR)
        if urlsplit(domain).path.startswith("/v2"):
            path = path.removeprefix("v2/")
        yield f"{domain}/{path}"
        if not self.variables.get("HOMEBREW_ARTIFACT_DOMAIN_NO_FALLBACK"):
            yield url

    def _headers(self, **more: str) -> dict[str, str]:
        fields = {name.replace("_", "-"): value for name, value in more.items()}
        return {"User-Agent": USER_AGENT.format(version=self._is.version), **fields}

    def _registry_headers(self, **more: str) -> dict[str, str]:
        headers = self._headers(**more)
        token = self.variables.get("HOMEBREW_DOCKER_REGISTRY_TOKEN")
        basic = self.variables.get("HOMEBREW_DOCKER_REGISTRY_BASIC_AUTH_TOKEN")
        if token:
            headers["Authorization"] = f"Bearer {token}"
        elif basic and basic != "none":
            headers["Authorization"] = f"Basic {basic}"
        elif not basic and (self._is.sends_anonymous_bearer or not self._has_mirror):
            headers["Authorization"] = "Bearer QQ=="
        return headers

    @property
    def _has_mirror(self) -> bool:
        return bool(self.variables.get("HOMEBREW_ARTIFACT_DOMAIN"))

    def _first_of(self, urls: Any, headers: Mapping[str, str], method: str = "GET") -> Response:
        """The first address that answers well; the next one is tried after a failure."""
        told = []
        for url in urls:
            try:
                response = self.line.send(url, headers, method)
            except Unreachable:
                told.append(f"{url}: Could not resolve host")
                continue
            if response.status < 400:
                return response
            told.append(f"{url}: {response.status}")
        raise BrewError("; ".join(told))

    def _pour(self, entry: Entry, tab: Mapping[str, Any] | None, archive: bytes) -> None:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as packed:
            packed.extractall(self.home / "Cellar", filter="data")
        receipt = self.prefix(entry) / "INSTALL_RECEIPT.json"
        written = json.loads(receipt.read_text())
        receipt.write_text(json.dumps({**written, **(tab or {}), "poured_from_bottle": True}))
        (self.home / "bin").mkdir(exist_ok=True)
        for program in (self.prefix(entry) / "bin").glob("*"):
            (self.home / "bin" / program.name).symlink_to(program)
        self.poured.append(entry.name)

    def _cached(self, name: str) -> Path:
        return self.home / "cache" / name
