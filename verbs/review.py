"""Looking before a deploy, and after one: what would be done, and what is not as it was done."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from invoke.context import Context
from invoke.exceptions import Exit

from delivery.deploy import deployment
from delivery.progress import Steps
from verbs import console, report, report_plan
from verbs.options import ENV_HELP, JSON_HELP, WAIT_HELP
from verbs.origin import FROM_HELP, RELEASE_HELP, origin_of, words
from verbs.target import announce, environment_named, reach
from verbs.verb import verb

# As `terraform plan -detailed-exitcode`.
DRIFTED = 2


@verb(
    help={
        "env": ENV_HELP,
        "release": RELEASE_HELP,
        "from": FROM_HELP,
        "wait": WAIT_HELP,
        "json": JSON_HELP,
    }
)
def plan(
    context: Context,
    env: str = "",
    release: str = "",
    from_: str = "",
    wait: int = 0,
    json: bool = False,
) -> None:
    """Show what a deploy would do, whether it may, what it costs, and the digest to approve.

    Example: inv plan --env prod
    """
    environment = environment_named(env)
    cloud = reach(environment)
    announce(environment, cloud, as_json=json)
    origin = origin_of(environment, cloud, release, from_)
    with console.progress() as progress:
        outcome = deployment.plan(
            environment, cloud, Steps(progress), origin=origin, patience_seconds=wait
        )
    if json:
        console.document(asdict(outcome))
    else:
        report.planned(outcome, words(release, from_))


@verb(
    help={
        "env": ENV_HELP,
        "fix": "put back what drifted: deploy the last good deploy once more",
        "approve": "with --fix, where approval is required: the digest that inv drift told",
        "wait": WAIT_HELP,
        "json": JSON_HELP,
    }
)
def drift(
    context: Context,
    env: str = "",
    fix: bool = False,
    approve: str = "",
    wait: int = 0,
    json: bool = False,
) -> None:
    """Show what is not as the last deploy left it, and who changed it; exit 2 when there is any.

    Example: inv drift --env prod
    """
    from delivery.drift import looking
    from verbs import report_drift

    environment = environment_named(env)
    cloud = reach(environment)
    announce(environment, cloud, as_json=json)
    with console.progress() as progress:
        found = looking.look(environment, cloud, Steps(progress), patience_seconds=wait)
    if not json:
        report_drift.drift(found)
    if not fix or not found.mendable:
        _end(found.as_json(), json=json, is_left=bool(found.drift))
        return
    if not json:
        report_plan.review(found.review)
    with console.progress() as progress:
        result = looking.mend(found, environment, cloud, Steps(progress), approved=approve)
    if not json:
        report_drift.mended(result)
    _end(result.report.as_json(), json=json, is_left=bool(result.left))


def _end(document: dict[str, Any], *, json: bool, is_left: bool) -> None:
    if json:
        console.document(document)
    if is_left:
        raise Exit(code=DRIFTED)
