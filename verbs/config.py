"""config/airbrew.yaml: is it right, what is in force, what Terraform gets, how it is documented."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from invoke.context import Context

from delivery import pages
from delivery.checkout import Checkout
from delivery.config import effective, loading, reference, rendering, selection
from delivery.deploy import settings
from delivery.paths import CONFIG_FILE, shown
from verbs import console, report
from verbs.target import destination, environment_named
from verbs.verb import verb

ENV_HELP = "dev, staging or prod, as named in config/airbrew.yaml"
JSON_HELP = "print one JSON document instead of text"
CONFIG_HELP = "another file than config/airbrew.yaml"


@verb(help={"config": CONFIG_HELP, "json": JSON_HELP})
def validate(context: Context, config: str = "", json: bool = False) -> None:
    """Check the configuration; tell everything that is wrong with it at once.

    Example: inv config.validate --config proposal.yaml
    """
    file = Path(config) if config else CONFIG_FILE
    environments = effective.validated(loading.load(file))
    if json:
        console.document({"file": shown(file), "environments": list(environments)})
    else:
        console.line(f"{shown(file)} is right: {', '.join(environments)}")
        told = [note for each in environments.values() for note in selection.notes(each)]
        for note in dict.fromkeys(told):
            console.line(f"  note: {note}")


@verb(help={"env": ENV_HELP, "config": CONFIG_HELP, "json": JSON_HELP})
def show(context: Context, env: str = "", config: str = "", json: bool = False) -> None:
    """Show every setting in force in an environment, and the line that it comes from.

    Example: inv config.show --env dev
    """
    environment = environment_named(env, Path(config) if config else None)
    if json:
        console.document(asdict(environment))
    else:
        report.settings(environment)


@verb(help={"env": ENV_HELP, "json": JSON_HELP})
def render(context: Context, env: str = "", json: bool = False) -> None:
    """Write what Terraform gets: terraform.tfvars.json in the environment's root.

    Artifacts that are not built yet are built. An environment in AWS is not contacted; one in
    the sandbox starts it, because the address of its sample upstream is a setting.

    Example: inv config.render --env dev
    """
    environment = environment_named(env)
    account_id, upstream = destination(environment)
    checkout = Checkout()
    built = checkout.build(environment, console.note)
    digests = {name: each.sha256 for name, each in built.items()}
    wanted = settings.of(environment, account_id, upstream, digests)
    file = checkout.settings_file(environment)
    was_written = rendering.write(file, wanted)
    if json:
        console.document({"file": shown(file), "written": was_written, "settings": wanted})
    else:
        console.line(f"{shown(file)}: {'written' if was_written else 'was current'}")


@verb(help={"check": "change nothing; exit 1 when the page is not current"})
def docs(context: Context, check: bool = False) -> None:
    """Write docs/reference/configuration.md from config/schema.yaml.

    Example: inv config.docs --check
    """
    was_current = pages.fill(reference.PAGE, reference.tables(), check=check)
    report.page(reference.PAGE, "config.docs", was_current=was_current, check=check)
