"""What is published and what is kept: snapshots, channels, verification, collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from invoke.context import Context
from invoke.exceptions import Exit

from delivery import standing
from delivery.errors import BadInput
from delivery.mirror.contents import Contents
from verbs import console, report_contents
from verbs.options import ENV_HELP, JSON_HELP
from verbs.target import announce, environment_named, reach
from verbs.verb import verb

SNAPSHOT_HELP = "a snapshot's id, as inv mirror.snapshots lists it"
DRY_RUN_HELP = "say which API files would change, and change nothing"


@verb(help={"env": ENV_HELP, "json": JSON_HELP})
def snapshots(context: Context, env: str = "dev", json: bool = False) -> None:
    """List what was published: age, contents, what each brought, which channels serve it.

    Example: inv mirror.snapshots --env dev
    """
    found = _contents(env, as_json=json).snapshots()
    if json:
        console.document(found)
    else:
        report_contents.snapshots(found)


@verb(
    help={
        "to": SNAPSHOT_HELP,
        "env": ENV_HELP,
        "channel": "the channel to roll back, by default api/ itself",
        "dry-run": DRY_RUN_HELP,
        "json": JSON_HELP,
    }
)
def rollback(
    context: Context,
    to: str = "",
    env: str = "dev",
    channel: str = "",
    dry_run: bool = False,
    json: bool = False,
) -> None:
    """Serve an older snapshot again, once every bottle of it is known to be there.

    Example: inv mirror.rollback --to 2026-11-22T030000Z --env dev
    """
    answer = _contents(env, as_json=json).rollback(to, channel, dry_run=dry_run)
    _show(answer, report_contents.moved, as_json=json)


@verb(
    help={
        "to": "the channel, of publish.channels; default is api/ itself, after a rollback",
        "snapshot": f"{SNAPSHOT_HELP}; by default what the channel before it serves",
        "env": ENV_HELP,
        "dry-run": DRY_RUN_HELP,
        "json": JSON_HELP,
    }
)
def promote(
    context: Context,
    to: str = "",
    snapshot: str = "",
    env: str = "dev",
    dry_run: bool = False,
    json: bool = False,
) -> None:
    """Let a channel serve a newer snapshot now, without waiting for it to soak.

    Example: inv mirror.promote --to stable --env dev
    """
    answer = _contents(env, as_json=json).promote(to, snapshot, dry_run=dry_run)
    _show(answer, report_contents.moved, as_json=json)


@verb(help={"env": ENV_HELP, "apply": "delete it; without this nothing is", "json": JSON_HELP})
def gc(context: Context, env: str = "dev", apply: bool = False, json: bool = False) -> None:
    """Show what no kept snapshot names; with --apply, drop it after its grace.

    Example: inv mirror.gc --env dev --apply
    """
    answer = _contents(env, as_json=json).collect(apply=apply)
    _show(answer, report_contents.collection, as_json=json)


@verb(
    help={
        "env": ENV_HELP,
        "deep": "hash the bottles, too; without this they are only listed",
        "sample": "hash this many of them, drawn by --seed (means --deep)",
        "seed": "another sample for another number",
        "repair": "fetch what is damaged or gone from upstream again",
        "snapshot": f"{SNAPSHOT_HELP}; the newest by default",
        "run": "go on with the verification of this id, with what it was asked for",
        "json": JSON_HELP,
    }
)
def verify(
    context: Context,
    *,
    env: str = "dev",
    deep: bool = False,
    sample: int = 0,
    seed: int = 0,
    repair: bool = False,
    snapshot: str = "",
    run: str = "",
    json: bool = False,
) -> None:
    """Check the bottles, casks and manifests of a snapshot against what it says of them.

    With --deep manifests are read, too. Exits with 1 when something is damaged and was not
    repaired; what stays so is named first, with the reason.

    Example: inv mirror.verify --env dev --sample 100 --repair
    """
    if sample < 0:
        raise BadInput(
            f"a sample of {sample} cannot be drawn",
            where="--sample",
            remedy="give the number of bottles to hash, or --deep for all of them",
        )
    request = {
        "deep": deep or bool(sample),
        "sample": sample or None,
        "seed": seed,
        "repair": repair,
        "snapshot": snapshot,
        "run": run,
    }
    answer = _contents(env, as_json=json).verify(request, report_contents.so_far)
    _show(answer, report_contents.verification, as_json=json)
    if answer["damaged"] > answer["repaired"]:
        raise Exit(code=1)


@verb(
    help={
        "env": ENV_HELP,
        "noted": "sha256:… that an earlier audit told of the newest; it must still be there",
        "json": JSON_HELP,
    }
)
def audit(context: Context, env: str = "dev", noted: str = "", json: bool = False) -> None:
    """Prove that no published set was rewritten: the chain of snapshots, and all their files.

    Each snapshot vouches for those before it; note down the newest one's digest elsewhere, since
    nothing in the bucket vouches for that one. Exits with 1 at a break.

    Example: inv mirror.audit --env dev
    """
    answer = _contents(env, as_json=json).audit(noted)
    _show(answer, report_contents.audit, as_json=json)
    if not answer["intact"]:
        raise Exit(code=1)


def _contents(env: str, *, as_json: bool) -> Contents:
    environment = environment_named(env)
    cloud = reach(environment)
    announce(environment, cloud, as_json=as_json)
    return Contents(cloud, standing.deployed(environment, cloud))


def _show(answer: Mapping[str, Any], tell: report_contents.Teller, *, as_json: bool) -> None:
    if as_json:
        console.document(answer)
    else:
        tell(answer)
