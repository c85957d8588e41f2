"""A release put where Terraform and a later rollback find it: in the environment's state bucket."""

from __future__ import annotations

from dataclasses import replace

from delivery.deploy.site import Site
from delivery.errors import BuildFailed
from delivery.paths import shown
from delivery.releases import origin as origins
from delivery.releases import package, store
from delivery.releases.package import Package
from delivery.releases.store import Sent


def bring(site: Site) -> Site:
    """Send what the state bucket lacks; returns the site with its release named.

    Raises:
        BuildFailed: the checkout was edited since it was compared.
    """
    if site.origin is not None:
        origin = site.origin
        sent = store.promote(origin.cloud, origin.bucket, site.cloud, site.bucket, origin.release)
        _tell(site, sent)
        return site
    made = _made(site)
    _tell(site, store.keep(site.cloud, site.bucket, made))
    return replace(site, release=origins.named(made.release))


def named(site: Site) -> Site:
    """The site with its release named, so that a plan can tell which it is; nothing is sent.

    Raises:
        BuildFailed: the checkout was edited since it was compared.
    """
    if site.origin is not None:
        return site
    return replace(site, release=origins.named(_made(site).release))


def _made(site: Site) -> Package:
    """The release of the checkout, as it was compared."""
    image = str(site.settings["artifacts"]["image"]).rpartition("@")[2]
    made = package.make(site.checkout, site.environment, site.steps.detail, image=image)
    if made.release.sha256_by_component != site.artifacts:
        raise BuildFailed(
            "the checkout changed while it was being deployed",
            where=shown(site.checkout.repository),
            remedy="save what you are editing, then deploy again",
        )
    return made


def _tell(site: Site, sent: Sent) -> None:
    if sent.keys:
        site.steps.detail(f"{len(sent.keys)} objects sent, {sent.there} were there")
