"""The verbs that change an environment, or look at one: deploy, status, destroy."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from invoke.context import Context
from invoke.exceptions import Exit

from delivery import standing
from delivery.cloud import Cloud
from delivery.deploy import deployment
from delivery.environment import Environment
from delivery.progress import Steps
from sandbox.errors import SandboxError
from verbs import console, report
from verbs.options import ENV_HELP, JSON_HELP, WAIT_HELP
from verbs.origin import FROM_HELP, RELEASE_HELP, origin_of
from verbs.target import announce, environment_named, environments, reach
from verbs.verb import verb

if TYPE_CHECKING:
    from delivery.deploy.destruction import Destruction


@verb(
    help={
        "env": ENV_HELP,
        "release": RELEASE_HELP,
        "from": FROM_HELP,
        "dry-run": "show the plan and stop; nothing is created, not even the state bucket",
        "approve": "the digest that inv plan told: apply exactly that, and nothing else",
        "force": "deploy even when nothing changed since the last deploy",
        "wait": WAIT_HELP,
        "json": JSON_HELP,
    }
)
def deploy(  # noqa: PLR0917 - each is an option of the command line
    context: Context,
    env: str = "",
    release: str = "",
    from_: str = "",
    dry_run: bool = False,
    approve: str = "",
    force: bool = False,
    wait: int = 0,
    json: bool = False,
) -> None:
    """Bring an environment to a release: build, apply, smoke-test, let it serve, check, record.

    Example: inv deploy --env prod --from staging
    """
    environment = environment_named(env)
    cloud = reach(environment)
    announce(environment, cloud, as_json=json)
    origin = origin_of(environment, cloud, release, from_)
    with console.progress() as progress:
        outcome = deployment.deploy(
            environment,
            cloud,
            Steps(progress),
            deployment.Wish(
                origin=origin,
                approved=approve,
                dry_run=dry_run,
                force=force,
                patience_seconds=wait,
            ),
        )
    if json:
        console.document(asdict(outcome))
    else:
        report.deploy(outcome)


@verb(help={"env": f"{ENV_HELP}; without it, all side by side", "json": JSON_HELP})
def status(context: Context, env: str = "", json: bool = False) -> None:
    """Show what is deployed, what the mirror holds, how fresh it is, and the last sync.

    Example: inv status --env dev
    """
    if not env:
        _side_by_side(as_json=json)
        return
    environment = environment_named(env)
    cloud = reach(environment)
    announce(environment, cloud, as_json=json)
    found = standing.of(environment, cloud)
    if json:
        console.document(asdict(found))
    else:
        report.standing(found)


def _side_by_side(*, as_json: bool) -> None:
    from delivery import overview
    from verbs import report_history

    columns = overview.of(environments(), reach, unreachable=(SandboxError,))
    if as_json:
        console.document([asdict(each) for each in columns])
    else:
        report_history.side_by_side(columns)


@verb(
    help={
        "env": ENV_HELP,
        "yes": "do not ask",
        "delete-data": "delete the mirror's bucket and all that it holds, too",
        "dry-run": "show what would go and what would stay; nothing is changed, and nothing asked",
        "wait": WAIT_HELP,
        "json": JSON_HELP,
    }
)
def destroy(
    context: Context,
    env: str = "",
    yes: bool = False,
    delete_data: bool = False,
    dry_run: bool = False,
    wait: int = 0,
    json: bool = False,
) -> None:
    """Take an environment down; the mirror's bucket stays unless --delete-data is given.

    Example: inv destroy --env dev --delete-data
    """
    from delivery.deploy import destruction

    environment = environment_named(env)
    cloud = reach(environment)
    announce(environment, cloud, as_json=json)
    if dry_run:
        outcome = destruction.preview(environment, cloud, delete_data=delete_data)
    else:
        outcome = _destroyed(environment, cloud, wait, yes=yes, delete_data=delete_data)
    if json:
        console.document(asdict(outcome))
    else:
        report.destroyed(outcome)


def _destroyed(
    environment: Environment, cloud: Cloud, wait: int, *, yes: bool, delete_data: bool
) -> Destruction:
    """The outcome, once whoever is at the terminal has agreed."""
    from delivery.deploy import destruction

    doomed = "everything, its bottles included" if delete_data else "all but its bucket"
    if not yes and not console.confirm(f"Destroy {environment.name}: {doomed}?"):
        raise Exit("nothing was destroyed", code=1)
    with console.progress() as progress:
        return destruction.destroy(
            environment, cloud, Steps(progress), delete_data=delete_data, patience_seconds=wait
        )
