"""From a checkout to what can be deployed: building components, making a release of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from invoke.context import Context

from delivery.checkout import Checkout
from delivery.environment import Environment
from verbs import console, report_packages
from verbs.options import ENV_HELP, JSON_HELP
from verbs.target import environment_named, reach
from verbs.verb import verb

if TYPE_CHECKING:
    from delivery.artifacts.build import Artifact
    from delivery.artifacts.why import Verdict


@verb(
    help={
        "env": ENV_HELP,
        "why": "explain each digest that moved since the last build, or prove that none did",
        "against": "explain what moved since this release instead: its id, or a beginning of it",
        "dry-run": "build nothing; say what would be, and from which inputs",
        "json": JSON_HELP,
    }
)
def build(
    context: Context,
    env: str = "dev",
    why: bool = False,
    against: str = "",
    dry_run: bool = False,
    json: bool = False,
) -> None:
    """Build the functions, their layer and the Terraform tree into zips named by digest.

    Example: inv build --env prod --why
    """
    environment = environment_named(env)
    if dry_run:
        report_packages.found(Checkout().found(environment), as_json=json)
    elif against:
        _compare(environment, against, as_json=json)
    else:
        _build(environment, why=why, as_json=json)


@verb(
    help={
        "env": ENV_HELP,
        "out": "the folder to write it into, below its id (default: .airbrew/releases)",
        "json": JSON_HELP,
    }
)
def package(context: Context, env: str = "dev", out: str = "", json: bool = False) -> None:
    """Make a release: artifacts, manifest, bill of materials, provenance.

    Example: inv package --env prod
    """
    from delivery import task_image
    from delivery.releases import folders, package

    checkout, environment = Checkout(), environment_named(env)
    with console.progress() as progress:
        image = task_image.digest_here(environment, checkout)
        made = package.make(checkout, environment, progress.detail, image=image)
    place = folders.write(made, Path(out) if out else checkout.releases_dir)
    if not out:
        folders.drop_old(checkout.releases_dir)
    report_packages.package(made, place, as_json=json)


def _build(environment: Environment, *, why: bool, as_json: bool) -> None:
    checkout = Checkout()
    with console.progress() as progress:
        built = checkout.build(environment, progress.detail)
    report_packages.built(built, _verdicts(built, checkout) if why else [], as_json=as_json)


def _verdicts(built: Mapping[str, Artifact], checkout: Checkout) -> list[Verdict]:
    from delivery.artifacts import why

    return why.since_last_build(built, checkout.places.cache)


def _compare(environment: Environment, name: str, *, as_json: bool) -> None:
    from delivery import state_bucket, task_image
    from delivery.releases import differences, folders, package, store

    checkout = Checkout()
    earlier = folders.find(checkout.releases_dir, name)
    if earlier is None:
        cloud = reach(environment)
        bucket = state_bucket.name(environment.project, environment.name, cloud.account_id)
        release = store.find(cloud, bucket, name)
        earlier = folders.Written(release, store.provenance(cloud, bucket, release))
    with console.progress() as progress:
        image = task_image.digest_here(environment, checkout)
        made = package.make(checkout, environment, progress.detail, image=image)
    report_packages.comparison(differences.against(earlier, made), as_json=as_json)
