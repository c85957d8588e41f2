"""What a probe is aimed at: an address, or an environment with all that it holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from delivery import standing
from delivery.cloud import Cloud
from delivery.config import rendering
from delivery.environment import Environment
from delivery.errors import BadInput
from delivery.mirror import content, serving
from delivery.mirror.bottles import Bottle
from delivery.probe.targets import Casks, Target
from verbs.target import announce, environment_named, reach

if TYPE_CHECKING:
    from delivery.probe.gate import Proof

DEFAULT_PLATFORM = "arm64_tahoe"
NO_CASKS: Mapping[str, Any] = {"casks": [], "left_out": []}

# Of a mirror that holds more, a sample is played.
ALL_PLAYED = 25


@contextmanager
def aimed(
    url: str,
    env: str,
    platforms: Sequence[str],
    formulae: Sequence[str],
    *,
    casks: Sequence[str] = (),
    tap_files: Sequence[str] = (),
    as_json: bool,
    **options: Any,
) -> Iterator[Target]:
    """A mirror at an address, or an environment's bucket, served here while the probe runs.

    An environment brings what its newest snapshot holds along, casks and bottles of other taps
    included, and its key; what was asked for goes first. Any other mirror is held to no cask and
    no tap that was not asked for.

    Raises:
        BadInput: both were named, or neither.
    """
    if url and env:
        raise BadInput(
            f'"{url}" and environment "{env}" are two mirrors',
            where="--url, --env",
            remedy="probe one after the other",
        )
    options |= {"formulae": formulae, "casks": Casks(tuple(casks))}
    if not env:
        platforms = platforms or [DEFAULT_PLATFORM]
        yield Target(url, platforms, tapped=_of_files(tap_files, platforms), **options)
        return
    environment = environment_named(env)
    cloud = reach(environment)
    announce(environment, cloud, as_json=as_json)
    bucket = standing.deployed(environment, cloud)["mirror_bucket"]
    options["public_key_pem"] = options["public_key_pem"] or _signing_key(environment, cloud)
    platforms = platforms or environment.settings["selection"]["platforms"]
    tapped = _of_files(tap_files, platforms)
    with serving.serving(cloud, bucket) as served:
        asked = Target(served, platforms, tapped=tapped, **options)
        yield _with_what_is_held(asked, cloud, bucket)


def _with_what_is_held(asked: Target, cloud: Cloud, bucket: str) -> Target:
    """The target with what the newest snapshot holds in the place of what nobody asked for."""
    from delivery.probe import gate, taps

    newest = content.latest_snapshot(cloud, bucket)
    everything = content.everything(cloud, bucket, newest.id) if newest else []
    told = content.casks(cloud, bucket, newest.id) if newest else NO_CASKS
    known = gate.casks(told, most=0 if asked.formulae else ALL_PLAYED)
    casks = replace(known, tokens=asked.casks.tokens or known.tokens)
    if asked.formulae:
        return replace(asked, casks=casks)
    held = content.of_core(everything)
    names = list(dict.fromkeys(each["formula"] for each in held))
    return replace(
        asked,
        formulae=names if len(names) <= ALL_PLAYED else gate.few(held),
        held=gate.names(held),
        casks=casks,
        tapped=asked.tapped or taps.held(everything)[:ALL_PLAYED],
    )


def _of_files(files: Sequence[str], platforms: Sequence[str]) -> list[Bottle]:
    """The bottles that the files of taps name.

    Raises:
        BadInput: a file cannot be used.
    """
    if not files:
        return []
    from delivery.config.taps import UnfitTap
    from delivery.probe import taps

    try:
        return [bottle for file in files for bottle in taps.of_file(file, platforms)]
    except UnfitTap as error:
        raise BadInput(error.problem, where="--tap-file", remedy=error.remedy) from error


def prove(environment: Environment, cloud: Cloud, bucket: str, snapshot: str) -> Proof:
    """The probe after a publish.

    Raises:
        SmokeTestFailed: a client breaks.
    """
    from delivery.probe import gate

    return gate.check(
        cloud,
        bucket,
        snapshot,
        public_key_pem=_signing_key(environment, cloud),
        environment=environment.name,
    )


def _signing_key(environment: Environment, cloud: Cloud) -> str:
    return rendering.upstream(environment, cloud.upstream)["signing_key_pem"]
