"""Secrets and variables of an environment: are they all there and young, and a new one in place."""

from __future__ import annotations

import getpass
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from invoke.context import Context
from invoke.exceptions import Exit

from delivery import process_environment
from delivery.environment import Environment
from delivery.progress import Steps
from verbs import console, report_secrets
from verbs.options import ENV_HELP, JSON_HELP
from verbs.target import announce, environment_named, reach
from verbs.verb import verb

if TYPE_CHECKING:
    from delivery.secrets.at_github import AtGitHub


@verb(help={"env": ENV_HELP, "json": JSON_HELP})
def check(context: Context, env: str = "", json: bool = False) -> None:
    """Say whether every secret is there, well formed and young enough; exit 1 where one is not.

    Values are never shown. What is to be rotated within two weeks is told, too.

    Example: inv secrets.check --env prod --json
    """
    from delivery.secrets import checking

    environment = environment_named(env)
    cloud = reach(environment)
    announce(environment, cloud, as_json=json)
    found = checking.check(environment, cloud, _github(environment))
    if json:
        console.document([asdict(each) for each in found])
    else:
        report_secrets.checked(found)
    if any(each.is_failing for each in found):
        raise Exit(code=1)


@verb(
    help={
        "env": ENV_HELP,
        "name": "the secret's name; its new value is read from standard input",
        "dry-run": "show what is left to do and stop; no value is asked for",
        "json": JSON_HELP,
    }
)
def rotate(
    context: Context, env: str = "", name: str = "", dry_run: bool = False, json: bool = False
) -> None:
    """Put a new value in the place of a secret's old one: tried first, in both places, resumable.

    The old one is given up when its issuer no longer takes it. After a kill the same command
    goes on from there.

    Example: inv secrets.rotate --env prod --name SLACK_WEBHOOK_URL
    """
    from delivery.secrets.rotation import Rotation

    environment = environment_named(env)
    cloud = reach(environment)
    announce(environment, cloud, as_json=json)
    rotation = Rotation(environment, cloud, _github(environment), ask=_new_value)
    if dry_run:
        done = rotation.plan(name)
    else:
        with console.progress() as progress:
            done = rotation.carry_out(name, Steps(progress))
    if json:
        console.document(asdict(done))
    else:
        report_secrets.rotated(done)


def _github(environment: Environment) -> AtGitHub | None:
    from delivery.secrets.at_github import AtGitHub

    github = environment.settings["github"]
    if github["repository"] is None:
        return None
    access = process_environment.github()
    return AtGitHub(
        github["repository"],
        github["environment"] or environment.name,
        token=access.token,
        api=access.api,
    )


def _new_value() -> str:
    if sys.stdin.isatty():
        return getpass.getpass("new value (not shown): ")
    return sys.stdin.read()
