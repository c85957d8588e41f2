"""Letting GitHub's workflows into an account without a key: set it up, and explain a refusal."""

from __future__ import annotations

import sys
from dataclasses import asdict

from invoke.context import Context
from invoke.exceptions import Exit

from delivery.progress import Steps
from verbs import console, report_oidc
from verbs.options import ENV_HELP, JSON_HELP
from verbs.target import announce, environment_named, environments, reach
from verbs.verb import verb


@verb(
    help={
        "env": ENV_HELP,
        "dry-run": "show what would be made and stop; nothing is created",
        "json": JSON_HELP,
    }
)
def bootstrap(context: Context, env: str = "", dry_run: bool = False, json: bool = False) -> None:
    """Let the repository of `github.repository` into an account: provider, roles, boundary.

    Once per account, with a person's credentials; again when `github` in the configuration
    has changed.

    Example: inv oidc.bootstrap --env dev --dry-run
    """
    from delivery.oidc import bootstrap as making

    environment = environment_named(env)
    cloud = reach(environment)
    announce(environment, cloud, as_json=json)
    with console.progress() as progress:
        made = making.bootstrap(environment, cloud, Steps(progress), dry_run=dry_run)
    if json:
        console.document(asdict(made))
    else:
        report_oidc.bootstrap(made)


@verb(
    help={
        "claims": "a file with the claims or the token, either of them itself, or - for stdin;"
        " --claims itself may be left out",
        "env": f"{ENV_HELP} (default: all that let a repository in)",
        "json": JSON_HELP,
    },
)
def explain(context: Context, claims: str = "", env: str = "", json: bool = False) -> None:
    """Say which role lets a workflow's token in; if none, which condition refused and what to do.

    The token is read and never shown; its signature is not looked at.

    Example: inv oidc.explain claims.json --env dev
    """
    from delivery.oidc import access, explanation
    from delivery.oidc import claims as claiming

    found = claiming.read(claims, sys.stdin)
    answers = []
    for environment in [environment_named(env)] if env else access.open_to_github(environments()):
        answers += explanation.explain(environment, reach(environment), found)
    if json:
        console.document({"sub": found["sub"], "answers": [asdict(each) for each in answers]})
    else:
        report_oidc.explanation(str(found["sub"]), answers)
    if not any(each.accepted for each in answers):
        raise Exit(code=1)
