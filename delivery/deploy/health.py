"""Whether an environment works: a sync, a bottle fetched back, every brew's requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from delivery.deploy.attempt import Attempt
from delivery.deploy.site import Site
from delivery.deploy.smoke import fetch_as_brew_would
from delivery.mirror import content, executions
from delivery.mirror.serving import serving
from delivery.probe import gate


def check(attempt: Attempt) -> None:
    """Sync where the settings say so, then prove what is served.

    Raises:
        SyncFailed, SmokeTestFailed: what does not work, in the mirror's own words.
    """
    site, outputs = attempt.site, attempt.outputs
    if _is_to_sync(site, outputs):
        attempt.served = content.channels(site.cloud, outputs["mirror_bucket"]).get("default", "")
        attempt.sync = _sync(site, outputs)
    check_served(attempt)


def check_served(attempt: Attempt) -> None:
    """Prove what is served: a bottle comes back, and every brew can live on it.

    Raises:
        SmokeTestFailed: what does not work.
    """
    site, outputs = attempt.site, attempt.outputs
    snapshot = _snapshot(site, outputs, attempt.sync)
    if snapshot is None:
        return  # It waits for its first import.
    attempt.bottle = fetch_back(site, outputs)
    attempt.probe = _probe(site, outputs, snapshot)


def _is_to_sync(site: Site, outputs: Mapping[str, Any]) -> bool:
    """Whether a deploy may publish; a mirror that serves nothing yet has nothing to lose."""
    if site.is_filled_by_import:
        return False
    if site.environment.settings["deploy"]["sync"] == "always":
        return True
    return content.latest_snapshot(site.cloud, outputs["mirror_bucket"]) is None


def _sync(site: Site, outputs: Mapping[str, Any]) -> Mapping[str, Any]:
    with site.steps.step("sync"):
        arn = executions.start(site.cloud, outputs["state_machine_arn"])
        execution = executions.follow(site.cloud, arn, site.steps.detail)
    return {"execution": execution.arn, "seconds": execution.seconds, **execution.output}


def _snapshot(site: Site, outputs: Mapping[str, Any], sync: Mapping[str, Any]) -> str | None:
    """The id of what there is to prove; None for a mirror that waits for its first import."""
    if sync:
        return str(sync["snapshot"])
    newest = content.latest_snapshot(site.cloud, outputs["mirror_bucket"])
    return newest.id if newest else None


def fetch_back(site: Site, outputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """One bottle, fetched through the mirror as brew would.

    Raises:
        SmokeTestFailed: it does not come back whole.
    """
    selection = site.settings["selection"]
    bucket = outputs["mirror_bucket"]
    # An API file names all of Homebrew: only the snapshot says what the selection left in.
    formulae = content.formulae(site.cloud, bucket, selection["formulae"])
    with site.steps.step("fetch back"), serving(site.cloud, bucket) as url:
        bottle = fetch_as_brew_would(
            url,
            selection["platforms"][0],
            formulae,
            site.settings["upstream"]["signing_key_pem"],
        )
        site.steps.detail(f"{bottle.formula} {bottle.version} {bottle.tag}")
    return asdict(bottle)


def _probe(site: Site, outputs: Mapping[str, Any], snapshot: str) -> Mapping[str, Any]:
    with site.steps.step("probe"):
        proof = gate.check(
            site.cloud,
            outputs["mirror_bucket"],
            snapshot,
            public_key_pem=site.settings["upstream"]["signing_key_pem"],
            environment=site.environment.name,
        )
    return asdict(proof)
