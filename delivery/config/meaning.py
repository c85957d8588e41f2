"""What a schema cannot say: schedules that parse, names that S3 takes, environments kept apart."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from itertools import combinations
from urllib.parse import urlsplit

from delivery.config import bucket_names, fargate, schedules, selection, signing_key, taps
from delivery.config.loading import Document
from delivery.config.problems import Problem
from delivery.environment import Environment

# Any account will do to see what the derived names look like: all have 12 digits.
SOME_ACCOUNT = "1" * 12
BUCKET_FORM = "3 to 63 of a-z, 0-9 and -, a letter or digit first and last"
# A worker that is slower than this cannot be helped by smaller batches.
SLOWEST_MIB_PER_SECOND = 10
# What the runtime and the code take; and what a transfer holds of its bottle at a time: parts of
# 8 MiB, one filling, one being sent, and the copies that signing and TLS make of it.
RUNTIME_MIB, TRANSFER_MIB = 128, 32


@dataclass(frozen=True)
class Finding:
    """What is wrong with one setting of one environment; `key` is dotted, as in `origins`."""

    key: str
    problem: str
    remedy: str


def check(document: Document, environments: Sequence[Environment]) -> list[Problem]:
    """Everything that is wrong with a file of the right form, each where it was written."""
    found = [
        _placed(document, environment, finding)
        for environment in environments
        for check_one in CHECKS
        for finding in check_one(environment)
    ]
    return [*found, *_project(document, environments), *_apart(document, environments)]


def _placed(document: Document, environment: Environment, finding: Finding) -> Problem:
    """The finding at the line that says it; for a default, at the environment it does not fit."""
    is_shared = environment.origins[finding.key].kind == "defaults"
    above = ["defaults"] if is_shared else ["environments", environment.name]
    path = (*above, *finding.key.split("."))
    return Problem(document.line_of(path), ".".join(path), finding.problem, finding.remedy)


def _schedule(environment: Environment) -> Iterator[Finding]:
    for flaw in schedules.flaws(environment.settings["schedule"]["expression"]):
        yield Finding("schedule.expression", flaw.problem, flaw.remedy)


def _timezone(environment: Environment) -> Iterator[Finding]:
    name = environment.settings["schedule"]["timezone"]
    if name == "UTC":
        return
    known = _timezones()
    # A machine without a time zone database cannot judge: AWS will.
    if not known or name in known:
        return
    near = difflib.get_close_matches(name, known, n=1)
    remedy = f"{near[0]}, if that is what you mean" if near else "a name such as Europe/Berlin"
    yield Finding("schedule.timezone", f'there is no time zone "{name}"', remedy)


@cache  # It reads some 600 files: a tenth of a second, and each environment asks.
def _timezones() -> frozenset[str]:
    import zoneinfo  # noqa: PLC0415 - UTC is known without it, and each `inv` would wait for it

    return frozenset(zoneinfo.available_timezones())


def _upstream(environment: Environment) -> Iterator[Finding]:
    for name in ("api_url", "registry_url"):
        url = environment.settings["upstream"][name]
        for flaw, remedy in _url_flaws(url):
            yield Finding(f"upstream.{name}", f'"{url}" {flaw}', remedy)


def _url_flaws(url: str) -> Iterator[tuple[str, str]]:
    """What is wrong with an upstream's URL, each with what to write instead."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    if not host or not re.fullmatch(r"https?://\S+", url):
        yield "is not a URL", "https://host/path"
        return
    if parts.scheme == "http" and not _is_loopback(host):
        yield "is not encrypted", f"https{url.removeprefix('http')}"
    if parts.username is not None:
        yield "holds credentials", f"{parts.scheme}://{host}{parts.path}"
    if "?" in url or "#" in url:
        yield "holds a query or a fragment", re.split("[?#]", url)[0]
    if url.endswith("/"):
        yield "ends with a slash", url.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _key(environment: Environment) -> Iterator[Finding]:
    file = environment.settings["upstream"]["public_key_file"]
    if file is None:
        return
    try:
        signing_key.read(file)
    except signing_key.UnfitKey as error:
        yield Finding("upstream.public_key_file", error.problem, error.remedy)


def _bucket(environment: Environment) -> Iterator[Finding]:
    name = environment.settings["mirror"]["bucket_name"]
    if name is not None and (flaw := bucket_names.flaw(name)):
        yield Finding("mirror.bucket_name", flaw, BUCKET_FORM)


def _brewfiles(environment: Environment) -> Iterator[Finding]:
    for file in environment.settings["selection"]["brewfiles"]:
        try:
            selection.read(file)
        except selection.UnfitBrewfile as error:
            yield Finding("selection.brewfiles", error.problem, error.remedy)


def _tap_files(environment: Environment) -> Iterator[Finding]:
    for file in environment.settings["selection"]["tap_files"]:
        try:
            taps.read(file)
        except taps.UnfitTap as error:
            yield Finding("selection.tap_files", error.problem, error.remedy)


