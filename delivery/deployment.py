"""Bringing an environment to this checkout: build, compare, and only if they differ, roll out.

What a deploy that changes nothing needs is all that is imported here: Terraform, the smoke
test and its cryptography come with `delivery.rollout`, when there is something to do.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from delivery import lock, settings, state_bucket
from delivery.checkout import Checkout
from delivery.cloud import Cloud
from delivery.environment import Environment
from delivery.progress import Steps
from delivery.releases import history, under_way
from delivery.site import Outcome, Site


def deploy(
    environment: Environment,
    cloud: Cloud,
    steps: Steps,
    *,
    dry_run: bool = False,
    force: bool = False,
    checkout: Checkout | None = None,
) -> Outcome:
    """Bring the environment to what the checkout says, and prove that it works.

    Nothing changed since a deploy that succeeded: nothing is done (docs/adr/0005), unless
    `force`. With `dry_run` the plan is made and nothing is created or changed in the cloud,
    not even the state bucket.

    Raises:
        DeployUnderWay: another deploy of it is running here.
        TerraformFailed, SyncFailed, SmokeTestFailed: the step that ended the deploy; the
            record of it says so, and running the deploy again goes on from there.
    """
    checkout = checkout or Checkout()
    with lock.held(checkout.state_dir, environment.name):
        site = _compare(checkout, environment, cloud, steps)
        if _is_unchanged(site) and not force:
            return _unchanged(site)
        from delivery import rollout  # noqa: PLC0415 - see the module's docstring

        return rollout.plan(site) if dry_run else rollout.carry_out(site)


def _compare(checkout: Checkout, environment: Environment, cloud: Cloud, steps: Steps) -> Site:
    with steps.step("build"):
        built = checkout.build(environment, steps.detail)
        digests = {name: each.sha256 for name, each in built.items()}
        wanted = settings.of(environment, cloud.account_id, cloud.upstream, digests)
    with steps.step("compare"):
        bucket = state_bucket.name(environment.project, environment.name, cloud.account_id)
        previous = history.latest(cloud, bucket, environment.name)
        decisive = {
            "settings": wanted,
            "terraform": _tree_digest(checkout.terraform_dir),
            "cloud": [cloud.kind, cloud.account_id, cloud.region],
        }
    fingerprint = hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()
    return Site(checkout, environment, cloud, steps, wanted, built, bucket, fingerprint, previous)


def _is_unchanged(site: Site) -> bool:
    """Whether the last deploy did the same and ended well, and nothing has begun since."""
    last = site.previous
    if last is None or last.outcome != "succeeded" or last.fingerprint != site.fingerprint:
        return False
    return not under_way.is_marked(site.cloud, site.bucket, site.environment.name)


def _unchanged(site: Site) -> Outcome:
    last = site.previous
    assert last is not None  # noqa: S101 - _is_unchanged has looked; this tells mypy
    return site.outcome("unchanged", number=last.number, outputs=last.outputs, sync=last.sync)


def _tree_digest(folder: Path) -> str:
    """A digest over the names and bytes of the Terraform sources."""
    digest = hashlib.sha256()
    for path in sorted(_sources(folder)):
        digest.update(f"{path.relative_to(folder).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _sources(folder: Path) -> Iterator[Path]:
    """What Terraform reads: not its tests, not the pages about it, not what it writes itself."""
    for path in folder.rglob("*"):
        written_by_terraform = ".terraform" in path.parts or "tfstate" in path.name
        beside_it = (
            "tests" in path.parts or path.suffix == ".md" or path.name.endswith(".tfvars.json")
        )
        if path.is_file() and not written_by_terraform and not beside_it:
            yield path
