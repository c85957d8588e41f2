"""A release put where Terraform and a later rollback find it: in the environment's state bucket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from delivery.errors import BuildFailed
from delivery.paths import shown
from delivery.releases import package, store
from delivery.releases.manifest import Release
from delivery.site import Site


def bring(site: Site) -> Site:
    """Send what the state bucket lacks; returns the site with its release named.

    Raises:
        BuildFailed: the checkout was edited since it was compared.
    """
    if site.release:
        return site  # It came from the store.
    image = str(site.settings["artifacts"]["image"]).rpartition("@")[2]
    made = package.make(site.checkout, site.environment, site.steps.detail, image=image)
    if made.release.sha256_by_component != site.artifacts:
        raise BuildFailed(
            "the checkout changed while it was being deployed",
            where=shown(site.checkout.repository),
            remedy="save what you are editing, then deploy again",
        )
    sent = store.keep(site.cloud, site.bucket, made)
    if sent.keys:
        site.steps.detail(f"{len(sent.keys)} objects sent, {sent.there} were there")
    return replace(site, release=named(made.release))


def named(release: Release) -> Mapping[str, Any]:
    """A release as a record has it."""
    return {
        "id": release.id,
        "version": release.version,
        "commit": release.commit,
        "dirty": release.dirty,
    }
