"""Looking before a deploy, and after one: what would be done, and what is not as it was done."""

from __future__ import annotations

from dataclasses import asdict

from invoke.context import Context

from delivery import deployment
from delivery.progress import Steps
from verbs import console, report
from verbs.main import ENV_HELP, JSON_HELP
from verbs.target import announce, environment_named, reach
from verbs.verb import verb


@verb(help={"env": ENV_HELP, "json": JSON_HELP})
def plan(context: Context, env: str = "", json: bool = False) -> None:
    """Show what a deploy would do, whether it may, what it costs, and the digest to approve.

    Example: inv plan --env prod
    """
    environment = environment_named(env)
    cloud = reach(environment)
    announce(environment, cloud, as_json=json)
    with console.progress() as progress:
        outcome = deployment.plan(environment, cloud, Steps(progress))
    if json:
        console.document(asdict(outcome))
    else:
        report.deploy(outcome)
