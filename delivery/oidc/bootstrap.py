"""Setting an account up for GitHub, once: provider, roles and boundary, from terraform/access."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from delivery import state_bucket
from delivery.checkout import Checkout
from delivery.cloud import Cloud
from delivery.config import rendering
from delivery.deploy import lock
from delivery.environment import Environment
from delivery.oidc import access
from delivery.progress import Steps
from delivery.terraform import apart
from delivery.terraform.running import Plan, Workspace


@dataclass(frozen=True)
class Bootstrap:
    """What was made, or would be: `action` is ``applied``, ``unchanged`` or ``planned``.

    `access` has `deploy_role_arn`, `plan_role_arn`, `boundary_arn` and `provider_arn`; it is
    empty where nothing was applied yet.
    """

    environment: str
    cloud: str
    account_id: str
    action: str
    changes: Mapping[str, int]
    change_lines: tuple[str, ...] = ()
    access: Mapping[str, str] = field(default_factory=dict)


def bootstrap(
    environment: Environment,
    cloud: Cloud,
    steps: Steps,
    *,
    dry_run: bool = False,
    checkout: Checkout | None = None,
) -> Bootstrap:
    """Let the configured repository's workflows into the environment's account.

    It takes a person's credentials: the roles that it makes may do none of this. With
    `dry_run` nothing is created, not even the state bucket. Run again, it changes what the
    configuration changed.

    Raises:
        BadInput: the configuration names no repository.
        DeployUnderWay: another bootstrap of it is running here.
        TerraformFailed: with Terraform's own words; run it again.
    """
    checkout = checkout or Checkout()
    access.required(environment)
    site = _Site(environment, cloud, steps, checkout)
    with lock.held(checkout.state_dir, site.name):
        if dry_run:
            with site.root_for_a_look() as root:
                return _outcome(site, "planned", site.planned(root))
        return _carry_out(site)


@dataclass(frozen=True)
class _Site:
    environment: Environment
    cloud: Cloud
    steps: Steps
    checkout: Checkout

    @property
    def name(self) -> str:
        return f"{self.environment.name}-access"

    @property
    def bucket(self) -> str:
        environment = self.environment
        return state_bucket.name(environment.project, environment.name, self.cloud.account_id)

    @contextmanager
    def root_for_a_look(self) -> Iterator[Workspace]:
        """The real state where there is one, else an empty one in a copy of the tree."""
        if state_bucket.exists(self.cloud, self.bucket):
            yield self.root()
            return
        whole = self.checkout.terraform_dir
        with apart.copied(whole, whole / "access") as (tree, data_dir):
            yield self._initialised(tree / "access", data_dir, {})

    def root(self) -> Workspace:
        backend = state_bucket.backend_config(self.cloud, self.bucket, self.environment.name)
        # Apart from the environment's own state: the deploy role writes that, and never this.
        at = {**backend, "key": state_bucket.access_key(self.environment.name)}
        data = self.checkout.state_dir / "terraform" / self.name
        return self._initialised(self.checkout.terraform_dir / "access", data, at)

    def _initialised(self, folder: Path, data: Path, backend: Mapping[str, Any]) -> Workspace:
        with self.steps.step("init"):
            found = Workspace.at(
                folder,
                data_dir=data,
                variables=self.cloud.variables,
                state_dir=self.checkout.state_dir,
            )
            found.init(backend)
        return found

    def planned(self, root: Workspace) -> Plan:
        with self.steps.step("plan"):
            file = root.data_dir / "settings.tfvars.json"
            wanted = access.settings(
                self.environment,
                self.cloud.account_id,
                owns_provider=_owns_provider(self.environment, self.cloud),
            )
            rendering.write(file, wanted)
            found = root.plan(f"-var-file={file}")
            self.steps.detail(found.summary)
        return found


def _carry_out(site: _Site) -> Bootstrap:
    with site.steps.step("bootstrap"):
        if state_bucket.ensure(site.cloud, site.bucket):
            site.steps.detail(f"created s3://{site.bucket}")
    found = site.planned(site.root())
    with site.steps.step("apply"):
        found.apply(site.steps.detail)
        made = found.outputs()
    return _outcome(site, "applied" if found.has_changes else "unchanged", found, made)


def _outcome(
    site: _Site, action: str, found: Plan, made: Mapping[str, str] | None = None
) -> Bootstrap:
    return Bootstrap(
        environment=site.environment.name,
        cloud=site.cloud.describe(),
        account_id=site.cloud.account_id,
        action=action,
        changes=found.counts,
        change_lines=found.lines,
        access=made or {},
    )


def _owns_provider(environment: Environment, cloud: Cloud) -> bool:
    """Whether GitHub's provider is this environment's: it made it, or nobody did yet."""
    try:
        found = cloud.client("iam").get_open_id_connect_provider(
            OpenIDConnectProviderArn=access.provider_arn(cloud.account_id)
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise
        return True
    tags = {each["Key"]: each["Value"] for each in found.get("Tags", [])}
    maker = (tags.get("Project"), tags.get("Environment"))
    return maker == (environment.project, environment.name)
