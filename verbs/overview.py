"""Looking back and across: what was deployed when, and how two environments differ."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from itertools import islice

from invoke.context import Context

from delivery.errors import BadInput
from delivery.paths import ROOT
from verbs import console
from verbs.options import ENV_HELP, JSON_HELP
from verbs.target import announce, environment_named, reach
from verbs.verb import verb


@verb(
    help={
        "env": ENV_HELP,
        "limit": "how many records, the newest first; 0 for all",
        "json": JSON_HELP,
    }
)
def history(context: Context, env: str = "", limit: int = 20, json: bool = False) -> None:
    """Show every deploy, rollback and destroy of an environment, the newest first.

    Example: inv history --env prod --limit 5
    """
    from delivery import state_bucket
    from delivery.releases import history as records
    from verbs import report_history

    environment = environment_named(env)
    cloud = reach(environment)
    announce(environment, cloud, as_json=json)
    bucket = state_bucket.name(environment.project, environment.name, cloud.account_id)
    found = records.newest_first(cloud, bucket, environment.name)
    shown = list(islice(found, limit if limit > 0 else None))
    if json:
        console.document([asdict(record) for record in shown])
    else:
        report_history.records(shown, environment.name)


@verb(
    help={"env": "given twice: the two environments to compare", "json": JSON_HELP},
    iterable=["env"],
)
def diff(context: Context, env: Iterable[str] | None = None, json: bool = False) -> None:
    """Show how two environments differ: release, commits, components, configuration, Terraform.

    Example: inv diff --env staging --env prod
    """
    from delivery import comparison
    from verbs import report_history

    names = list(env or ())
    if len(names) != 2:
        told = ", ".join(f'"{name}"' for name in names) or "none"
        raise BadInput(
            f"two environments are compared, not {told}",
            where="--env",
            remedy="inv diff --env staging --env prod",
        )
    left, right = (comparison.Side(each, reach(each)) for each in map(environment_named, names))
    for side in (left, right):
        announce(side.environment, side.cloud, as_json=json)
    found = comparison.compare(left, right, ROOT)
    if json:
        console.document(asdict(found))
    else:
        report_history.comparison(found)
