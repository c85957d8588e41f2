"""From `--release` and `--from` to the release that is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from delivery.cloud import Cloud
from delivery.environment import Environment
from verbs.target import environment_named, reach

if TYPE_CHECKING:  # A deploy of the checkout needs neither store nor manifest.
    from delivery.releases.origin import Origin

RELEASE_HELP = "the beginning of a release's id (default: one made of this checkout)"
FROM_HELP = "take the release from this environment (default: the one that stands there)"


def words(release: str, source: str) -> str:
    """The options as they were typed, for a command that is to mean the same release."""
    options = {"--release": release, "--from": source}
    return "".join(f" {name} {value}" for name, value in options.items() if value)


def origin_of(environment: Environment, cloud: Cloud, release: str, source: str) -> Origin | None:
    """Where the release lies that the options name; None for the checkout's own.

    Raises:
        UnknownRelease, BadInput: there is none like that.
    """
    if not release and not source:
        return None
    from delivery.releases import origin

    if source and source != environment.name:
        environment = environment_named(source)
        cloud = reach(environment)
    return origin.find(environment, cloud, release)
