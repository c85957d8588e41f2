"""Making a release of a checkout: its artifacts, its manifest, and the papers beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from delivery import digests, process_environment
from delivery.artifacts import terraform
from delivery.artifacts.build import Artifact, Target
from delivery.checkout import Checkout, target_of
from delivery.environment import Environment
from delivery.errors import BuildFailed
from delivery.paths import shown
from delivery.releases import provenance, sbom, version
from delivery.releases.manifest import Component, Release


@dataclass(frozen=True)
class Package:
    """A release that was made here.

    `artifacts` are component → its zip, in the cache of builds; `sbom` is the bill of
    materials, whose SHA-256 the release names.
    """

    release: Release
    artifacts: Mapping[str, Artifact]
    sbom: bytes
    began: datetime

    @property
    def paths(self) -> dict[str, Path]:
        """Component → its zip."""
        return {name: each.path for name, each in self.artifacts.items()}

    @property
    def rebuilt(self) -> list[str]:
        """The components that an earlier build had not made already."""
        return [name for name, each in self.artifacts.items() if each.was_built]

    def provenance(self) -> bytes:
        """Who built it, when, from what."""
        by = provenance.builder(process_environment.current())
        return provenance.statement(
            self.release, self.artifacts, by, began=self.began, ended=datetime.now(UTC)
        )


def make(
    checkout: Checkout,
    environment: Environment,
    report: Callable[[str], None] = lambda _text: None,
    *,
    image: str = "",
) -> Package:
    """The release of this checkout for what the environment's functions run on.

    Nothing is written but what the build writes; where nothing changed, nothing is built.

    Args:
        image: the sync worker's image, ``sha256:…``; empty when none was built.

    Raises:
        BuildFailed: an artifact could not be made, or the checkout has no layout.
    """
    return make_for(checkout, target_of(environment), report, image=image)


def make_for(
    checkout: Checkout,
    target: Target,
    report: Callable[[str], None] = lambda _text: None,
    *,
    image: str = "",
) -> Package:
    """As `make`, for a target that is named."""
    began = datetime.now(UTC)
    artifacts = checkout.build_for(target, report)
    of = version.describe(checkout.repository)
    components = {name: Component(each.sha256, each.size_bytes) for name, each in artifacts.items()}
    bill = sbom.bill(
        of.name,
        components,
        artifacts["layer"].installation.packages,
        terraform.locked_providers(checkout.terraform_dir),
    )
    release = Release(
        version=of.name,
        commit=of.commit,
        dirty=of.dirty,
        target=target,
        components=components,
        image=image,
        configuration_schema=digests.sha256(checkout.schema_file.read_bytes()),
        layout=_layout(checkout.places.lambdas / "mirror" / "layout.txt"),
        sbom=digests.sha256(bill),
    )
    return Package(release, artifacts, bill, began)


def _layout(file: Path) -> int:
    try:
        return int(file.read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError) as error:
        raise BuildFailed(
            "the generation of the mirror's layout is not known",
            where=shown(file),
            remedy=f"bring {shown(file)} back: it holds one number",
        ) from error
