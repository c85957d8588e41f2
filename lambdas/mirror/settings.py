"""What the mirror is to do: the only reader of environment variables in this half."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from mirror import addresses
from mirror.errors import BadSettings
from mirror.taps import TapFormula

_PLATFORM = re.compile(r"[a-z0-9_]{1,64}")


@dataclass(frozen=True)
class Environment:
    """Where the functions find everything else.

    Args:
        endpoint_url: of the sandbox's AWS; empty in AWS.
    """

    bucket: str
    settings_key: str
    endpoint_url: str

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Self:
        """From ``AIRBREW_BUCKET``, ``AIRBREW_SETTINGS_KEY`` and boto3's ``AWS_ENDPOINT_URL``.

        Raises:
            BadSettings: one of ours is missing.
        """
        missing = [
            name for name in ("AIRBREW_BUCKET", "AIRBREW_SETTINGS_KEY") if not variables.get(name)
        ]
        if missing:
            raise BadSettings(
                f"{' and '.join(missing)} not set",
                where="the function's environment variables",
                remedy="deploy again: Terraform sets them",
            )
        endpoint = variables.get("AWS_ENDPOINT_URL_S3") or variables.get("AWS_ENDPOINT_URL", "")
        return cls(variables["AIRBREW_BUCKET"], variables["AIRBREW_SETTINGS_KEY"], endpoint)


@dataclass(frozen=True)
class TaskOrder:
    """What a task is to carry, and by which token it answers."""

    batches_key: str
    token: str

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Self:
        """From ``AIRBREW_BATCHES_KEY`` and ``AIRBREW_TASK_TOKEN``.

        Raises:
            BadSettings: one of them is missing.
        """
        names = ("AIRBREW_BATCHES_KEY", "AIRBREW_TASK_TOKEN")
        missing = [name for name in names if not variables.get(name)]
        if missing:
            raise BadSettings(
                f"{' and '.join(missing)} not set",
                where="the task's environment variables",
                remedy="start a sync: the state machine runs the task with both",
            )
        return cls(*(variables[name] for name in names))


@dataclass(frozen=True)
class Upstream:
    """Whom to mirror, and whose signature counts."""

    api_url: str
    registry_url: str
    signing_key_pem: str


@dataclass(frozen=True)
class Selection:
    """What to mirror: bottle tags; names, globs or ``*``; what to leave out again.

    Args:
        max_bottle_mib: larger bottles are left out; 0 takes every size.
        portable_ruby: whether the Ruby that brew installs for itself comes with the rest.
        portable_ruby_versions: manifest tags of older ones to keep besides.
        casks, exclude_casks: tokens or globs.
        taps: formulae of other taps, all of which are wanted.
        is_asked: whether a dry run asked for these formulae instead of the configured ones.
    """

    platforms: tuple[str, ...]
    formulae: tuple[str, ...]
    include_dependencies: bool
    exclude: tuple[str, ...] = ()
    include_deprecated: bool = False
    include_disabled: bool = False
    max_bottle_mib: int = 0
    portable_ruby: bool = False
    portable_ruby_versions: tuple[str, ...] = ()
    casks: tuple[str, ...] = ()
    exclude_casks: tuple[str, ...] = ()
    taps: tuple[TapFormula, ...] = ()
    is_asked: bool = False

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """From ``settings/<sha256>.json``; a key that an older deploy left out has its default.

        Raises:
            KeyError, TypeError, ValueError: it is not a selection.
        """
        return cls(
            platforms=_texts(document["platforms"]),
            formulae=_texts(document["formulae"]),
            include_dependencies=bool(document["include_dependencies"]),
            exclude=_texts(document.get("exclude", ())),
            include_deprecated=bool(document.get("include_deprecated", False)),
            include_disabled=bool(document.get("include_disabled", False)),
            max_bottle_mib=int(document.get("max_bottle_mib", 0)),
            portable_ruby=bool(document.get("portable_ruby", False)),
            portable_ruby_versions=_texts(document.get("portable_ruby_versions", ())),
            casks=_texts(document.get("casks", ())),
            exclude_casks=_texts(document.get("exclude_casks", ())),
            taps=tuple(TapFormula.parse(each) for each in document.get("taps", ())),
        )

    def as_json(self) -> dict[str, Any]:
        """As ``snapshot.json`` records it."""
        told = asdict(self)
        del told["is_asked"]  # Never of a sync.
        return told


@dataclass(frozen=True)
class About:
    """Whose mirror this is.

    Args:
        project, environment: the dimensions of every metric.
        public_url: where clients reach the mirror; empty when that is not configured.
    """

    project: str = ""
    environment: str = ""
    public_url: str = ""


@dataclass(frozen=True)
class Channels:
    """Which channels there are, in the order that a snapshot passes them.

    Args:
        followed: the channel whose snapshot ``api/`` serves; None: the newest snapshot.
    """

    names: tuple[str, ...] = ()
    soak_hours: int = 48
    followed: str | None = None


@dataclass(frozen=True)
class Retention:
    """What is kept: the newest snapshots, the young ones, and for a while what they left."""

    keep_snapshots: int = 10
    keep_days: int = 90
    grace_days: int = 14


@dataclass(frozen=True)
class Settings:
    """``settings/<sha256>.json`` (docs/reference/bucket-layout.md)."""

    upstream: Upstream
    selection: Selection
    batch_max_bottles: int
    batch_max_mib: int
    transfers: int
    channels: Channels = Channels()
    retention: Retention = Retention()
    about: About = About()
    task_transfers: int = 8

    @classmethod
    def parse(cls, body: bytes, where: str) -> Self:
        """Read and check the file.

        Raises:
            BadSettings: it is not what Terraform writes, or a value cannot be used.
        """
        try:
            document = json.loads(body)
            workflow = document["workflow"]
            settings = cls(
                Upstream(**document["upstream"]),
                Selection.parse(document["selection"]),
                int(workflow["batch_max_bottles"]),
                int(workflow["batch_max_mib"]),
                int(document["sync_worker"]["transfers"]),
                _channels(document["publish"]),
                Retention(**document.get("retention", {})),
                about=_about(document),
                task_transfers=int(document.get("task", {}).get("transfers", cls.task_transfers)),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise _bad(f"not the mirror's settings: {error!r}", where) from error
        return settings.checked(where)

    def overridden(self, api_url: str, platforms: Sequence[str], formulae: Sequence[str]) -> Self:
        """The same settings with what a dry run asks for instead; empty values change nothing.

        Raises:
            BadSettings: a value cannot be used.
        """
        upstream = replace(self.upstream, api_url=api_url or self.upstream.api_url)
        selection = replace(
            self.selection,
            platforms=tuple(platforms) or self.selection.platforms,
            formulae=tuple(formulae) or self.selection.formulae,
            is_asked=bool(formulae),
        )
        return replace(self, upstream=upstream, selection=selection).checked("the event")

    def checked(self, where: str) -> Self:
        """The settings themselves, once their values can be used; see `parse`."""
        for name, url in (
            ("api_url", self.upstream.api_url),
            ("registry_url", self.upstream.registry_url),
        ):
            if not addresses.is_usable(url):
                raise _bad(f'upstream.{name} "{addresses.shown(url)}" is not an https URL', where)
        for platform in self.selection.platforms:
            if not _PLATFORM.fullmatch(platform):
                raise _bad(f'platform "{platform}" is not a bottle tag', where)
        if not self.selection.platforms or not self.selection.formulae:
            raise _bad("the selection is empty", where)
        if self.channels.followed not in (None, *self.channels.names):
            raise _bad(f'publish.default_channel "{self.channels.followed}" is no channel', where)
        if self.selection.max_bottle_mib < 0:
            raise _bad("selection.max_bottle_mib is less than 0", where)
        sizes = (self.batch_max_bottles, self.batch_max_mib, self.transfers, self.task_transfers)
        if min(sizes) < 1:
            raise _bad("workflow, sync_worker and task take whole numbers of 1 and more", where)
        return self


def _about(document: Mapping[str, Any]) -> About:
    told = document.get("mirror", {}).get("public_url") or ""
    return About(str(document.get("project", "")), str(document.get("environment", "")), str(told))


def _texts(values: Iterable[Any]) -> tuple[str, ...]:
    return tuple(str(each) for each in values)


def _channels(document: Mapping[str, Any]) -> Channels:
    """Settings of an earlier release say nothing of channels: there are none."""
    return Channels(
        tuple(str(each) for each in document.get("channels", ())),
        int(document.get("soak_hours", Channels.soak_hours)),
        document.get("default_channel"),
    )


def _bad(problem: str, where: str) -> BadSettings:
    return BadSettings(
        problem, where=where, remedy="correct config/airbrew.yaml and run `inv deploy`"
    )
