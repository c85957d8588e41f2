"""From `--env` to an environment that can be talked to: configuration, then its cloud."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from delivery.config import effective, loading
from delivery.environment import Environment
from delivery.errors import BadInput
from delivery.paths import CONFIG_FILE, ROOT
from verbs import console

if TYPE_CHECKING:  # A build needs no cloud.
    from delivery.cloud import Cloud


def environment_named(name: str, config: Path | None = None) -> Environment:
    """The effective settings of one environment of config/airbrew.yaml, or of another file."""
    return effective.effective(loading.load(config or CONFIG_FILE), name)


def environments() -> list[Environment]:
    """The effective settings of every environment of config/airbrew.yaml, in its order."""
    return list(effective.validated(loading.load(CONFIG_FILE)).values())


def reach(environment: Environment, report: Callable[[str], None] = console.note) -> Cloud:
    """The environment's cloud: AWS when it names an account, else the sandbox, started if need be.

    Raises:
        WrongAccount: the credentials at hand are not those of the account it names.
        SandboxError: the sandbox did not start.
    """
    from delivery import cloud as clouds

    if environment.account_id is not None:
        from delivery import process_environment

        return clouds.aws(environment.account_id, environment.region, process_environment.current())
    from sandbox import cloud as local

    found = local.up(ROOT, report=report)
    return clouds.Cloud(
        kind="sandbox",
        account_id=found.account_of(environment.name),
        region=environment.region,
        variables=found.process_environment(environment.name, environment.region),
        upstream={
            "api_url": found.api_url,
            "registry_url": found.registry_url,
            "signing_key_pem": found.public_key_pem,
        },
    )


def destination(environment: Environment) -> tuple[str, Mapping[str, str]]:
    """The environment's account and sample upstream; nothing in AWS is asked for either."""
    if environment.account_id is not None:
        return environment.account_id, {}
    cloud = reach(environment)
    return cloud.account_id, cloud.upstream


def announce(environment: Environment, cloud: Cloud, *, as_json: bool = False) -> None:
    """The first line of every run: environment, cloud, account, region."""
    text = f"{environment.name}: {cloud.describe()}"
    (console.note if as_json else console.line)(text)


def sandbox_only(cloud: Cloud, option: str) -> None:
    """Refuse an option that needs the sandbox.

    Raises:
        BadInput: the cloud is AWS.
    """
    if not cloud.is_sandbox:
        raise BadInput(
            f"{option} is served by the sandbox's sample upstream; this environment is in AWS",
            where=cloud.describe(),
            remedy=f"leave {option} out, or use an environment without account_id",
        )
