"""The OCI image index of a formula, annotated as brew annotates it, and what it points to.

Source: brew, github_packages.rb (upload_bottle, create_image_index, write_image_index);
OCI image-spec 1.1, image-index and manifest.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from sandbox.bottles import tab
from sandbox.formulae import ALL, Bottle, Formula, is_linux

INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"


@dataclass(frozen=True)
class Document:
    """A JSON document of the registry: its bytes, what they are and what they hash to."""

    body: bytes
    media_type: str

    @property
    def digest(self) -> str:
        """``sha256:`` + 64 hex digits."""
        return f"sha256:{hashlib.sha256(self.body).hexdigest()}"

    def described(self) -> dict[str, Any]:
        """As an OCI descriptor."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.body)}


def documents_of(formula: Formula) -> dict[str, Document]:
    """By reference: the index under its tag and digest, manifests and configs under theirs."""
    found: dict[str, Document] = {}
    entries = []
    for tag, bottle in formula.bottles.items():
        config = _document(CONFIG_TYPE, _platform(tag) | {"rootfs": {"type": "layers"}})
        manifest = _manifest(formula, tag, bottle, config)
        found |= {config.digest: config, manifest.digest: manifest}
        entries.append(_entry(formula, tag, bottle, manifest))
    index = _document(
        INDEX_TYPE,
        {
            "schemaVersion": 2,
            "mediaType": INDEX_TYPE,
            "manifests": entries,
            "annotations": _annotations(formula, formula.manifest_tag),
        },
    )
    return found | {formula.manifest_tag: index, index.digest: index}


def ref_name(formula: Formula, tag: str) -> str:
    """``1.25.0_1.arm64_tahoe``, with ``.<rebuild>`` where there is one."""
    rebuild = f".{formula.rebuild}" if formula.rebuild else ""
    return f"{formula.package_version}.{tag}{rebuild}"


def _entry(formula: Formula, tag: str, bottle: Bottle, manifest: Document) -> dict[str, Any]:
    return manifest.described() | {
        "platform": _platform(tag),
        "annotations": {
            **_annotations(formula, ref_name(formula, tag)),
            "sh.brew.bottle.digest": bottle.digest,
            "sh.brew.bottle.size": str(bottle.size_bytes),
            "sh.brew.bottle.installed_size": str(bottle.installed_size_bytes),
            "sh.brew.license": formula.license or "",
            "sh.brew.path_exec_files": f"bin/{formula.name}",
            "sh.brew.tab": json.dumps(tab(formula, tag)),
        },
    }


def _manifest(formula: Formula, tag: str, bottle: Bottle, config: Document) -> Document:
    title = f"{formula.name}--{ref_name(formula, tag)}.bottle.tar.gz"
    layer = {
        "mediaType": LAYER_TYPE,
        "digest": f"sha256:{bottle.digest}",
        "size": bottle.size_bytes,
        "annotations": {"org.opencontainers.image.title": title},
    }
    return _document(
        MANIFEST_TYPE,
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": config.described(),
            "layers": [layer],
            "annotations": _annotations(formula, ref_name(formula, tag)),
        },
    )


def _annotations(formula: Formula, reference: str) -> dict[str, str]:
    return {
        "com.github.package.type": "homebrew_bottle",
        "org.opencontainers.image.description": formula.desc,
        "org.opencontainers.image.license": formula.license or "",
        "org.opencontainers.image.ref.name": reference,
        "org.opencontainers.image.source": f"https://example.org/core/{formula.name}",
        "org.opencontainers.image.title": f"homebrew/core/{formula.name}",
        "org.opencontainers.image.url": formula.homepage,
        "org.opencontainers.image.vendor": "homebrew",
        "org.opencontainers.image.version": formula.manifest_tag,
    }


def _platform(tag: str) -> dict[str, str]:
    arm = tag.startswith("arm64_") or tag == ALL
    return {
        "architecture": "arm64" if arm else "amd64",
        "os": "linux" if is_linux(tag) else "darwin",
        "os.version": tag,
    }


def _document(media_type: str, value: object) -> Document:
    return Document(json.dumps(value, separators=(",", ":")).encode(), media_type)
