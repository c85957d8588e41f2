"""Terraform's part of a deploy: plan, apply, and the settings that the new versions read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from delivery import state_bucket
from delivery.checkout import Checkout
from delivery.cloud import Cloud
from delivery.config import rendering
from delivery.deploy.attempt import Attempt
from delivery.deploy.site import Site
from delivery.environment import Environment
from delivery.releases import recall
from delivery.review import reversals
from delivery.review.reviewing import Review
from delivery.terraform import apart, binary
from delivery.terraform.running import ROOT_OUTPUT, Plan, Workspace

Admit = Callable[[Site, Plan], Review]
# What Terraform puts out for the delivery's own use; the history has it elsewhere.
SETTINGS, VERSIONS = "settings", "versions"


def workspace(checkout: Checkout, environment: Environment, cloud: Cloud, bucket: str) -> Workspace:
    """The environment's Terraform root, initialised against its state."""
    found = Workspace.at(
        checkout.root_of(environment),
        data_dir=checkout.data_dir(environment),
        variables=cloud.variables,
        state_dir=checkout.state_dir,
    )
    found.init(state_bucket.backend_config(cloud, bucket, environment.name))
    return found


def require_terraform(checkout: Checkout, cloud: Cloud) -> None:
    """Return when there is a Terraform to run, brought here if need be; nothing else is touched.

    Raises:
        ToolMissing, UntrustedDownload: there is none; see `binary.find`.
    """
    binary.find(cloud.variables, checkout.state_dir)


def provision(attempt: Attempt, *, admit: Admit | None = None) -> None:
    """Bring the environment's resources to what the site wants; the aliases stay where they are.

    Args:
        admit: looks at the plan before it is applied, and raises when it may not be; without
            it the plan was looked at when it was applied first.

    Raises:
        TerraformFailed: what was done up to there is in the state.
    """
    site = attempt.site
    found = planned(site)
    attempt.plan = dict(found.counts)
    if admit is not None:
        attempt.plan["digest"] = admit(site, found).digest
    _keep(site)
    with site.steps.step("apply"):
        attempt.lease.check()
        attempt.touched = True
        attempt.made |= {each.address for each in found.changes if each.action == "create"}
        attempt.altered |= {each.address for each in found.changes if each.action == "update"}
        outputs = dict(found.apply(site.steps.detail))
    _take(attempt, outputs)
    name = site.environment.name
    noted = reversals.noted(site.cloud, site.bucket, name)
    attempt.protected, attempt.state_version = noted


def provision_code(attempt: Attempt) -> None:
    """The same where nothing but artifacts differs from what was applied and looked at last.

    The state is taken at its word, and new code is no matter for a policy: one run of Terraform
    does it.

    Raises:
        TerraformFailed: what was done up to there is in the state.
    """
    site = attempt.site
    terraform = _initialised(site)
    _keep(site)
    with site.steps.step("apply"):
        attempt.lease.check()
        attempt.touched = True
        counts, told = terraform.apply_at_once(site.steps.detail)
    attempt.plan = dict(counts)
    _take(attempt, dict(told[ROOT_OUTPUT]))


def _keep(site: Site) -> None:
    with site.steps.step("keep"):
        recall.keep_settings(site.cloud, site.bucket, site.settings)


def _take(attempt: Attempt, outputs: dict[str, Any]) -> None:
    site = attempt.site
    with site.steps.step("settings"):
        put_settings(site.cloud, outputs["mirror_bucket"], outputs.pop(SETTINGS))
    attempt.published = outputs.pop(VERSIONS)
    attempt.outputs = outputs


def planned(site: Site) -> Plan:
    """What Terraform would do about the environment."""
    return _planned(site, _initialised(site))


def _initialised(site: Site) -> Workspace:
    with site.steps.step("init"):
        rendering.write(site.checkout.settings_file(site.environment), site.settings)
        return workspace(site.checkout, site.environment, site.cloud, site.bucket)


@contextmanager
def first_plan(site: Site) -> Iterator[Plan]:
    """The plan where nothing was ever deployed: in a copy of the tree, with an empty state.

    The real backend would need the state bucket, and a plan creates nothing. Its file lasts as
    long as the body.
    """
    root = site.checkout.root_of(site.environment)
    with apart.copied(site.checkout.terraform_dir, root) as (tree, data_dir):
        copy = replace(site.checkout, terraform_dir=tree)
        with site.steps.step("init"):
            rendering.write(copy.settings_file(site.environment), site.settings)
            terraform = Workspace.at(
                copy.root_of(site.environment),
                data_dir=data_dir,
                variables=site.cloud.variables,
                state_dir=site.checkout.state_dir,
            )
            terraform.init({})
        yield _planned(site, terraform)


def put_settings(cloud: Cloud, bucket: str, settings: Mapping[str, str]) -> bool:
    """Put what the functions are to do where they look for it; False when it is there.

    Its key is the content's own digest, so an earlier version still finds its own beside it.
    """
    s3 = cloud.client("s3")
    try:
        s3.put_object(
            Bucket=bucket,
            Key=settings["key"],
            Body=settings["body"].encode(),
            ContentType="application/json",
            IfNoneMatch="*",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "PreconditionFailed":
            raise
        return False
    return True


def _planned(site: Site, terraform: Workspace) -> Plan:
    with site.steps.step("plan"):
        found = terraform.plan()
        site.steps.detail(found.summary)
    return found
