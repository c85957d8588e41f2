"""What an event deploys: develop to dev, main to staging, a version's tag to prod."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from delivery.ci.events import Event
from delivery.environment import Environment
from delivery.oidc import access

BRANCHES = {"refs/heads/develop": "dev", "refs/heads/main": "staging"}
VERSION = re.compile(r"refs/tags/v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
SCHEDULED = ("schedule", "workflow_dispatch")
RELEASED_TO = "prod"


@dataclass(frozen=True)
class Target:
    """An environment that is to be deployed, as a job of a matrix gets it.

    The roles are empty for an environment in the sandbox, which needs none. The last four are
    of the environment whose release it takes over; all are empty where a release is built.
    """

    environment: str
    region: str
    cloud: str
    plan_role: str
    deploy_role: str
    release_from: str = ""
    release_region: str = ""
    release_cloud: str = ""
    release_role: str = ""


@dataclass(frozen=True)
class Targets:
    """What to deploy, what to compare with, whether to show a preview on the runner, and why so.

    `approve` says whether a plan is to be made first, whose digest somebody approves.
    `compare` is where a pull request would be deployed to once it is merged, and on a schedule
    every environment that has an account.
    """

    deploy: tuple[Target, ...]
    approve: bool
    compare: tuple[Target, ...]
    preview: bool
    why: str


def of(event: Event, environments: Mapping[str, Environment], *, in_sandbox: bool) -> Targets:
    """What an event deploys.

    Args:
        environments: by name, as the configuration has them.
        in_sandbox: whether an environment without an account is deployed, too: into a sandbox
            on the runner, to try the pipeline out.
    """
    if event.name == "pull_request":
        return _of_pull_request(event, environments)
    if event.name in SCHEDULED:
        compare = [_target(each) for each in environments.values() if not each.is_sandbox]
        return _nothing("every environment that has an account is looked at", *compare)
    name = _environment_of(event)
    if name is None:
        return _nothing(f"{event.name} {event.ref} deploys nothing")
    environment = environments[name]
    if environment.is_sandbox and not in_sandbox:
        told = f"{name} has no account_id in config/airbrew.yaml: there is nothing to deploy to"
        return _nothing(told)
    return _of_push(event, environment, environments)


def _of_push(
    event: Event, environment: Environment, environments: Mapping[str, Environment]
) -> Targets:
    approve = environment.settings["deploy"]["approval"] == "required"
    source = environment.settings["deploy"]["release_from"]
    target, told = _target(environment), f"{event.ref} deploys {environment.name}"
    if source is None:
        return Targets((target,), approve, (), preview=False, why=told)
    proven = _target(environments[source])
    if proven.cloud != target.cloud:
        told = (
            f"{environment.name} takes over what stands in {source}, which has no account_id:"
            f" give it one, or set deploy.release_from of {environment.name} to null"
        )
        return _nothing(told)
    target = replace(
        target,
        release_from=source,
        release_region=proven.region,
        release_cloud=proven.cloud,
        release_role=proven.plan_role,
    )
    return Targets((target,), approve, (), preview=False, why=f"{told}, with {source}'s release")


def _of_pull_request(event: Event, environments: Mapping[str, Environment]) -> Targets:
    if event.is_fork:
        told = "a fork's pull request is tested and shown; it gets no role, and is never deployed"
        return replace(_nothing(told), preview=True)
    environment = environments.get(BRANCHES.get(event.into, ""))
    compare = [_target(environment)] if environment and _may_be_looked_at(environment) else []
    told = "a pull request is tested and shown, and never deployed"
    return replace(_nothing(told, *compare), preview=True)


def _may_be_looked_at(environment: Environment) -> bool:
    """Whether its account lets a pull request in, to look (`github.plan_pull_requests`)."""
    return not environment.is_sandbox and bool(environment.settings["github"]["plan_pull_requests"])


def _nothing(why: str, *compare: Target) -> Targets:
    return Targets((), approve=False, compare=compare, preview=False, why=why)


def _environment_of(event: Event) -> str | None:
    if event.name != "push" or event.is_deletion:
        return None
    # `v*.*.*` in a workflow also lets v1.2.3-rc1 through, which is not for prod.
    if VERSION.fullmatch(event.ref):
        return RELEASED_TO
    return BRANCHES.get(event.ref)


def _target(environment: Environment) -> Target:
    return Target(
        environment=environment.name,
        region=environment.region,
        cloud="sandbox" if environment.is_sandbox else "AWS",
        plan_role=_role(environment, "plan"),
        deploy_role=_role(environment, "deploy"),
    )


def _role(environment: Environment, purpose: str) -> str:
    if environment.account_id is None:
        return ""
    return access.role_arn(environment, environment.account_id, purpose)
