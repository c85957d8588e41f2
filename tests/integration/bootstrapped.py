"""An account that `inv oidc.bootstrap` has set up, and workflows that it lets in."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from delivery.artifacts.build import Places
from delivery.checkout import Checkout
from delivery.cloud import Cloud
from delivery.config import effective, loading
from delivery.environment import Environment
from delivery.oidc import access
from delivery.paths import TERRAFORM_DIR
from tests.doubles.github_tokens import token
from tests.doubles.iam_use import Policy
from tests.integration.enforcement import UNNAMED


def environments_of(configuration: str, folder: Path) -> Mapping[str, Environment]:
    """The environments of a configuration, by name."""
    file = folder / "airbrew.yaml"
    file.write_text(configuration)
    return effective.validated(loading.load(file))


def checkout_in(folder: Path, **places: Path) -> Checkout:
    """A Terraform tree and a state folder of its own."""
    tree, state = folder / "terraform", folder / "state"
    shutil.copytree(TERRAFORM_DIR, tree, ignore=shutil.ignore_patterns(".terraform"))
    return Checkout(terraform_dir=tree, state_dir=state, places=Places(state_dir=state, **places))


@dataclass(frozen=True)
class Account:
    """The account as its root sees it, and the environments that are bootstrapped in it."""

    cloud: Cloud
    environments: Mapping[str, Environment]

    def role(self, environment: str, purpose: str) -> Mapping[str, Any]:
        """The role of an environment and a purpose, as IAM has it."""
        name = access.role_name(self.environments[environment], purpose)
        found: Mapping[str, Any] = self.cloud.client("iam").get_role(RoleName=name)["Role"]
        return found

    def policy(self, environment: str, purpose: str) -> Policy:
        """All that the role is allowed."""
        name = access.role_name(self.environments[environment], purpose)
        return {"Statement": [*self._inline(name), *self._attached(name)]}

    def allow_unnamed(self, environment: str) -> None:
        """Let the roles do what MiniStack could not hold against their policies."""
        statement = {"Effect": "Allow", "Action": list(UNNAMED), "Resource": "*"}
        for purpose in access.PURPOSES:
            self.cloud.client("iam").put_role_policy(
                RoleName=access.role_name(self.environments[environment], purpose),
                PolicyName="unnamed",
                PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
            )

    def assumed(
        self, environment: str, purpose: str, told: Mapping[str, Any], session: str = "run-1"
    ) -> Cloud:
        """The cloud as a workflow with these claims sees it; AccessDenied where none is let in."""
        answer = self.cloud.client("sts").assume_role_with_web_identity(
            RoleArn=self.role(environment, purpose)["Arn"],
            RoleSessionName=session,
            WebIdentityToken=token(told),
        )["Credentials"]
        credentials = {
            "AWS_ACCESS_KEY_ID": answer["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": answer["SecretAccessKey"],
            "AWS_SESSION_TOKEN": answer["SessionToken"],
        }
        return replace(self.cloud, variables={**self.cloud.variables, **credentials})

    def _inline(self, role: str) -> Iterator[Mapping[str, Any]]:
        iam = self.cloud.client("iam")
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            found = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            yield from found["Statement"]

    def _attached(self, role: str) -> Iterator[Mapping[str, Any]]:
        iam = self.cloud.client("iam")
        for each in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
            arn = each["PolicyArn"]
            version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
            found = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]
            yield from found["Document"]["Statement"]
