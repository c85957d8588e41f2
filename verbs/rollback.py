"""`inv rollback`: back to what an environment had."""

from __future__ import annotations

from dataclasses import asdict

from invoke.context import Context

from delivery.progress import Steps
from verbs import console, report_rollback
from verbs.options import ENV_HELP, JSON_HELP, WAIT_HELP
from verbs.target import announce, environment_named, reach
from verbs.verb import verb


@verb(
    help={
        "env": ENV_HELP,
        "to": "a deploy's number or the beginning of a release's id (default: the one before)",
        "dry-run": "show where it would go and what Terraform would do; nothing is changed",
        "wait": WAIT_HELP,
        "json": JSON_HELP,
    }
)
def rollback(
    context: Context,
    env: str = "",
    to: str = "",
    dry_run: bool = False,
    wait: int = 0,
    json: bool = False,
) -> None:
    """Go back to an earlier deploy: its versions serve at once, then Terraform follows.

    Example: inv rollback --env prod --to 41
    """
    from delivery.deploy import rollback as rollbacks

    environment = environment_named(env)
    cloud = reach(environment)
    announce(environment, cloud, as_json=json)
    with console.progress() as progress:
        outcome = rollbacks.roll_back(
            environment, cloud, Steps(progress), to=to, dry_run=dry_run, patience_seconds=wait
        )
    if json:
        console.document(asdict(outcome))
    else:
        report_rollback.rollback(outcome)
