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
from delivery.mirror.content import DEFAULT_CHANNEL
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
    channel: str = "",
    as_json: bool,
    **options: Any,
) -> Iterator[Target]:
    """A mirror at an address, or an environment's bucket, served here while the probe runs.

    An environment brings along what the snapshot holds that ``api/`` or the channel serves, casks
    and bottles of other taps included, and its key; what was asked for goes first. Any other
    mirror is held to no cask and no tap that was not asked for.

    Raises:
        BadInput: both were named, or neither; or the channel serves nothing.
    """
    if url and env:
        raise BadInput(
            f'"{url}" and environment "{env}" are two mirrors',
            where="--url, --env",
            remedy="probe one after the other",
        )
    if channel and not env:
        raise BadInput(
            "--channel goes with --env",
            where="--channel",
            remedy=f"for a mirror at an address: --api URL/channels/{channel}/api",
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
    snapshot = _served(cloud, bucket, channel)
    platforms = platforms or _platforms(environment, cloud, bucket, snapshot)
    tapped = _of_files(tap_files, platforms)
    with serving.serving(cloud, bucket) as served:
        if channel and channel != DEFAULT_CHANNEL:
            options["api_url"] = f"{served}/channels/{channel}/api"
        asked = Target(served, platforms, tapped=tapped, **options)
        yield _with_what_is_held(asked, cloud, bucket, snapshot)


def _served(cloud: Cloud, bucket: str, channel: str) -> str:
    """The snapshot that the channel, or ``api/``, serves; empty where nothing was published."""
    if not channel:
        return content.served(cloud, bucket) or ""
    found = content.channels(cloud, bucket)
    if channel not in found:
        raise BadInput(
            f'channel "{channel}" serves nothing ({", ".join(sorted(found)) or "nor does any"})',
            where="--channel",
            remedy="name one that `inv mirror.snapshots` lists",
        )
    return found[channel]


def _platforms(environment: Environment, cloud: Cloud, bucket: str, snapshot: str) -> Sequence[str]:
    """Those of the snapshot: what was configured since is not there yet."""
    if snapshot:
        return content.platforms(cloud, bucket, snapshot)
    configured: Sequence[str] = environment.settings["selection"]["platforms"]
    return configured


def _with_what_is_held(asked: Target, cloud: Cloud, bucket: str, snapshot: str) -> Target:
    """The target with what the snapshot holds in the place of what nobody asked for."""
    from delivery.probe import gate, taps

    everything = content.everything(cloud, bucket, snapshot) if snapshot else []
    told = content.casks(cloud, bucket, snapshot) if snapshot else NO_CASKS
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
