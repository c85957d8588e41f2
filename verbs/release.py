"""Releases: what is new in one."""

from __future__ import annotations

from dataclasses import asdict

from invoke.context import Context

from delivery.paths import ROOT
from verbs import console
from verbs.options import JSON_HELP
from verbs.target import environment_named, reach
from verbs.verb import verb


@verb(
    help={
        "from": "the older release, commit or tag (default: the release before, or the last tag)",
        "to": "the newer one (default: what is in service there, or this checkout)",
        "env": "the environment whose history knows the releases; without it git alone is asked",
        "json": JSON_HELP,
    }
)
def notes(
    context: Context, from_: str = "", to: str = "", env: str = "", json: bool = False
) -> None:
    """Write what is new between two releases, from CHANGELOG.md and the commits, as Markdown.

    Example: inv release.notes --env prod
    """
    from delivery.releases import notes as written
    from verbs import report_history

    older, newer = _in_history(env, from_, to) if env else _in_git(from_, to)
    found = written.between(ROOT, older, newer)
    if json:
        console.document(asdict(found))
    else:
        report_history.notes(found)


def _in_history(env: str, older: str, newer: str) -> tuple[str, str]:
    """The commits of two releases that the environment's history knows."""
    from delivery import state_bucket
    from delivery.releases import history
    from delivery.releases import notes as written

    environment = environment_named(env)
    cloud = reach(environment)
    bucket = state_bucket.name(environment.project, environment.name, cloud.account_id)
    records = list(history.newest_first(cloud, bucket, environment.name))
    if older and newer:
        return written.deployed(records, older), written.deployed(records, newer)
    before, latest = written.newest_two(records, cloud.describe())
    return (
        written.deployed(records, older) if older else before,
        written.deployed(records, newer) if newer else latest,
    )


def _in_git(older: str, newer: str) -> tuple[str, str]:
    from delivery.releases import commits

    newest = newer or "HEAD"
    return older or commits.newest_tag(ROOT, newest), newest
