"""The sync worker's image: what Fargate runs for a large sync."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from invoke.context import Context

from delivery.checkout import target_of
from delivery.paths import STATE_DIR
from verbs import console
from verbs.options import ENV_HELP, JSON_HELP
from verbs.target import environment_named
from verbs.verb import verb


@verb(
    help={
        "env": ENV_HELP,
        "base": "start from this image instead of the one that the Dockerfile pins",
        "pip-conf": "pip's configuration for the build, where the index is not the public one",
        "ca-pem": "certificates for it, which the configuration names as /run/secrets/ca.pem",
        "json": JSON_HELP,
    }
)
def build(
    context: Context,
    env: str = "dev",
    base: str = "",
    pip_conf: str = "",
    ca_pem: str = "",
    json: bool = False,
) -> None:
    """Build the image of docker/sync-worker with Docker, or with buildah where there is none.

    Example: inv image.build --env prod
    """
    from delivery.artifacts import image  # noqa: PLC0415 - as the other builders: for its verb

    company = image.Company(
        Path(pip_conf).resolve() if pip_conf else None, Path(ca_pem).resolve() if ca_pem else None
    )
    with console.progress() as progress:
        built = image.build(
            target_of(environment_named(env)),
            state_dir=STATE_DIR,
            base=base,
            company=company,
            report=progress.detail,
        )
    if json:
        console.document(asdict(built))
    else:
        console.line(f"{built.name} {built.id[:12]}, built by {built.builder}")
        console.line(
            "push it to your registry, then set task.image to its name@sha256:digest there"
        )
