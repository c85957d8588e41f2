"""The sync worker's image: what Fargate runs for a large sync."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invoke.context import Context

from delivery.checkout import target_of
from delivery.cloud import Cloud
from delivery.environment import Environment
from delivery.errors import BadInput
from delivery.paths import STATE_DIR
from verbs import console
from verbs.options import ENV_HELP, JSON_HELP
from verbs.target import announce, environment_named, reach
from verbs.verb import verb

if TYPE_CHECKING:  # Each verb imports what it needs; this module needs their names only.
    from delivery.artifacts.image import Image

BUILD_HELP = {
    "base": "start from this image instead of the one that the Dockerfile pins",
    "pip-conf": "pip's configuration for the build, where the index is not the public one",
    "ca-pem": "certificates for it, which the configuration names as /run/secrets/ca.pem",
}


@verb(
    help={
        "env": ENV_HELP,
        **BUILD_HELP,
        "force": "build it from nothing even when its inputs have not changed",
        "json": JSON_HELP,
    }
)
def build(
    context: Context,
    env: str = "dev",
    base: str = "",
    pip_conf: str = "",
    ca_pem: str = "",
    force: bool = False,
    json: bool = False,
) -> None:
    """Build the image of docker/sync-worker with Docker, or with buildah where there is none.

    Example: inv image.build --env prod
    """
    environment = environment_named(env)
    built = _built(environment, base, pip_conf, ca_pem, force=force)
    if json:
        console.document(asdict(built))
        return
    _say(built)
    console.line("next:")
    console.line(f"  inv image.push --env {environment.name}")


@verb(
    help={
        "env": ENV_HELP,
        **BUILD_HELP,
        "registry": "push to this HOST[:PORT] instead of the ECR of the environment's account",
        "dry-run": "say where it would go; nothing is built, created or pushed",
        "json": JSON_HELP,
    }
)
def push(
    context: Context,
    env: str = "",
    base: str = "",
    pip_conf: str = "",
    ca_pem: str = "",
    registry: str = "",
    dry_run: bool = False,
    json: bool = False,
) -> None:
    """Build the image if need be and push it by digest; a deploy with the Fargate route takes it.

    Example: inv image.push --env prod --dry-run
    """
    environment = environment_named(env)
    cloud = None if registry else _with_a_registry(environment, as_json=json)
    repository = _repository(environment, cloud, registry)
    answer: dict[str, Any] = {"repository": repository}
    if not dry_run:
        built = _built(environment, base, pip_conf, ca_pem, force=False)
        answer |= _pushed(environment, cloud, repository, built)
    if json:
        console.document(answer)
    elif dry_run:
        console.line(f"it would go to {repository}; nothing was done")
    else:
        console.line(f"{'pushed' if answer['sent'] else 'there already'}: {answer['image']}")


def _built(
    environment: Environment, base: str, pip_conf: str, ca_pem: str, *, force: bool
) -> Image:
    from delivery.artifacts import image

    company = image.Company(
        Path(pip_conf).resolve() if pip_conf else None, Path(ca_pem).resolve() if ca_pem else None
    )
    with console.progress() as progress:
        return image.build(
            target_of(environment),
            state_dir=STATE_DIR,
            base=base,
            company=company,
            force=force,
            report=progress.detail,
        )


def _with_a_registry(environment: Environment, *, as_json: bool) -> Cloud:
    if environment.is_sandbox:
        raise BadInput(
            "the sandbox has no registry that takes an image",
            where=f'environment "{environment.name}"',
            remedy="name one with --registry HOST:PORT, or set account_id",
        )
    cloud = reach(environment)
    announce(environment, cloud, as_json=as_json)
    return cloud


def _repository(environment: Environment, cloud: Cloud | None, registry: str) -> str:
    from delivery import image_repository

    if cloud is None:
        return f"{registry}/{image_repository.name(environment)}"
    return image_repository.address(environment, cloud)


def _pushed(
    environment: Environment, cloud: Cloud | None, repository: str, built: Image
) -> dict[str, Any]:
    """Where it is now: ``image`` by its digest, and whether it had to be ``sent``."""
    from delivery import image_repository
    from delivery.artifacts import image

    target, login = target_of(environment), None
    if cloud is not None:
        image_repository.ensure(environment, cloud)
        found = image_repository.digest_of(environment, cloud, tag=built.tag)
        if found:
            image.known_as(built, target, found, state_dir=STATE_DIR)
            return {"image": f"{repository}@{found}", "digest": found, "sent": False}
        login = image_repository.login(environment, cloud)
    sent = image.push(built, target, repository, state_dir=STATE_DIR, login=login)
    return {"image": f"{repository}@{sent.digest}", "digest": sent.digest, "sent": True}


def _say(built: Image) -> None:
    if built.was_built:
        console.line(f"{built.name} {built.id[:12]}, built by {built.builder}")
    else:
        console.line(
            f"{built.name} {built.id[:12]}: its inputs have not changed, nothing was built"
        )