def _sizes(environment: Environment) -> Iterator[Finding]:
    worker = environment.settings["functions"]["sync_worker"]
    size, seconds = environment.settings["workflow"]["batch_max_mib"], worker["timeout_seconds"]
    most = seconds * SLOWEST_MIB_PER_SECOND
    if size > most:
        yield Finding(
            "workflow.batch_max_mib",
            f"{size} MiB do not pass in the sync worker's {seconds} s"
            f" at {SLOWEST_MIB_PER_SECOND} MiB/s",
            f"{most} or less, or more functions.sync_worker.timeout_seconds (900 at most)",
        )
    needed = RUNTIME_MIB + worker["transfers"] * TRANSFER_MIB
    if worker["memory_mib"] < needed:
        yield Finding(
            "functions.sync_worker.memory_mib",
            f"{worker['memory_mib']} MiB are too few for {worker['transfers']} transfers",
            f"{needed} or more, or fewer functions.sync_worker.transfers",
        )


def _channels(environment: Environment) -> Iterator[Finding]:
    publish = environment.settings["publish"]
    names, followed = publish["channels"], publish["default_channel"]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Finding("publish.channels", f'"{name}" stands there twice', "each name once")
    if "default" in names:
        yield Finding("publish.channels", '"default" is what api/ itself is called', "another name")
    if followed is not None and followed not in names:
        remedy = f"one of {', '.join(names)}" if names else "null, or publish.channels too"
        yield Finding("publish.default_channel", f'there is no channel "{followed}"', remedy)


def _task(environment: Environment) -> Iterator[Finding]:
    task = environment.settings["task"]
    if remedy := fargate.memory_instead(task["cpu_units"], task["memory_mib"]):
        problem = f"Fargate has no {task['memory_mib']} MiB with {task['cpu_units']} CPU units"
        yield Finding("task.memory_mib", problem, remedy)
    needed = RUNTIME_MIB + task["transfers"] * TRANSFER_MIB
    if task["memory_mib"] < needed:
        yield Finding(
            "task.memory_mib",
            f"{task['memory_mib']} MiB are too few for {task['transfers']} transfers",
            f"{needed} or more, or fewer task.transfers",
        )


def _network(environment: Environment) -> Iterator[Finding]:
    network = environment.settings["network"]
    given, lacking = "subnet_ids", "security_group_ids"
    if not network[given]:
        given, lacking = lacking, given
    if network[given] and not network[lacking]:
        problem = f"network.{lacking} is empty: the two belong to the same network"
        yield Finding(f"network.{given}", problem, f"none, or set network.{lacking}, too")


def _github(environment: Environment) -> Iterator[Finding]:
    github = environment.settings["github"]
    if github["repository"] is None:
        return
    if (github["owner_id"] is None) != (github["repository_id"] is None):
        given, lacking = "owner_id", "repository_id"
        if github["owner_id"] is None:
            given, lacking = lacking, given
        problem = f"github.{lacking} is not set: a subject has both numbers or none"
        yield Finding(f"github.{given}", problem, f"null, or set github.{lacking}, too")
    if not github["branches"] and not github["tags"]:
        problem = "no branch and no tag may deploy, so that no workflow ever could"
        yield Finding("github.repository", problem, "null, or set github.branches or github.tags")


CHECKS = (
    _brewfiles,
    _tap_files,
    _schedule,
    _timezone,
    _upstream,
    _key,
    _bucket,
    _sizes,
    _channels,
    _task,
    _network,
    _github,
)


def _project(document: Document, environments: Sequence[Environment]) -> Iterator[Problem]:
    path = ("project", "name")
    for environment in environments:
        derived = f"{environment.project}-{environment.name}-mirror-{SOME_ACCOUNT}"
        if flaw := bucket_names.flaw(derived):
            problem = f"the bucket's name would be refused: {flaw}"
            yield Problem(document.line_of(path), ".".join(path), problem, "another name")
            return


def _apart(document: Document, environments: Sequence[Environment]) -> Iterator[Problem]:
    yield from _same_bucket(document, environments)
    yield from _taken_from(document, environments)
    for first, second in combinations(environments, 2):
        yield from _same_account(document, first, second)


def _same_bucket(document: Document, environments: Sequence[Environment]) -> Iterator[Problem]:
    sharing: dict[str, list[Environment]] = {}
    for environment in environments:
        if name := environment.settings["mirror"]["bucket_name"]:
            sharing.setdefault(name, []).append(environment)
    for name, owners in sharing.items():
        if len(owners) > 1:
            problem = f'"{name}" is the bucket of {" and ".join(owner.name for owner in owners)}'
            remedy = "a name for each, or none: the derived names differ"
            yield _placed(document, owners[-1], Finding("mirror.bucket_name", problem, remedy))


def _taken_from(document: Document, environments: Sequence[Environment]) -> Iterator[Problem]:
    for environment in environments:
        source = environment.settings["deploy"]["release_from"]
        others = [each.name for each in environments if each.name != environment.name]
        if source is not None and source not in others:
            problem = f'"{source}" is no other environment that has a release'
            remedy = f"{', '.join(others)} or null"
            finding = Finding("deploy.release_from", problem, remedy)
            yield _placed(document, environment, finding)


def _same_account(document: Document, first: Environment, second: Environment) -> Iterator[Problem]:
    if first.account_id is None or first.account_id != second.account_id:
        return
    if "production" in {first.type, second.type}:
        path = ("environments", second.name, "account_id")
        yield Problem(
            document.line_of(path),
            ".".join(path),
            f'"{second.account_id}" is the account of {first.name} and of {second.name}',
            "another account: production shares its own with nothing",
        )
